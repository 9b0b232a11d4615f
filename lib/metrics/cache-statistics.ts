import type { Clock } from '../cache/clock.js';
import type { HeldStatus } from './images/layer-status-sum.js';
import type { AlertSource, HealthFacts, Judgement } from './judgement.js';
import type { LedgerReading } from './reading/ledger-reading.js';
import type { OverallSum } from './reading/overall-reading.js';
import { inPortions, Portions, takenInPortions } from './reading/portions.js';
import { leastHit, mostAsked } from './reading/ranking.js';
import { Snapshots } from './reading/snapshots.js';
import type {
  CacheStats,
  EndpointStats,
  HealthReport,
  HealthWarning,
  HitRates,
  LayerStats,
  LowPerformer,
  OperationStats,
  PatternStats,
  Realtime,
  Window,
} from './snapshot.js';
import { windowNamed } from './windows/windows.js';

/** What statistics are made of. */
export interface StatisticsParts {
  readonly clock: Clock;
  readonly figures: LedgerReading;
  readonly judgement: Judgement;
  /** Entry counts, bytes and connections of the layers, as they are when they are asked for. */
  readonly status: () => readonly HeldStatus[];
  /** Warnings of others that {@link CacheStatistics.getRealtime} tells beside its own. */
  readonly alerts: Iterable<AlertSource>;
  /** The TTL in force of declared patterns, milliseconds; null where it follows from the value. */
  readonly ttls: ReadonlyMap<string, number | null>;
}

/**
 * The questions that can be asked of the cache, of one process or of several together. Snapshots are frozen. A window is one of
 * `1m 5m 1h 24h all`, `all` where none is given; any other name throws a CacheError `UNKNOWN_WINDOW`.
 * @publicApi
 */
export class CacheStatistics {
  readonly #parts: StatisticsParts;
  readonly #snapshots: Snapshots;

  constructor(parts: StatisticsParts) {
    this.#parts = parts;
    this.#snapshots = new Snapshots(parts.figures, parts.status);
  }

  /** Everything together. */
  getStats(window?: Window): CacheStats {
    return this.#snapshots.overall(this.#parts.figures.overall(windowNamed(window)));
  }

  /** As {@link getStats}, a few patterns at a time: between them the event loop is free, which matters from a thousand on. */
  async collectStats(window?: Window): Promise<CacheStats> {
    return this.#snapshots.overall(await this.#collectOverall(windowNamed(window)));
  }

  /** One pattern, such as `feed:*`; zeros for one that was never asked. */
  getPatternStats(pattern: string, window?: Window): PatternStats {
    return this.#snapshots.pattern(pattern, windowNamed(window));
  }

