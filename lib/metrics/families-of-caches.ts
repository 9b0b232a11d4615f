import { OWN_CACHE } from '../cache/base/tokens.js';
import type { FamilySource, MetricFamily, MetricPoint } from './family.js';

/**
 * Merges the families of an application's own cache and of its named caches. A family that a named cache has too gets the label `cache`.
 * Families that belong to no cache, such as those of warming and databases, stay unchanged.
 */
export function familiesOfCaches(
  own: readonly MetricFamily[],
  named: ReadonlyMap<string, FamilySource>,
): readonly MetricFamily[] {
  const parts = new Map<string, { readonly family: MetricFamily; readonly cache: string }[]>();
  const add = (families: Iterable<MetricFamily>, cache: string) => {
    for (const family of families) parts.set(family.name, [...(parts.get(family.name) ?? []), { family, cache }]);
  };
  add(own, OWN_CACHE);
  for (const [name, source] of named) add(source.families(), name);
  return [...parts.values()].map((list) => {
    const { family } = list[0]!;
    if (list.every(({ cache }) => cache === OWN_CACHE)) return family;
    return { ...family, labelNames: [...family.labelNames, 'cache'], points: () => pointsOf(list) };
  });
}

function* pointsOf(list: readonly { readonly family: MetricFamily; readonly cache: string }[]): Iterable<MetricPoint> {
  for (const { family, cache } of list)
    for (const point of family.points()) yield { ...point, labels: [...point.labels, cache] };
}
