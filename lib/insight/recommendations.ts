import ms from 'ms';
import type { PatternFacts } from '../metrics/judgement.js';
import type { CacheStats } from '../metrics/snapshot.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** TTLs that people choose; a proposal is one of them. */
const LADDER = [
  30_000,
  MINUTE,
  2 * MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  15 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  6 * HOUR,
  12 * HOUR,
  24 * HOUR,
];

/** A reason that accounts for less of the misses than this explains nothing. */
const LEADING_SHARE = 0.3;

type Evidence = 'evicted' | 'invalidated' | 'expired';

/**
 * What to do about a pattern that misses too often: by why it missed where one reason stands out, else by the kind of its
 * keys.
 */
export function recommend(facts: PatternFacts): string {
  const { missReasons } = facts.stats;
  const leading = leadingReason(missReasons);
  if (leading === undefined) return byKind(facts);
  const share = `${Math.round((missReasons[leading] / sumOf(missReasons)) * 100)} % of misses`;
  switch (leading) {
    case 'evicted':
      return `${share} found an entry evicted before it expired: give the cache more room (maxEntries, maxBytes) or store smaller values.`;
    case 'invalidated':
      return `${share} followed an invalidation: review what invalidates ${facts.stats.pattern}; narrower keys or tags would keep the rest.`;
    case 'expired':
      return `${share} found an entry expired: ${longerTtl(facts.ttlMs, 0)}`;
  }
}

function leadingReason(reasons: CacheStats['missReasons']): Evidence | undefined {
  const total = sumOf(reasons);
  if (total === 0) return undefined;
  const [leading] = (['evicted', 'invalidated', 'expired'] as const).toSorted((a, b) => reasons[b] - reasons[a]);
  return leading !== undefined && reasons[leading] / total >= LEADING_SHARE ? leading : undefined;
}

function byKind({ stats: { pattern }, ttlMs }: PatternFacts): string {
  const kind = /^[a-z]+/i.exec(pattern.replace(/^[^a-z]+/i, ''))?.[0].toLowerCase() ?? '';
  if (/^feeds?$/.test(kind)) return `Feeds are asked again and again: ${longerTtl(ttlMs, 0)}`;
  if (/^search(es)?$/.test(kind)) {
    return `Searches rarely repeat word for word: use broader keys (normalise case, spaces and the order of filters, round pages), or ${longerTtl(ttlMs, 0)}`;
  }
  if (/^products?$/.test(kind)) {
    return `Products change seldom and are read often: review invalidation, so that a change removes its own product only; where that holds, ${longerTtl(ttlMs, 0)}`;
  }
  if (/^users?$/.test(kind)) return `User data changes seldom: keep it for an hour or more; ${longerTtl(ttlMs, HOUR)}`;
  return `Most keys are asked only once while they are kept: check that the key holds nothing that changes with every request, or ${longerTtl(ttlMs, 0)}`;
}

/** Names today's TTL and the next one that is at least twice as long, and no shorter than `atLeast`. */
function longerTtl(ttlMs: number | null, atLeast: number): string {
  if (ttlMs === null) return `use a longer TTL${atLeast > 0 ? `, ${ms(atLeast)} or more` : ''}.`;
  if (ttlMs === 0) return 'the TTL is unlimited already, so look at what removes the entries.';
  const wanted = Math.max(ttlMs * 2, atLeast);
  const proposed = LADDER.find((rung) => rung >= wanted) ?? wanted;
  return `use a longer TTL: ${ms(ttlMs)} today, ${ms(proposed)} proposed.`;
}

function sumOf(reasons: CacheStats['missReasons']): number {
  return Object.values(reasons).reduce((all, count) => all + count, 0);
}
