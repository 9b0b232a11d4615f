import type { Clock } from '../cache/clock.js';
import type { CacheObserver, Series } from '../cache/observer.js';
import type { AccessRecord, MetricsTimer, TimerSubject } from './access-record.js';
import { Catalogue } from './catalogue/catalogue.js';
import type { FamilySource, MetricFamily } from './family.js';
import { encodeImage, encodeImageInPortions, restoreImage } from './images/image.js';
import type { AlertSource, HealthFacts, Judgement } from './judgement.js';
import { Ledger } from './ledger.js';
import type { LedgerReading } from './reading/ledger-reading.js';
import { LedgerSum } from './images/ledger-sum.js';
import { type HeldStatus, statusTogether } from './images/layer-status-sum.js';
import type { OverallSum } from './reading/overall-reading.js';
import { inPortions, Portions, takenInPortions } from './reading/portions.js';
import { MetricsRecorder } from './recorder.js';
import { checkAccess, recordAccess } from './recording/recorded-access.js';
import { SeriesHandle } from './recording/series-handle.js';
import { leastHit, mostAsked } from './reading/ranking.js';
import { Snapshots } from './reading/snapshots.js';
import { resultUnsaid, Stopwatch } from './recording/stopwatch.js';
import { type SubjectMetrics, SubjectView } from './reading/subject-view.js';
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

export type { SubjectMetrics };

export interface CacheMetricsOptions {
  readonly clock: Clock;
  /** Put before every exported metric name. @default '' */
  readonly prefix?: string;
  /** Statistics are read from this. @default what the observer counted */
  readonly figures?: LedgerReading;
}

/** What another process counts. */
export interface OtherProcess {
  readonly ledger: Ledger;
  readonly layers: readonly HeldStatus[];
}

/** The questions that can be asked of one process and of several together. */
export type CacheStatistics = Pick<
  CacheMetrics,
  | 'getStats'
  | 'getPatternStats'
  | 'getAllPatternStats'
  | 'getEndpointStats'
  | 'getLayerStats'
  | 'getOperationStats'
  | 'getTopPatterns'
  | 'getLowPerformers'
  | 'getHitRates'
  | 'getRealtime'
  | 'getHealth'
  | 'collectStats'
  | 'collectPatternStats'
  | 'collectEndpointStats'
  | 'collectLayerStats'
  | 'collectOperationStats'
  | 'collectTopPatterns'
  | 'collectLowPerformers'
  | 'collectHitRates'
  | 'collectRealtime'
  | 'collectHealth'
>;

/**
 * Every figure of the cache, by pattern, endpoint, layer, operation and window. Snapshots are frozen. A window is one of
 * `1m 5m 1h 24h all`, `all` where none is given; any other name throws a CacheError `UNKNOWN_WINDOW`.
 * @publicApi
 */
export class CacheMetrics implements FamilySource {
  /** Put before every exported metric name. */
  readonly prefix: string;
  readonly #observer: CacheObserver;
  readonly #judgement: Judgement;
  readonly #clock: Clock;
  readonly #ledger: Ledger;
  readonly #figures: LedgerReading;
  readonly #snapshots: Snapshots;
  readonly #catalogue: Catalogue;
  readonly #sources = new Set<FamilySource>();
  readonly #alerts = new Set<AlertSource>();
  readonly #ttls = new Map<string, number | null>();
  #status: () => readonly HeldStatus[] = () => [];
  /** Bytes that the next image will take, as far as the one before tells. */
  #imageRoom: number | undefined;

  /** @param observer what the cache tells; with any other than a recorder every figure is zero. */
  constructor(observer: CacheObserver, judgement: Judgement, options: CacheMetricsOptions) {
    this.prefix = options.prefix ?? '';
    this.#observer = observer;
    this.#judgement = judgement;
    this.#clock = options.clock;
    this.#ledger = observer instanceof MetricsRecorder ? observer.ledger : new Ledger(options.clock, 0, 0);
    this.#figures = options.figures ?? this.#ledger;
    this.#snapshots = new Snapshots(this.#figures, () => this.#status());
    this.#catalogue = new Catalogue(this.#ledger, () => this.#status());
  }

