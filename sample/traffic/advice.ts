import type { Browser } from './browser.js';
import { count, percent, table } from './table.js';

/** What `/cache/insights` recommends. */
export interface Recommendation {
  readonly id: string;
  readonly code: string;
  readonly pattern?: string;
  readonly title: string;
  readonly why: string;
  readonly change: { readonly option: string; readonly to: string | number | boolean | null; readonly code: string };
  readonly predicted: {
    readonly hit_rate: number | null;
    readonly hit_rate_error: number | null;
    readonly time_saved_ms_per_hour: number;
  };
}

interface Counts {
  readonly pattern: string;
  readonly cache_hits: number;
  readonly cache_misses: number;
}

/** Advice that was followed, and under which pattern its effect is counted; undefined where it is not cached any more. */
export interface Followed {
  readonly advice: Recommendation;
  readonly how: string;
  readonly pattern: string | undefined;
}

/** Options that `PUT /cache/policies` changes while the marketplace runs. */
const AT_RUN_TIME = ['ttl', 'staleWhileRevalidate', 'negativeTtl', 'lock', 'maxEntrySize'];

/** The lessons whose advice changes code: the marketplace has the code with it followed too. */
const IN_CODE: Readonly<Record<string, { readonly lesson: string; readonly pattern?: string }>> = {
  'KEY_TOO_SPECIFIC:lesson-guide:*': { lesson: 'guides', pattern: 'followed-guide:*' },
  'NEVER_READ:lesson-invoice:*': { lesson: 'invoices' },
  'INVALIDATED_TOO_WIDELY:lesson-stock:*': { lesson: 'stock', pattern: 'followed-stock:*' },
};

/** What the cache advises, best first. */
export async function advised(browser: Browser): Promise<Recommendation[]> {
  return browser.json<Recommendation[]>('/cache/insights');
}

export function adviceLines(advice: readonly Recommendation[]): string {
  if (advice.length === 0) return 'Nothing to change (/cache/insights).';
  return [
    'What to change (/cache/insights), most time saved first',
    ...advice.flatMap(({ code, title, why, change, predicted }) => [
      `  ${code}: ${title}`,
      `    ${why}`,
      `    ${change.code}`,
      `    predicted: hit rate ${rateOf(predicted)}, ${seconds(predicted.time_saved_ms_per_hour)} of load time saved an hour`,
    ]),
  ].join('\n');
}

/** Follows the advice for the lessons: by an override where the option can be changed now, otherwise in the code of visitors' routes. */
export async function follow(
  browser: Browser,
  advice: readonly Recommendation[],
  followed: Set<string>,
): Promise<Followed[]> {
  const all: Followed[] = [];
  for (const each of advice) {
    const { id, pattern, change } = each;
    if (pattern?.startsWith('lesson-') !== true) continue;
    const inCode = IN_CODE[id];
    if (inCode !== undefined) {
      followed.add(inCode.lesson);
      all.push({ advice: each, how: `/lessons/followed/${inCode.lesson}`, pattern: inCode.pattern });
    } else if (AT_RUN_TIME.includes(change.option) && !all.some((other) => other.pattern === pattern)) {
      const path = `/cache/policies?pattern=${encodeURIComponent(pattern)}`;
      const { status, text } = await browser.put(path, { [change.option]: change.to });
      if (status !== 200) throw new Error(`${path} answers ${status}: ${text.slice(0, 200)}`);
      all.push({ advice: each, how: `PUT ${change.option}: ${change.to}`, pattern });
    }
  }
  return all;
}

/** Hits and misses of every pattern so far. */
export async function countsNow(browser: Browser): Promise<ReadonlyMap<string, Counts>> {
  const patterns = await browser.json<Counts[]>('/cache/stats/patterns');
  return new Map(patterns.map((counts) => [counts.pattern, counts]));
}

/** Predicted beside realised, for what was followed. */
export function effectLines(
  followed: readonly Followed[],
  before: ReadonlyMap<string, Counts>,
  after: ReadonlyMap<string, Counts>,
): string {
  if (followed.length === 0) return 'No advice could be followed.';
  const realised = ({ pattern }: Followed): number | null =>
    pattern === undefined ? 0 : rateBetween(before.get(pattern), after.get(pattern));
  return [
    'What came of the advice: predicted beside realised hit rate',
    table(followed, [
      ['advice', ({ advice }) => advice.id],
      ['followed by', ({ how }) => how],
      ['before', ({ advice }) => percent(rateBetween(undefined, before.get(advice.pattern ?? '')))],
      ['predicted', ({ advice }) => rateOf(advice.predicted)],
      ['realised', (each) => percent(realised(each))],
    ]),
  ].join('\n');
}

function rateBetween(before: Counts | undefined, after: Counts | undefined): number | null {
  const hits = (after?.cache_hits ?? 0) - (before?.cache_hits ?? 0);
  const misses = (after?.cache_misses ?? 0) - (before?.cache_misses ?? 0);
  return hits + misses === 0 ? null : hits / (hits + misses);
}

function rateOf({ hit_rate: rate, hit_rate_error: error }: Recommendation['predicted']): string {
  return rate === null ? '–' : `${percent(rate)} ± ${((error ?? 0) * 100).toFixed(1)}`;
}

function seconds(milliseconds: number): string {
  return `${count(Math.round(milliseconds / 1000))} s`;
}
