import { count, duration, percent } from './format';
import { lostMs, ReasonBar, Sparkline } from './parts';
import { type Column, figures } from './table';
import type { EndpointStats, HistoryPoint, Stats } from './wire';

/*
 * The columns that tables of patterns and of endpoints share.
 */

export const timeLost: Column<Stats> = figures('Time lost', 'lost', lostMs, duration);

/** The same column with a bar that compares the rows. */
export function timeLostOf(rows: readonly Stats[]): Column<Stats> {
  const most = rows.reduce((all, row) => Math.max(all, lostMs(row) ?? 0), Number.MIN_VALUE);
  return {
    ...timeLost,
    cell: (row) => (
      <span class="meter">
        <i style={{ width: `${((lostMs(row) ?? 0) / most) * 100}%` }} />
        {duration(lostMs(row))}
      </span>
    ),
  };
}

export const hitRate: Column<Stats> = figures('Hit rate', 'hitRate', (row) => row.hit_rate, percent);

export const requests: Column<Stats> = figures('Requests', 'requests', (row) => row.total_requests, count);

export const responseP95: Column<Stats> = figures('p95', 'p95', (row) => row.p95_response_time_ms, duration);

export const loadP50: Column<Stats> = figures('Load p50', 'load', (row) => row.p50_load_time_ms, duration);

export const misses: Column<Stats> = {
  name: 'Misses',
  term: 'reasons',
  cell: (row) => <ReasonBar reasons={row.miss_reasons} />,
};

/** A column with the trend of the hit rate, for rows with a history. */
export function trend<T>(pointsOf: (row: T) => readonly HistoryPoint[] | undefined): Column<T> {
  return {
    name: 'Trend',
    term: 'trend',
    cell: (row) => <Sparkline points={pointsOf(row)} of={(point) => point.hit_rate} />,
  };
}

export const totalP95: Column<EndpointStats> = figures('Total p95', 'total', (row) => row.p95_total_time_ms, duration);