  /** Everything together. */
  getStats(window?: Window): CacheStats {
    return this.#snapshots.overall(this.#figures.overall(windowNamed(window)));
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
    return this.#snapshots.layers(this.#figures.overall(windowNamed(window)));
  }

  /** As {@link getLayerStats}, a few patterns at a time. */
  async collectLayerStats(window?: Window): Promise<readonly LayerStats[]> {
    return this.#snapshots.layers(await this.#collectOverall(windowNamed(window)));
  }

  getOperationStats(window?: Window): readonly OperationStats[] {
    return this.#snapshots.operations(this.#figures.overall(windowNamed(window)));
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
    for (const source of this.#alerts) alerts.push(...source());
    return Object.freeze({
      operationsInFlight: stats.operationsInFlight,
      requestsPerSecond: stats.coverageSeconds === 0 ? 0 : stats.totalRequests / stats.coverageSeconds,
      hitRate: stats.hitRate,
      avgResponseTimeMs: stats.avgResponseTimeMs,
      p99ResponseTimeMs: stats.p99ResponseTimeMs,
      alerts: Object.freeze(alerts),
      timestamp: new Date(this.#clock.now()).toISOString(),
    });
  }

  getHealth(): HealthReport {
    const { window, targets } = this.#judgement;
    const facts = this.#overallFacts(this.#figures.overall(window));
    return this.#judgement.assessHealth({
      ...facts,
      patterns: targets.map((pattern) => this.#snapshots.pattern(pattern, window)),
    });
  }

  /** As {@link getHealth}, a few patterns at a time. */
  collectHealth(): Promise<HealthReport> {
    return this.#collectHealth(new Portions());
  }

  async #collectHealth(portions: Portions): Promise<HealthReport> {
    const { window, targets } = this.#judgement;
    const facts = this.#overallFacts(await this.#collectOverall(window, portions));
    const patterns = await inPortions(this.#snapshots.named(targets, window), portions);
    return this.#judgement.assessHealth({ ...facts, patterns });
  }

  /** All from one reading of all patterns together, which is most of the work. */
  #overallFacts(overall: OverallSum): Omit<HealthFacts, 'patterns'> {
    return {
      stats: this.#snapshots.overall(overall),
      layers: this.#snapshots.layers(overall),
      now: this.#clock.now(),
    };
  }

  #collectOverall(window: Window, portions?: Portions): Promise<OverallSum> {
    return takenInPortions(this.#figures.overallInSteps(window), portions);
  }

  /** Sets everything that was counted to zero; states such as an open circuit stay. */
  reset(): void {
    this.#ledger.reset();
  }

  /**
   * Counts what was cached elsewhere.
   * @throws CacheError `INVALID_RECORD` for what no access can be; it names the field.
   */
  record(access: AccessRecord): void {
    recordAccess(this.#observer, access);
  }

