import type { Clock } from '../cache/base/clock.js';
import type { CacheObserver, Series } from '../cache/base/observer.js';
import {
  type AccessRecord,
  checkAccess,
  defaultResult,
  type MetricsTimer,
  recordAccess,
  Stopwatch,
  type TimerSubject,
} from './access-record.js';
import { CacheStatistics, type StatisticsSources } from './cache-statistics.js';
import { Catalogue } from './catalogue.js';
import { familiesOfCaches } from './families-of-caches.js';
import type { FamilySource, MetricFamily } from './family.js';
import { encodeDump, encodeDumpInSlices, restoreDump, restoreDumpInSteps } from './state/metrics-dump.js';
import { MetricsStateSum, statusTogether } from './state/metrics-state-sum.js';
import type { AlertSource, Judgement, PatternDeclaration } from './judgement.js';
import { MetricsState } from './state/metrics-state.js';
import type { HeldStatus } from './state/metrics-reading.js';
import { runAtOnce, runInSlices } from '../cache/base/slices.js';
import { type SubjectMetrics, SubjectView } from './subject-view.js';
import type { HealthWarning } from './snapshot.js';
import { MetricsRecorder } from './recorder.js';
import { SeriesHandle } from './recording/series-handle.js';

export type { SubjectMetrics };

export interface CacheMetricsOptions {
  readonly clock: Clock;
  /** The prefix of every exported metric name. @default '' */
  readonly prefix?: string;
}

/** The figures of another process. */
export interface OtherProcess {
  readonly state: MetricsState;
  readonly layers: readonly HeldStatus[];
}

/** The sources of one process: its own `MetricsState`, and sources from other folders. */
interface OwnSources extends StatisticsSources {
  readonly figures: MetricsState;
  status: () => readonly HeldStatus[];
  readonly alerts: Set<AlertSource>;
  readonly ttls: Map<string, number | null>;
}

/**
 * All figures of the cache, by pattern, endpoint, layer, operation and window. It also counts accesses to values that are cached elsewhere,
 * exports figures, and keeps them over a restart.
 * @publicApi
 */
export class CacheMetrics extends CacheStatistics implements FamilySource {
  /** The prefix of every exported metric name. */
  readonly prefix: string;
  readonly #observer: CacheObserver;
  readonly #own: OwnSources;
  readonly #catalogue: Catalogue;
  /** Sources of families from other rooms. */
  readonly #others = new Set<FamilySource>();
  /** Sources of families of named caches, by name. */
  readonly #caches = new Map<string, FamilySource>();
  /** Declarations by pattern. There are at most as many as handlers. */
  readonly #declarations = new Map<string, PatternDeclaration>();
  /** The expected bytes of the next dump, estimated from the last one. */
  #expectedDumpBytes: number | undefined;

  /** @param observer the recorder to which the cache reports. With another observer every figure is zero. */
  constructor(observer: CacheObserver, judgement: Judgement, { clock, prefix = '' }: CacheMetricsOptions) {
    const figures = observer instanceof MetricsRecorder ? observer.state : new MetricsState(clock, 0, 0);
    const own: OwnSources = { clock, figures, judgement, status: () => [], alerts: new Set(), ttls: new Map() };
    super(own);
    this.prefix = prefix;
    this.#observer = observer;
    this.#own = own;
    this.#catalogue = new Catalogue(figures, () => own.status());
  }

  /** Sets all counts to zero. States, such as an open circuit, stay. */
  reset(): void {
    this.#own.figures.reset();
  }

  /**
   * Counts an access to a value that is cached elsewhere.
   * @throws CacheError `INVALID_RECORD` for an invalid record; the message names the field.
   */
  record(access: AccessRecord): void {
    recordAccess(this.#observer, access);
  }

