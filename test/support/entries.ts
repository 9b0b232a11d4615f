import { systemClock, type Clock } from '../../lib/cache/clock.js';
import type { Entry } from '../../lib/cache/entry.js';
import { isolate } from '../../lib/cache/entries/values.js';

/** An entry as the engine would make it. */
export function entryOf(
  value: unknown,
  { ttl = 60_000, grace = 0, tags = [] as string[], clock = systemClock as Clock } = {},
): Entry {
  const now = clock.now();
  return {
    ...isolate(value),
    createdAt: now,
    freshUntil: now + ttl,
    staleUntil: now + ttl + grace,
    goneAt: now + ttl + grace,
    tags,
    cost: 1,
    epoch: 0,
    meta: undefined,
    derived: undefined,
  };
}
