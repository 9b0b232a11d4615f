import { count, duration, percent } from './format';
import { lostMs, ReasonBar, Sparkline } from './parts';
import type { Column } from './table';
import type { EndpointStats, HistoryPoint, Stats } from './wire';

/*
 * The columns that tables of patterns and of endpoints share.
 */

export const timeLost: Column<Stats> = {
  name: 'Time lost',
  term: 'lost',
  by: lostMs,
  numeric: true,
  cell: (row) => duration(lostMs(row)),
};

/** With a bar that compares the rows. */
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

export const hitRate: Column<Stats> = {
  name: 'Hit rate',
  term: 'hitRate',
  by: (row) => row.hit_rate,
  numeric: true,
  cell: (row) => percent(row.hit_rate),
};

export const requests: Column<Stats> = {
  name: 'Requests',
  term: 'requests',
  by: (row) => row.total_requests,
  numeric: true,
  cell: (row) => count(row.total_requests),
};

export const responseP95: Column<Stats> = {
  name: 'p95',
  term: 'p95',
  by: (row) => row.p95_response_time_ms,
  numeric: true,
  cell: (row) => duration(row.p95_response_time_ms),
};

export const loadP50: Column<Stats> = {
  name: 'Load p50',
  term: 'load',
  by: (row) => row.p50_load_time_ms,
  numeric: true,
  cell: (row) => duration(row.p50_load_time_ms),
};

export const misses: Column<Stats> = {
  name: 'Misses',
  term: 'reasons',
  cell: (row) => <ReasonBar reasons={row.miss_reasons} />,
};

/** Of the hit rate, where history has some. */
export function trend<T>(pointsOf: (row: T) => readonly HistoryPoint[] | undefined): Column<T> {
  return {
    name: 'Trend',
    term: 'trend',
    cell: (row) => <Sparkline points={pointsOf(row)} of={(point) => point.hit_rate} />,
  };
}

export const totalP95: Column<EndpointStats> = {
  name: 'Total p95',
  term: 'total',
  by: (row) => row.p95_total_time_ms,
  numeric: true,
  cell: (row) => duration(row.p95_total_time_ms),
};
