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
  /** Prepended to every exported metric name. @default '' */
  readonly prefix?: string;
}

/** The figures of another process. */
export interface OtherProcess {
  readonly state: MetricsState;
  readonly layers: readonly HeldStatus[];
}

/** The sources of one process: its own `MetricsState`, and sources of other folders. */
interface OwnSources extends StatisticsSources {
  readonly figures: MetricsState;
  status: () => readonly HeldStatus[];
  readonly alerts: Set<AlertSource>;
  readonly ttls: Map<string, number | null>;
}

/**
 * Every figure of the cache, by pattern, endpoint, layer, operation and window. Besides reading figures, it
 * counts accesses to values cached elsewhere, exports, and carries figures over a restart.
 * @publicApi
 */
export class CacheMetrics extends CacheStatistics implements FamilySource {
  /** Prepended to every exported metric name. */
  readonly prefix: string;
  readonly #observer: CacheObserver;
  readonly #own: OwnSources;
  readonly #catalogue: Catalogue;
  /** Families of other rooms. */
  readonly #others = new Set<FamilySource>();
  /** Families of named caches, by name. */
  readonly #caches = new Map<string, FamilySource>();
  /** By pattern; bounded by the number of handlers. */
  readonly #declarations = new Map<string, PatternDeclaration>();
  /** Bytes that the next dump will take, estimated from the last one. */
  #expectedDumpBytes: number | undefined;

  /** @param observer the recorder to which the cache reports; with any other observer every figure is zero. */
  constructor(observer: CacheObserver, judgement: Judgement, { clock, prefix = '' }: CacheMetricsOptions) {
    const figures = observer instanceof MetricsRecorder ? observer.state : new MetricsState(clock, 0, 0);
    const own: OwnSources = { clock, figures, judgement, status: () => [], alerts: new Set(), ttls: new Map() };
    super(own);
    this.prefix = prefix;
    this.#observer = observer;
    this.#own = own;
    this.#catalogue = new Catalogue(figures, () => own.status());
  }

  /** Sets all counts to zero; states such as an open circuit stay. */
  reset(): void {
    this.#own.figures.reset();
  }

  /**
   * Counts an access to a value that is cached elsewhere.
   * @throws CacheError `INVALID_RECORD` for a record that is invalid; it names the field.
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
    checkAccess({ ...subject, result: subject.result ?? defaultResult(subject.operation), responseTimeMs: 0 });
    return new Stopwatch(this.#own.clock, subject, (access) => recordAccess(this.#observer, access));
  }

  families(): Iterable<MetricFamily> {
    return this.#familiesBeside(this.#catalogue.families());
  }

  /** As {@link families}, with the totals over all patterns read in advance, in slices. */
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

  /** Lets every source update its figures; ends by their deadlines, whatever fails. */
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

  /** The warnings of other sources, without the warnings of the health report. */
  warnings(): readonly HealthWarning[] {
    return [...this.#own.alerts].flatMap((source) => [...source()]);
  }

  /** Calls back whenever the circuit of a layer opens or closes. Replaces the previous callback. */
  watchCircuits(changed: () => void): void {
    if (this.#observer instanceof MetricsRecorder) this.#observer.circuitChanged = changed;
  }

  /** Encodes all counts as bytes for {@link together} and {@link restore}. @throws DumpFault if the dump is too large. */
  dump(): Uint8Array {
    return encodeDump(this.#own.figures, this.#own.status());
  }

  /** As {@link dump}, in slices, so that the event loop stays free. */
  async collectDump(): Promise<Uint8Array> {
    const dump = await encodeDumpInSlices(this.#own.figures, this.#own.status(), this.#expectedDumpBytes);
    this.#expectedDumpBytes = Math.ceil(dump.length * 1.125);
    return dump;
  }

  /**
   * Continues the counts of an earlier process, in place of the counts since the start.
   * @throws DumpFault for bytes that are not a dump, or of another version; nothing is changed then.
   */
  restore(dump: Uint8Array): void {
    restoreDump(dump, new MetricsState(this.#own.clock, Infinity, Infinity), true);
    restoreDump(dump, this.#own.figures, false);
  }

  /** Decodes the dump of another process, for {@link together}. @throws DumpFault */
  other(dump: Uint8Array): OtherProcess {
    return runAtOnce(this.#otherInSteps(dump));
  }

  /** As {@link other}, in slices, so that the event loop stays free. */
  collectOther(dump: Uint8Array): Promise<OtherProcess> {
    return runInSlices(this.#otherInSteps(dump));
  }

  *#otherInSteps(dump: Uint8Array): Generator<void, OtherProcess> {
    const state = new MetricsState(this.#own.clock, Infinity, Infinity);
    const { layers } = yield* restoreDumpInSteps(dump, state, true);
    return { state, layers };
  }

  /** The live statistics of this process together with those of others. All windows end now, not when the dumps were made. */
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

  /** Sets the function that returns entry counts, bytes and connections, in the order of `attach`. */
  watchLayers(status: () => readonly HeldStatus[]): void {
    this.#own.status = status;
  }

  /** Declares a pattern of handlers: matching keys are counted under it from now on. Fields that are left out stay as declared before. */
  declare(pattern: string, declaration: PatternDeclaration): void {
    this.#own.ttls.set(pattern, declaration.ttlMs);
    this.#declarations.set(pattern, { ...this.#declarations.get(pattern), ...declaration });
    if (this.#observer instanceof MetricsRecorder) this.#observer.declare(pattern);
  }

  /** The pattern that a key is counted under; undefined if nothing is counted. Counts nothing itself. */
  patternOf(key: string): string | undefined {
    return this.#observer instanceof MetricsRecorder ? this.#observer.patternOf(key) : undefined;
  }

  /** The declaration of a pattern; undefined if no handler declares it. */
  declarationOf(pattern: string): PatternDeclaration | undefined {
    return this.#declarations.get(pattern);
  }

  /** The statistics of the handler or method that these series belong to. */
  viewOf(series: readonly Series[]): SubjectMetrics {
    const tracks = series.flatMap((each) =>
      each instanceof SeriesHandle ? (each.bySide ?? each.byPattern ?? []) : [],
    );
    return new SubjectView(this.#own.figures, [...new Set(tracks)]);
  }
}
