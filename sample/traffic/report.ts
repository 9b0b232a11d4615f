import type { Browser } from './browser.js';
import type { Tally } from './tally.js';
import { count, ms, percent, table } from './table.js';

/** What the statistics routes have in common. */
interface Stats {
  readonly total_requests: number;
  readonly cache_hits: number;
  readonly cache_misses: number;
  readonly stale_hits: number;
  readonly coalesced: number;
  readonly hit_rate: number | null;
  readonly avg_response_time_ms: number | null;
  readonly p95_response_time_ms: number | null;
  readonly p99_response_time_ms: number | null;
  readonly avg_load_time_ms: number | null;
  readonly time_saved_ms: number;
}

interface Health {
  readonly status: string;
  readonly hit_rate: number | null;
  readonly p95_response_time_ms: number | null;
  readonly warnings: readonly { readonly code: string; readonly message: string }[];
}

interface LowPerformer {
  readonly pattern: string;
  readonly hit_rate: number | null;
  readonly total_requests: number;
  readonly recommendation: string;
}

/** What the visitors felt. */
export function felt(tally: Tally, seconds: number): string {
  const outcome = (name: string) => (row: { outcomes: Readonly<Record<string, number>> }) =>
    count(row.outcomes[name] ?? 0);
  const failed = [...tally.failures].map(([reason, times]) => `${count(times)} × ${reason}`).join(', ');
  return [
    `What visitors felt: ${count(tally.requests)} requests in ${seconds.toFixed(1)} s, ` +
      `${count(Math.round(tally.requests / seconds))} a second; latencies in ms, over HTTP`,
    table(tally.endpoints(), [
      ['endpoint', ({ endpoint }) => endpoint],
      ['requests', ({ requests }) => count(requests)],
      ['HIT', outcome('HIT')],
      ['STALE', outcome('STALE')],
      ['MISS', outcome('MISS')],
      ['4xx/5xx', ({ refused }) => count(refused)],
      ['p50', ({ p50 }) => ms(p50)],
      ['p95', ({ p95 }) => ms(p95)],
      ['p99', ({ p99 }) => ms(p99)],
      ['p50 hit', ({ hitP50 }) => ms(hitP50)],
      ['p50 miss', ({ missP50 }) => ms(missP50)],
    ]),
    ...(failed ? [`  without an answer: ${failed}`] : []),
  ].join('\n');
}

/** What the cache says of itself, since the marketplace started. */
export async function summary(browser: Browser): Promise<string> {
  const stats = await browser.json<Stats>('/cache/stats');
  const patterns = await browser.json<(Stats & { pattern: string })[]>('/cache/stats/patterns');
  const endpoints = await browser.json<(Stats & { endpoint: string })[]>('/cache/stats/endpoints');
  const low = await browser.json<LowPerformer[]>('/cache/stats/low-performers');
  const health = await browser.json<Health>('/cache/health');
  return [
    'What the cache did since it started (/cache/stats); response times are the cache’s own, load times the origin’s, in ms',
    statistics('', [{ ...stats, name: 'all' }]),
    '',
    statistics(
      'by pattern',
      patterns.map((row) => ({ ...row, name: row.pattern })),
    ),
    '',
    statistics(
      'by endpoint',
      endpoints.map((row) => ({ ...row, name: row.endpoint })),
    ),
    '',
    low.length === 0
      ? 'No pattern performs low (/cache/stats/low-performers).'
      : 'What could be better (/cache/stats/low-performers)',
    ...low.map(
      ({ pattern, hit_rate, total_requests, recommendation }) =>
        `  ${pattern}  ${percent(hit_rate)} of ${count(total_requests)}: ${recommendation}`,
    ),
    '',
    `The cache is ${health.status} (/cache/health).`,
    ...health.warnings.map(({ code, message }) => `  ${code}: ${message}`),
  ].join('\n');
}

function statistics(head: string, rows: readonly (Stats & { name: string })[]): string {
  return table(
    [...rows].sort((a, b) => b.total_requests - a.total_requests),
    [
      [head, ({ name }) => name],
      ['requests', (row) => count(row.total_requests)],
      ['hits', (row) => count(row.cache_hits)],
      ['stale', (row) => count(row.stale_hits)],
      ['misses', (row) => count(row.cache_misses)],
      ['coalesced', (row) => count(row.coalesced)],
      ['hit rate', (row) => percent(row.hit_rate)],
      ['avg', (row) => ms(row.avg_response_time_ms)],
      ['p95', (row) => ms(row.p95_response_time_ms)],
      ['p99', (row) => ms(row.p99_response_time_ms)],
      ['avg load', (row) => ms(row.avg_load_time_ms)],
      ['saved s', (row) => count(Math.round(row.time_saved_ms / 1000))],
    ],
  );
}