  /**
   * Measures an access until `end(result)`, or until the end of the block: `using timer = metrics.startTimer({ operation: 'set', key })`.
   * @throws CacheError `INVALID_RECORD` as {@link record} does.
   */
  startTimer(subject: TimerSubject): MetricsTimer {
    checkAccess({ ...subject, result: subject.result ?? defaultResult(subject.operation), responseTimeMs: 0 });
    return new Stopwatch(this.#own.clock, subject, (access) => recordAccess(this.#observer, access));
  }

  families(): Iterable<MetricFamily> {
    return this.#familiesBeside(this.#catalogue.families());
  }

  /** Returns the same as {@link families}, after it has read the totals over all patterns in slices. */
  async collectFamilies(): Promise<Iterable<MetricFamily>> {
    const overall = await runInSlices(this.#own.figures.overallInSteps('all'));
    return this.#familiesBeside(this.#catalogue.families(overall));
  }

  #familiesBeside(own: readonly MetricFamily[]): readonly MetricFamily[] {
    const all = [...own, ...[...this.#others].flatMap((source) => [...source.families()])];
    return this.#caches.size === 0 ? all : familiesOfCaches(all, this.#caches);
  }

  /** Adds the families of a named cache to {@link families}, with the label `cache`. @returns a function that removes them. */
  addCache(name: string, source: FamilySource): () => void {
    this.#caches.set(name, source);
    return () => this.#caches.delete(name);
  }

  /** Lets every source update its figures. It resolves within their time limits, even if sources fail. */
  async refresh(): Promise<void> {
    await Promise.allSettled([...this.#others, ...this.#caches.values()].map((source) => source.refresh?.()));
  }

  /** Adds families of another room (warming, databases) to {@link families}. @returns a function that removes them. */
  addSource(source: FamilySource): () => void {
    this.#others.add(source);
    return () => this.#others.delete(source);
  }

  /** Adds warnings to {@link getRealtime}. @returns a function that removes them. */
  addAlerts(source: AlertSource): () => void {
    this.#own.alerts.add(source);
    return () => this.#own.alerts.delete(source);
  }

  /** Returns the warnings of other sources, without those of the health report. */
  warnings(): readonly HealthWarning[] {
    return [...this.#own.alerts].flatMap((source) => [...source()]);
  }

  /** Calls back when the circuit of a layer opens or closes. Replaces the previous callback. */
  watchCircuits(changed: () => void): void {
    if (this.#observer instanceof MetricsRecorder) this.#observer.circuitChanged = changed;
  }

  /** Encodes all counts as bytes for {@link together} and {@link restore}. @throws DumpFault if the dump is too large. */
  dump(): Uint8Array {
    return encodeDump(this.#own.figures, this.#own.status());
  }

  /** Encodes all counts as {@link dump} does, in slices, so that the event loop stays free. */
  async collectDump(): Promise<Uint8Array> {
    const dump = await encodeDumpInSlices(this.#own.figures, this.#own.status(), this.#expectedDumpBytes);
    this.#expectedDumpBytes = Math.ceil(dump.length * 1.125);
    return dump;
  }

  /**
   * Continues the counts of an earlier process. They replace the counts since the start.
   * @throws DumpFault for bytes that are not a dump or are of another version; then nothing is changed.
   */
  restore(dump: Uint8Array): void {
    restoreDump(dump, new MetricsState(this.#own.clock, Infinity, Infinity), true);
    restoreDump(dump, this.#own.figures, false);
  }

  /** Decodes a dump of another process for {@link together}. @throws DumpFault */
  other(dump: Uint8Array): OtherProcess {
    return runAtOnce(this.#otherInSteps(dump));
  }

  /** Decodes a dump as {@link other} does, in slices, so that the event loop stays free. */
  collectOther(dump: Uint8Array): Promise<OtherProcess> {
    return runInSlices(this.#otherInSteps(dump));
  }

  *#otherInSteps(dump: Uint8Array): Generator<void, OtherProcess> {
    const state = new MetricsState(this.#own.clock, Infinity, Infinity);
    const { layers } = yield* restoreDumpInSteps(dump, state, true);
    return { state, layers };
  }

  /** Returns the statistics of this process and of others as one. All windows end now, not when the dumps were made. */
  together(others: readonly OtherProcess[]): CacheStatistics {
    const own = this.#own;
    const figures = new MetricsStateSum([own.figures, ...others.map(({ state }) => state)]);
    const status = () =>
      statusTogether(figures.layers, [
        { layers: own.figures.layers, status: own.status() },
        ...others.map(({ state, layers }) => ({ layers: state.layers, status: layers })),
      ]);
    return new CacheStatistics({ ...own, figures, status });
  }

  /** Sets the function that returns the status of the layers, in the order of `attach`. */
  watchLayers(status: () => readonly HeldStatus[]): void {
    this.#own.status = status;
  }

  /** Declares a pattern of handlers. From now on, matching keys are counted under it. Fields that are left out stay as declared before. */
  declare(pattern: string, declaration: PatternDeclaration): void {
    this.#own.ttls.set(pattern, declaration.ttlMs);
    this.#declarations.set(pattern, { ...this.#declarations.get(pattern), ...declaration });
    if (this.#observer instanceof MetricsRecorder) this.#observer.declare(pattern);
  }

  /** Returns the pattern under which a key is counted; undefined if nothing is counted. Counts nothing. */
  patternOf(key: string): string | undefined {
    return this.#observer instanceof MetricsRecorder ? this.#observer.patternOf(key) : undefined;
  }

  /** Returns the declaration of a pattern; undefined if no handler declares it. */
  declarationOf(pattern: string): PatternDeclaration | undefined {
    return this.#declarations.get(pattern);
  }

  /** Returns the statistics of the handler or method that owns these series. */
  viewOf(series: readonly Series[]): SubjectMetrics {
    const tracks = series.flatMap((each) =>
      each instanceof SeriesHandle ? (each.bySide ?? each.byPattern ?? []) : [],
    );
    return new SubjectView(this.#own.figures, [...new Set(tracks)]);
  }
}