  /** All patterns, in the order in which they were first seen. */
  getAllPatternStats(window?: Window): readonly PatternStats[] {
    return Object.freeze([...this.#snapshots.patterns(windowNamed(window))]);
  }

  /** As {@link getAllPatternStats}, a few patterns at a time. */
  async collectPatternStats(window?: Window): Promise<readonly PatternStats[]> {
    return Object.freeze(await inPortions(this.#snapshots.patterns(windowNamed(window))));
  }

  /** All endpoints, in the order in which they were first seen. */
  getEndpointStats(window?: Window): readonly EndpointStats[] {
    return Object.freeze([...this.#snapshots.endpoints(windowNamed(window))]);
  }

  /** As {@link getEndpointStats}, a few endpoints at a time. */
  async collectEndpointStats(window?: Window): Promise<readonly EndpointStats[]> {
    return Object.freeze(await inPortions(this.#snapshots.endpoints(windowNamed(window))));
  }

  /** All layers, nearest first. */
  getLayerStats(window?: Window): readonly LayerStats[] {
    return this.#snapshots.layers(this.#parts.figures.overall(windowNamed(window)));
  }

  /** As {@link getLayerStats}, a few patterns at a time. */
  async collectLayerStats(window?: Window): Promise<readonly LayerStats[]> {
    return this.#snapshots.layers(await this.#collectOverall(windowNamed(window)));
  }

  getOperationStats(window?: Window): readonly OperationStats[] {
    return this.#snapshots.operations(this.#parts.figures.overall(windowNamed(window)));
  }

  /** As {@link getOperationStats}, a few patterns at a time. */
  async collectOperationStats(window?: Window): Promise<readonly OperationStats[]> {
    return this.#snapshots.operations(await this.#collectOverall(windowNamed(window)));
  }

  /** The patterns that are asked most, most first. */
  getTopPatterns(limit: number, window?: Window): readonly PatternStats[] {
    const named = windowNamed(window);
    const most = mostAsked([...this.#snapshots.patternCounts(named)], limit);
    return Object.freeze(most.map(({ pattern }) => this.#snapshots.pattern(pattern, named)));
  }

  /** As {@link getTopPatterns}, a few patterns at a time. */
  async collectTopPatterns(limit: number, window?: Window): Promise<readonly PatternStats[]> {
    const named = windowNamed(window);
    const portions = new Portions();
    const counts = await inPortions(this.#snapshots.patternCounts(named), portions);
    const most = mostAsked(counts, limit).map(({ pattern }) => pattern);
    return Object.freeze(await inPortions(this.#snapshots.named(most, named), portions));
  }

  /**
   * Patterns whose hit rate is below `threshold` (0–1), lowest first, each with what to do about it.
   * @param minRequests leaves out patterns that were asked less often. @default 1
   */
  getLowPerformers(threshold: number, window?: Window, minRequests = 1): readonly LowPerformer[] {
    const named = windowNamed(window);
    const low = leastHit([...this.#snapshots.patternCounts(named)], threshold, minRequests);
    return Object.freeze(low.map(({ pattern }) => this.#advised(this.#snapshots.pattern(pattern, named))));
  }

  /** As {@link getLowPerformers}, a few patterns at a time. */
  async collectLowPerformers(threshold: number, window?: Window, minRequests = 1): Promise<readonly LowPerformer[]> {
    const named = windowNamed(window);
    const portions = new Portions();
    const counts = await inPortions(this.#snapshots.patternCounts(named), portions);
    const least = leastHit(counts, threshold, minRequests).map(({ pattern }) => pattern);
    const low = await inPortions(this.#snapshots.named(least, named), portions);
    return Object.freeze(low.map((stats) => this.#advised(stats)));
  }

  /** Hit rates over all windows: overall, by pattern, and for operations the share that succeeded. */
  getHitRates(): HitRates {
    return this.#snapshots.hitRates([...this.#snapshots.patternHitRates()]);
  }

  /** As {@link getHitRates}, a few patterns at a time. */
  async collectHitRates(): Promise<HitRates> {
    const portions = new Portions();
    const patterns = await inPortions(this.#snapshots.patternHitRates(), portions);
    await portions.rest();
    return this.#snapshots.hitRates(patterns);
  }

  /** What happens now: the last minute, loads in flight, and what needs a look. */
  getRealtime(): Realtime {
    return this.#realtime(this.getStats('1m'), this.getHealth());
  }

  /** As {@link getRealtime}, a few patterns at a time. */
  async collectRealtime(): Promise<Realtime> {
    const portions = new Portions();
    const stats = this.#snapshots.overall(await this.#collectOverall('1m', portions));
    return this.#realtime(stats, await this.#collectHealth(portions));
  }

  #realtime(stats: CacheStats, health: HealthReport): Realtime {
    const alerts: HealthWarning[] = [...health.warnings];
    for (const source of this.#parts.alerts) alerts.push(...source());
    return Object.freeze({
      operationsInFlight: stats.operationsInFlight,
      requestsPerSecond: stats.coverageSeconds === 0 ? 0 : stats.totalRequests / stats.coverageSeconds,
      hitRate: stats.hitRate,
      avgResponseTimeMs: stats.avgResponseTimeMs,
      p99ResponseTimeMs: stats.p99ResponseTimeMs,
      alerts: Object.freeze(alerts),
      timestamp: new Date(this.#parts.clock.now()).toISOString(),
    });
  }

  getHealth(): HealthReport {
    const { window, targets } = this.#parts.judgement;
    const facts = this.#overallFacts(this.#parts.figures.overall(window));
    return this.#parts.judgement.assessHealth({
      ...facts,
      patterns: targets.map((pattern) => this.#snapshots.pattern(pattern, window)),
    });
  }

  /** As {@link getHealth}, a few patterns at a time. */
  collectHealth(): Promise<HealthReport> {
    return this.#collectHealth(new Portions());
  }

  async #collectHealth(portions: Portions): Promise<HealthReport> {
    const { window, targets } = this.#parts.judgement;
    const facts = this.#overallFacts(await this.#collectOverall(window, portions));
    const patterns = await inPortions(this.#snapshots.named(targets, window), portions);
    return this.#parts.judgement.assessHealth({ ...facts, patterns });
  }

  /** All from one reading of all patterns together, which is most of the work. */
  #overallFacts(overall: OverallSum): Omit<HealthFacts, 'patterns'> {
    return {
      stats: this.#snapshots.overall(overall),
      layers: this.#snapshots.layers(overall),
      now: this.#parts.clock.now(),
    };
  }

  #collectOverall(window: Window, portions?: Portions): Promise<OverallSum> {
    return takenInPortions(this.#parts.figures.overallInSteps(window), portions);
  }

  #advised(stats: PatternStats): LowPerformer {
    const { pattern, hitRate, totalRequests, missReasons, avgLoadTimeMs } = stats;
    const ttlMs = this.#parts.ttls.get(pattern) ?? null;
    const recommendation = this.#parts.judgement.recommend({ stats, ttlMs });
    return Object.freeze({ pattern, hitRate, totalRequests, recommendation, missReasons, ttlMs, avgLoadTimeMs });
  }
}
