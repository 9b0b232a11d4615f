import type { Clock } from '../cache/base/clock.js';
import { Operation } from '../cache/base/observer.js';
import { runAtOnce, runInSlices } from '../cache/base/slices.js';
import { historyOf, mostTimeLost } from './history-points.js';
import type { AlertSource, Judgement } from './judgement.js';
import type { HeldStatus, MetricsReading, OverallSum } from './state/metrics-reading.js';
import type {
  CacheStats,
  EndpointStats,
  HealthReport,
  HealthWarning,
  History,
  HitRates,
  LayerStats,
  LowPerformer,
  OperationStats,
  PatternStats,
  Realtime,
} from './snapshot.js';
import {
  cacheStats,
  endpointStats,
  evictionsIn,
  getStats,
  hitRateOf,
  hitsIn,
  layerStats,
  missesIn,
  operationStats,
  patternStats,
  runsIn,
  successRateOf,
} from './statistics.js';
import { AccessCount, AccessTime } from './windows/access-track.js';
import type { HistoryWindow } from './windows/history.js';
import { type Window, windowNamed, WINDOWS } from './windows/window-lengths.js';

/** The sources of statistics. */
export interface StatisticsSources {
  readonly clock: Clock;
  readonly figures: MetricsReading;
  readonly judgement: Judgement;
  /** Returns the current entry counts, bytes and connections of the layers. */
  readonly status: () => readonly HeldStatus[];
  /** Further warnings, which {@link CacheStatistics.getRealtime} adds to its own. */
  readonly alerts: Iterable<AlertSource>;
  /** The current TTL of declared patterns, milliseconds; null if it depends on the value. */
  readonly ttls: ReadonlyMap<string, number | null>;
}

const OPERATIONS = Object.keys(Operation) as (keyof typeof Operation)[];

/** The counts by which patterns are ranked. They cost less than full statistics. */
interface PatternCounts {
  readonly pattern: string;
  readonly requests: number;
  readonly hitRate: number | null;
}

/** A reading of figures in steps of a few patterns. */
type Steps<T> = Generator<void, T>;

/**
 * Statistics of the cache, of one process or of several as one. Snapshots are frozen. A window is one of `1m 5m 1h 24h all`, by default
 * `all`; any other name throws a CacheError `UNKNOWN_WINDOW`. Each statistic can be read synchronously (`getStats()`) or in slices
 * (`collectStats()`), so that the event loop stays free. Use slices if there are a thousand patterns or more.
 * @publicApi
 */
export class CacheStatistics {
  readonly #sources: StatisticsSources;

  constructor(sources: StatisticsSources) {
    this.#sources = sources;
  }

