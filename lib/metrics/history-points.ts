import type { Clock } from '../cache/base/clock.js';
import type { MetricsReading } from './state/metrics-reading.js';
import type { History, HistoryPoint } from './snapshot.js';
import { cacheStats, missesIn } from './statistics.js';
import { AccessTime } from './windows/access-track.js';
import { timesOf } from './windows/histogram.js';
import type { HistoryBin, HistoryWindow } from './windows/history.js';
import type { Window } from './windows/window-lengths.js';

interface HistorySources {
  readonly clock: Clock;
  readonly figures: MetricsReading;
}

/** Returns a window over time. Reads one pattern per step. */
export function* historyOf(
  { clock, figures }: HistorySources,
  window: HistoryWindow,
  pattern: string | undefined,
  patterns: number,
): Generator<void, History> {
  const pointsOf = (bins: readonly HistoryBin[]) => {
    const now = clock.now();
    return Object.freeze(bins.map((bin) => pointOf(bin, window, figures.since, now)));
  };
  const bins =
    pattern === undefined ? yield* figures.historyInSteps(window) : figures.patternHistoryIn(pattern, window);
  const points = pointsOf(bins);
  const listed: History['patterns'][number][] = [];
  for (const name of patterns > 0 ? yield* mostTimeLost(figures, window, patterns) : []) {
    listed.push(Object.freeze({ pattern: name, points: pointsOf(figures.patternHistoryIn(name, window)) }));
    yield;
  }
  return Object.freeze({
    window,
    pattern: pattern ?? null,
    points,
    patterns: Object.freeze(listed),
    since: new Date(figures.since).toISOString(),
    timestamp: new Date(clock.now()).toISOString(),
  });
}

/** Returns the names of the patterns that lose the most time to misses: misses × the median load time. */
export function* mostTimeLost(figures: MetricsReading, window: Window, limit: number): Generator<void, string[]> {
  const losses: { readonly name: string; readonly lostMs: number; readonly misses: number }[] = [];
  for (const { name } of figures.patterns) {
    const { counters, histograms } = figures.patternIn(name, window);
    const misses = missesIn(counters);
    losses.push({ name, misses, lostMs: misses * (timesOf([histograms[AccessTime.load]!]).p50 ?? 0) });
    yield;
  }
  losses.sort((a, b) => b.lostMs - a.lostMs || b.misses - a.misses);
  return losses.slice(0, limit).map(({ name }) => name);
}

function pointOf({ start, lengthMs, sum }: HistoryBin, window: HistoryWindow, since: number, now: number) {
  const coverageSeconds = Math.max(0, Math.min(now, start + lengthMs) - Math.max(start, since)) / 1000;
  const stats = cacheStats(sum, { window, coverageSeconds });
  const point: HistoryPoint = {
    start: new Date(start).toISOString(),
    seconds: coverageSeconds,
    totalRequests: stats.totalRequests,
    cacheHits: stats.cacheHits,
    cacheMisses: stats.cacheMisses,
    staleHits: stats.staleHits,
    errors: stats.errors,
    hitRate: stats.hitRate,
    p95ResponseTimeMs: stats.p95ResponseTimeMs,
    p50LoadTimeMs: stats.p50LoadTimeMs,
    p95LoadTimeMs: stats.p95LoadTimeMs,
    timeSavedMs: stats.timeSavedMs,
    missReasons: stats.missReasons,
  };
  return Object.freeze(point);
}