  /**
   * Measures until `end(result)`, or to the end of the block:
   * `using timer = metrics.startTimer({ operation: 'set', key })`.
   * @throws CacheError `INVALID_RECORD` as {@link record} does.
   */
  startTimer(subject: TimerSubject): MetricsTimer {
    checkAccess({ ...subject, result: subject.result ?? resultUnsaid(subject.operation), responseTimeMs: 0 });
    return new Stopwatch(this.#clock, subject, (access) => recordAccess(this.#observer, access));
  }

  families(): Iterable<MetricFamily> {
    return this.#familiesBeside(this.#catalogue.families());
  }

  /** As {@link families}, with all patterns together read already, a few of them at a time. */
  async collectFamilies(): Promise<Iterable<MetricFamily>> {
    const overall = await takenInPortions(this.#ledger.overallInSteps('all'));
    return this.#familiesBeside(this.#catalogue.families(overall));
  }

  #familiesBeside(own: readonly MetricFamily[]): readonly MetricFamily[] {
    return [...own, ...[...this.#sources].flatMap((source) => [...source.families()])];
  }

  /** Lets every source bring its figures up to date; ends by their deadlines, whatever fails. */
  async refresh(): Promise<void> {
    await Promise.allSettled([...this.#sources].map((source) => source.refresh?.()));
  }

  /** Adds families of another room (warming, databases) to {@link families}; the returned function takes them out again. */
  addSource(source: FamilySource): () => void {
    this.#sources.add(source);
    return () => this.#sources.delete(source);
  }

  /** Adds warnings to {@link getRealtime}; the returned function takes them out again. */
  addAlerts(source: AlertSource): () => void {
    this.#alerts.add(source);
    return () => this.#alerts.delete(source);
  }

  /** Everything that is counted here, as bytes that {@link together} and {@link restore} read. @throws ImageFault where it is too large. */
  image(): Uint8Array {
    return encodeImage(this.#ledger, this.#status());
  }

  /** As {@link image}, a few patterns at a time: between them the event loop is free. */
  async collectImage(): Promise<Uint8Array> {
    const image = await encodeImageInPortions(this.#ledger, this.#status(), this.#imageRoom);
    this.#imageRoom = Math.ceil(image.length * 1.125);
    return image;
  }

  /**
   * Goes on from what an earlier process had counted when it ended, in place of what was counted since the start.
   * @throws ImageFault for bytes that are no image, or of another version; nothing is changed then.
   */
  restore(image: Uint8Array): void {
    restoreImage(image, new Ledger(this.#clock, Infinity, Infinity), true);
    restoreImage(image, this.#ledger, false);
  }

  /** What another process counts, by its image, for {@link together}. @throws ImageFault */
  other(image: Uint8Array): OtherProcess {
    const ledger = new Ledger(this.#clock, Infinity, Infinity);
    return { ledger, layers: restoreImage(image, ledger, true).layers };
  }

  /** This process, as it goes on, and others as one. Their windows end now too, not when their images were made. */
  together(others: readonly OtherProcess[]): CacheStatistics {
    const figures = new LedgerSum([this.#ledger, ...others.map(({ ledger }) => ledger)]);
    const together = new CacheMetrics(this.#observer, this.#judgement, { clock: this.#clock, figures });
    for (const [pattern, ttlMs] of this.#ttls) together.#ttls.set(pattern, ttlMs);
    for (const source of this.#alerts) together.#alerts.add(source);
    together.watchLayers(() =>
      statusTogether(figures.layers, [
        { layers: this.#ledger.layers, status: this.#status() },
        ...others.map(({ ledger, layers }) => ({ layers: ledger.layers, status: layers })),
      ]),
    );
    return together;
  }

  /** Where entry counts, bytes and connections are read, in the order of `attach`. */
  watchLayers(status: () => readonly HeldStatus[]): void {
    this.#status = status;
  }

  /**
   * A pattern that handlers declare: keys that fit it are counted under it from now on.
   * @param facts the TTL in force, milliseconds, which recommendations name; null where it follows from the value.
   */
  declare(pattern: string, facts: { readonly ttlMs: number | null }): void {
    this.#ttls.set(pattern, facts.ttlMs);
    if (this.#observer instanceof MetricsRecorder) this.#observer.declare(pattern);
  }

  /** The statistics of the handler or method that these series were made for. */
  viewOf(series: readonly Series[]): SubjectMetrics {
    const tracks = series.flatMap((each) =>
      each instanceof SeriesHandle ? (each.bySide ?? each.byPattern ?? []) : [],
    );
    return new SubjectView(this.#ledger, [...new Set(tracks)]);
  }

  #advised(stats: PatternStats): LowPerformer {
    const { pattern, hitRate, totalRequests, missReasons, avgLoadTimeMs } = stats;
    const ttlMs = this.#ttls.get(pattern) ?? null;
    const recommendation = this.#judgement.recommend({ stats, ttlMs });
    return Object.freeze({ pattern, hitRate, totalRequests, recommendation, missReasons, ttlMs, avgLoadTimeMs });
  }
}