  /** Returns the totals over all patterns. */
  getStats(window?: Window): CacheStats {
    return runAtOnce(this.#stats(window));
  }

  /** Reads {@link getStats} in slices. */
  collectStats(window?: Window): Promise<CacheStats> {
    return runInSlices(this.#stats(window));
  }

  /** Returns one pattern, such as `feed:*`; zeros for a pattern without accesses. */
  getPatternStats(pattern: string, window?: Window): PatternStats {
    return this.#pattern(pattern, windowNamed(window));
  }

  /** The names of all patterns, in the order in which they were first seen. */
  get patterns(): readonly string[] {
    return [...this.#sources.figures.patterns].map(({ name }) => name);
  }

  /** Returns all patterns, in the order in which they were first seen. */
  getAllPatternStats(window?: Window): readonly PatternStats[] {
    return runAtOnce(this.#patterns(window));
  }

  /** Reads {@link getAllPatternStats} in slices. */
  collectPatternStats(window?: Window): Promise<readonly PatternStats[]> {
    return runInSlices(this.#patterns(window));
  }

  /** Returns all endpoints, in the order in which they were first seen. */
  getEndpointStats(window?: Window): readonly EndpointStats[] {
    return runAtOnce(this.#endpoints(window));
  }

  /** Reads {@link getEndpointStats} in slices. */
  collectEndpointStats(window?: Window): Promise<readonly EndpointStats[]> {
    return runInSlices(this.#endpoints(window));
  }

  /** Returns all layers; the local layer comes first. */
  getLayerStats(window?: Window): readonly LayerStats[] {
    return runAtOnce(this.#layers(window));
  }

  /** Reads {@link getLayerStats} in slices. */
  collectLayerStats(window?: Window): Promise<readonly LayerStats[]> {
    return runInSlices(this.#layers(window));
  }

  getOperationStats(window?: Window): readonly OperationStats[] {
    return runAtOnce(this.#operations(window));
  }

  /** Reads {@link getOperationStats} in slices. */
  collectOperationStats(window?: Window): Promise<readonly OperationStats[]> {
    return runInSlices(this.#operations(window));
  }

  /** Returns the patterns with the most requests, most first. */
  getTopPatterns(limit: number, window?: Window): readonly PatternStats[] {
    return runAtOnce(this.#topPatterns(limit, window));
  }

  /** Reads {@link getTopPatterns} in slices. */
  collectTopPatterns(limit: number, window?: Window): Promise<readonly PatternStats[]> {
    return runInSlices(this.#topPatterns(limit, window));
  }

  /** Returns the patterns that lose the most time to misses, most first. The lost time is the number of misses × the median load time. */
  getCostliestPatterns(limit: number, window?: Window): readonly PatternStats[] {
    return runAtOnce(this.#costliestPatterns(limit, window));
  }

  /** Reads {@link getCostliestPatterns} in slices. */
  collectCostliestPatterns(limit: number, window?: Window): Promise<readonly PatternStats[]> {
    return runInSlices(this.#costliestPatterns(limit, window));
  }

  /**
   * Returns the patterns whose hit rate is below `threshold` (0–1), lowest first, each with a recommendation.
   * @param minRequests leaves out patterns with fewer requests. @default 1
   * @param limit the most patterns. @default all
   */
  getLowPerformers(threshold: number, window?: Window, minRequests = 1, limit = Infinity): readonly LowPerformer[] {
    return runAtOnce(this.#lowPerformers(threshold, window, minRequests, limit));
  }

  /** Reads {@link getLowPerformers} in slices. */
  collectLowPerformers(
    threshold: number,
    window?: Window,
    minRequests = 1,
    limit = Infinity,
  ): Promise<readonly LowPerformer[]> {
    return runInSlices(this.#lowPerformers(threshold, window, minRequests, limit));
  }

  /**
   * Returns hit rates in all windows: overall, by pattern, and by operation. For operations other than `get` it is the share that
   * succeeded.
   */
  getHitRates(): HitRates {
    return runAtOnce(this.#hitRates());
  }

  /** Reads {@link getHitRates} in slices. */
  collectHitRates(): Promise<HitRates> {
    return runInSlices(this.#hitRates());
  }

  /** Returns the current state: the last minute, loads in flight, and open warnings. */
  getRealtime(): Realtime {
    return runAtOnce(this.#realtime());
  }

  /** Reads {@link getRealtime} in slices. */
  collectRealtime(): Promise<Realtime> {
    return runInSlices(this.#realtime());
  }

  /** Returns a window over time, of all patterns together or of one. @param patterns how many patterns to list in addition. */
  getHistory(window: HistoryWindow, pattern?: string, patterns = 0): History {
    return runAtOnce(historyOf(this.#sources, window, pattern, patterns));
  }

  /** Reads {@link getHistory} in slices. */
  collectHistory(window: HistoryWindow, pattern?: string, patterns = 0): Promise<History> {
    return runInSlices(historyOf(this.#sources, window, pattern, patterns));
  }

  getHealth(): HealthReport {
    return runAtOnce(this.#health());
  }

  /** Reads {@link getHealth} in slices. */
  collectHealth(): Promise<HealthReport> {
    return runInSlices(this.#health());
  }

  *#stats(window?: Window): Steps<CacheStats> {
    return this.#overallStats(yield* this.#sources.figures.overallInSteps(windowNamed(window)));
  }

  *#patterns(window?: Window): Steps<readonly PatternStats[]> {
    const named = windowNamed(window);
    return Object.freeze(yield* each(this.#sources.figures.patterns, ({ name }) => this.#pattern(name, named)));
  }

  *#endpoints(window?: Window): Steps<readonly EndpointStats[]> {
    const { figures } = this.#sources;
    const named = windowNamed(window);
    const read = (name: string) => endpointStats(name, figures.endpointIn(name, named), this.#contextIn(named));
    return Object.freeze(yield* each(figures.endpoints, ({ name }) => read(name)));
  }

  *#layers(window?: Window): Steps<readonly LayerStats[]> {
    return this.#layersOf(yield* this.#sources.figures.overallInSteps(windowNamed(window)));
  }

  *#operations(window?: Window): Steps<readonly OperationStats[]> {
    const { figures } = this.#sources;
    const overall = yield* figures.overallInSteps(windowNamed(window));
    return Object.freeze(
      OPERATIONS.map((name) =>
        name === 'get'
          ? getStats(overall.sum, overall)
          : operationStats(name, figures.operationIn(Operation[name], overall.window), overall),
      ),
    );
  }

  *#topPatterns(limit: number, window?: Window): Steps<readonly PatternStats[]> {
    const named = windowNamed(window);
    const counts = yield* this.#patternCounts(named);
    const most = counts
      .filter(({ requests }) => requests > 0)
      .sort((a, b) => b.requests - a.requests)
      .slice(0, Math.max(0, limit));
    return Object.freeze(yield* each(most, ({ pattern }) => this.#pattern(pattern, named)));
  }

  *#costliestPatterns(limit: number, window?: Window): Steps<readonly PatternStats[]> {
    const named = windowNamed(window);
    const names = yield* mostTimeLost(this.#sources.figures, named, Math.max(0, limit));
    return Object.freeze(yield* each(names, (pattern) => this.#pattern(pattern, named)));
  }

  *#lowPerformers(
    threshold: number,
    window: Window | undefined,
    minRequests: number,
    limit: number,
  ): Steps<readonly LowPerformer[]> {
    const named = windowNamed(window);
    const counts = yield* this.#patternCounts(named);
    const low = counts
      .filter(({ requests, hitRate }) => requests >= Math.max(1, minRequests) && (hitRate ?? threshold) < threshold)
      .sort((a, b) => a.hitRate! - b.hitRate! || b.requests - a.requests)
      .slice(0, limit);
    return Object.freeze(yield* each(low, ({ pattern }) => this.#advised(this.#pattern(pattern, named))));
  }

  *#hitRates(): Steps<HitRates> {
    const { figures } = this.#sources;
    const patterns = yield* each(figures.patterns, ({ name }) => {
      const hitRates = byWindow((window) => hitRateOf(figures.patternIn(name, window, true)));
      return Object.freeze({ pattern: name, hitRates });
    });
    const counted = figures.countersIn(WINDOWS);
    const overall = byWindow((window) => hitRateOf(counted[WINDOWS.indexOf(window)]!));
    const operations = OPERATIONS.map((operation) => {
      const succeeded = (window: Window) => successRateOf(figures.operationIn(Operation[operation], window));
      return Object.freeze({ operation, hitRates: operation === 'get' ? overall : byWindow(succeeded) });
    });
    return Object.freeze({ overall, patterns: Object.freeze(patterns), operations: Object.freeze(operations) });
  }

  *#realtime(): Steps<Realtime> {
    const stats = yield* this.#stats('1m');
    const health = yield* this.#health();
    const alerts: HealthWarning[] = [...health.warnings];
    for (const source of this.#sources.alerts) alerts.push(...source());
    return Object.freeze({
      operationsInFlight: stats.operationsInFlight,
      requestsPerSecond: stats.coverageSeconds === 0 ? 0 : stats.totalRequests / stats.coverageSeconds,
      hitRate: stats.hitRate,
      avgResponseTimeMs: stats.avgResponseTimeMs,
      p99ResponseTimeMs: stats.p99ResponseTimeMs,
      alerts: Object.freeze(alerts),
      timestamp: new Date(this.#sources.clock.now()).toISOString(),
    });
  }

  /** Reads all patterns together only once, because that is most of the work. */
  *#health(): Steps<HealthReport> {
    const { figures, judgement, clock } = this.#sources;
    const { window, targets } = judgement;
    const overall = yield* figures.overallInSteps(window);
    const facts = { stats: this.#overallStats(overall), layers: this.#layersOf(overall), now: clock.now() };
    const patterns = yield* each(targets, (pattern) => this.#pattern(pattern, window));
    return judgement.assessHealth({ ...facts, patterns });
  }

  #overallStats({ window, sum, coverageSeconds }: OverallSum): CacheStats {
    const { figures } = this.#sources;
    const status = this.#sources.status();
    return cacheStats(sum, {
      window,
      coverageSeconds,
      operationsInFlight: figures.inFlight,
      evictions: figures.layers.reduce((all, { name }) => all + evictionsIn(figures.layerIn(name, window).counters), 0),
      invalidations: runsIn(figures.operationIn(Operation.invalidate, window)),
      entryCount: status.find(({ entries }) => entries !== null)?.entries ?? null,
      totalSizeBytes: status.find(({ bytes }) => bytes !== null)?.bytes ?? null,
    });
  }

  #layersOf(overall: OverallSum): readonly LayerStats[] {
    const { figures } = this.#sources;
    const { sum, window } = overall;
    const status = this.#sources.status();
    const local = { hits: sum.counters[AccessCount.localHit]!, times: sum.histograms[AccessTime.local]! };
    return Object.freeze(
      figures.layers.map((layer, at) =>
        layerStats(layer, status[at], figures.layerIn(layer.name, window), at === 0 ? local : undefined, overall),
      ),
    );
  }

  #patternCounts(window: Window): Steps<PatternCounts[]> {
    const { figures } = this.#sources;
    return each(figures.patterns, ({ name }) => {
      const sum = figures.patternIn(name, window, true);
      return { pattern: name, requests: hitsIn(sum.counters) + missesIn(sum.counters), hitRate: hitRateOf(sum) };
    });
  }

  #pattern(pattern: string, window: Window): PatternStats {
    return patternStats(pattern, this.#sources.figures.patternIn(pattern, window), this.#contextIn(window));
  }

  #contextIn(window: Window) {
    return { window, coverageSeconds: this.#sources.figures.coverageSeconds(window) };
  }

  #advised(stats: PatternStats): LowPerformer {
    const { pattern, hitRate, totalRequests, missReasons, notKept, avgLoadTimeMs } = stats;
    const ttlMs = this.#sources.ttls.get(pattern) ?? null;
    const advice = this.#sources.judgement.recommend({ stats, ttlMs });
    return Object.freeze({ pattern, hitRate, totalRequests, ...advice, missReasons, notKept, ttlMs, avgLoadTimeMs });
  }
}

/** Reads each item in a separate step. */
function* each<T, R>(items: Iterable<T>, read: (item: T) => R): Steps<R[]> {
  const all: R[] = [];
  for (const item of items) {
    all.push(read(item));
    yield;
  }
  return all;
}

function byWindow(of: (window: Window) => number | null): Readonly<Record<Window, number | null>> {
  return Object.freeze(
    Object.fromEntries(WINDOWS.map((window) => [window, of(window)])) as Record<Window, number | null>,
  );
}
