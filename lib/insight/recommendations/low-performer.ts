import type { PatternFacts } from '../../metrics/judgement.js';
import type { AdviceCode, CacheStats, LowPerformer, NotKeptCounts } from '../../metrics/snapshot.js';
import { NOT_KEPT } from './not-kept.js';
import { duration } from './figures-in-text.js';
import { type Recommendation } from './recommendation-types.js';

/*
 * The text about a pattern with a low hit rate: its recommendation. Without a recommendation, it is the main cause of the misses and
 * what is missing for a recommendation. Each sentence begins with the figure on which it is based, so that it cannot
 * contradict its evidence: only expired entries are a reason for a longer TTL, only evicted ones for more memory.
 */

/** A cause below this share is not used if a cause of the second list has a larger one. */
const LEADING_SHARE = 0.3;

/** The facts in addition to the counts. */
export interface AdviceState {
  /** The best recommendation for the pattern; undefined if there is none. */
  readonly recommendation: Recommendation | undefined;
  /** What is missing to recommend another TTL, more memory, or fewer invalidations. */
  readonly missing: Readonly<Record<'ttl' | 'memory' | 'invalidation', string>>;
}

interface Cause {
  readonly code: AdviceCode;
  /** Which share of the problem the cause explains, 0–1. */
  share(facts: PatternFacts): number;
  text(facts: PatternFacts, state: AdviceState): string;
}

/** Causes for which more evidence or another fact leads to advice. Of equal shares, the first cause counts. */
const CAUSES: readonly Cause[] = [
  {
    code: 'NOT_CACHED',
    share: ({ stats: { notKept, sets } }) => part(sumOf(notKept), sumOf(notKept) + sets),
    text: ({ stats: { notKept } }) => {
      const [reason, count] = mostOf(notKept);
      const { because, advice } = NOT_KEPT[reason];
      return `Not cached: ${sumOf(notKept)} loads and writes stored nothing, ${count} of them because ${because}. ${advice}`;
    },
  },
  {
    code: 'WITHHELD',
    share: shareOf('evicted'),
    text: (facts, { missing }) =>
      `${percentOf('evicted', facts)} found an entry evicted before it expired. Whether more memory helps is not known yet: ${missing.memory}`,
  },
  {
    code: 'WITHHELD',
    share: shareOf('invalidated'),
    text: (facts, { missing }) =>
      `${percentOf('invalidated', facts)} followed an invalidation. Whether fewer invalidations are enough is not known yet: ${missing.invalidation}`,
  },
  {
    code: 'WITHHELD',
    share: shareOf('expired'),
    text: (facts, { missing }) =>
      `${percentOf('expired', facts)} found an entry expired${ttlToday(facts)}. Whether another TTL helps is not known yet: ${missing.ttl}`,
  },
  {
    code: 'LAYER_FAILS',
    share: shareOf('error'),
    text: (facts) =>
      `${percentOf('error', facts)} happened while a layer failed or did not answer: look at the errors and the circuit of each layer first.`,
  },
];

/** Used if the first list explains little. */
const OTHERWISE: readonly Cause[] = [
  {
    code: 'NOTHING_STORED',
    share: (facts) => (isOnlyRead(facts.stats) ? shareOf('cold')(facts) : 0),
    text: ({ stats: { cacheMisses } }) =>
      `It has ${cacheMisses} misses, but no load and no set. Store the value after a miss, or read it with getOrSet().`,
  },
  {
    code: 'COLD_KEYS',
    share: shareOf('cold'),
    text: (facts) =>
      `${percentOf('cold', facts)} were requests for a key that had not been stored before: no expiry, eviction or invalidation caused them. ${
        isSearch(facts)
          ? 'Searches rarely repeat word for word: use broader keys (normalise case, spaces and the order of filters, round pages).'
          : 'Check that no part of the key changes with every request, and warm the keys that you know in advance.'
      }`,
  },
  {
    code: 'WITHHELD',
    share: shareOf('unknown'),
    text: ({ stats: { cacheMisses, missReasons } }) =>
      `No advice: the reason of ${missReasons.unknown || cacheMisses} of ${cacheMisses} misses is not known. They were recorded by hand, the client requested a new value, or the key was dropped.`,
  },
];

/** Returns the advice for a pattern, or what is missing for it. */
export function lowPerformerAdvice(
  facts: PatternFacts,
  state: AdviceState,
): Pick<LowPerformer, 'code' | 'recommendation'> {
  const { recommendation } = state;
  if (recommendation !== undefined) {
    const { code, title, why } = recommendation;
    return { code, recommendation: code === 'NOT_CACHED' ? why : `${title}. ${why}` };
  }
  const cause = strongest(CAUSES, facts);
  const leading = cause.share(facts) >= LEADING_SHARE ? cause : strongest([...OTHERWISE, cause], facts);
  const chosen = leading.share(facts) > 0 ? leading : OTHERWISE.at(-1)!;
  return { code: chosen.code, recommendation: chosen.text(facts, state) };
}

function ttlToday({ ttlMs }: PatternFacts): string {
  if (ttlMs === null) return '';
  return ttlMs === 0 ? '; the declared TTL is unlimited' : `; the TTL is ${duration(ttlMs)}`;
}

function strongest(causes: readonly Cause[], facts: PatternFacts): Cause {
  return causes.reduce((most, cause) => (cause.share(facts) > most.share(facts) ? cause : most));
}

/** Whether the first word of a pattern shows that its keys are searches. */
function isSearch({ stats: { pattern } }: PatternFacts): boolean {
  return /^[^a-z]*search(es)?(?![a-z])/i.test(pattern);
}

function isOnlyRead({ sets, recalculations, notKept }: CacheStats & { readonly notKept: NotKeptCounts }): boolean {
  return sets + recalculations + sumOf(notKept) === 0;
}

function shareOf(reason: keyof CacheStats['missReasons']): Cause['share'] {
  return ({ stats: { missReasons } }) => part(missReasons[reason], sumOf(missReasons));
}

/** Rounded down, so that 100 % means all of them. */
function percentOf(reason: keyof CacheStats['missReasons'], { stats: { missReasons } }: PatternFacts): string {
  return `${Math.floor((100 * missReasons[reason]) / sumOf(missReasons))} % of misses`;
}

function part(some: number, all: number): number {
  return all === 0 ? 0 : some / all;
}

function mostOf(counts: NotKeptCounts): [reason: keyof NotKeptCounts, count: number] {
  const entries = Object.entries(counts) as [keyof NotKeptCounts, number][];
  return entries.reduce((most, entry) => (entry[1] > most[1] ? entry : most));
}

function sumOf(counts: CacheStats['missReasons'] | NotKeptCounts): number {
  return Object.values(counts).reduce((all: number, count: number) => all + count, 0);
}
