import { systemClock, type Clock } from '../../lib/cache/base/clock.js';
import type { Entry } from '../../lib/cache/entries/entry.js';
import { PatternClasses } from '../../lib/cache/entries/pattern-classes.js';
import { isolate } from '../../lib/cache/entries/values.js';

/** An entry as the engine would create it. */
export function entryOf(
  value: unknown,
  { ttl = 60_000, grace = 0, tags = [] as string[], clock = systemClock as Clock } = {},
): Entry {
  const now = clock.now();
  const isolated = isolate(value);
  return {
    ...isolated,
    classes: isolated.instances.size === 0 ? undefined : new PatternClasses('*'),
    createdAt: now,
    freshUntil: now + ttl,
    staleUntil: now + ttl + grace,
    removeAt: now + ttl + grace,
    tags,
    cost: 1,
    epoch: 0,
    meta: undefined,
    derived: undefined,
  };
}
