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
import { encodeImage, encodeImageInSlices, restoreImage, restoreImageInSteps } from './ledger/image.js';
import { LedgerSum, statusTogether } from './ledger/ledger-sum.js';
import type { AlertSource, Judgement, PatternDeclaration } from './judgement.js';
import { Ledger } from './ledger/ledger.js';
import type { HeldStatus } from './ledger/ledger-reading.js';
import { runAtOnce, runInSlices } from '../cache/base/slices.js';
import { type SubjectMetrics, SubjectView } from './subject-view.js';
import type { HealthWarning } from './snapshot.js';
import { MetricsRecorder } from './recorder.js';
import { SeriesHandle } from './recording/series-handle.js';

export type { SubjectMetrics };

export interface CacheMetricsOptions {
  readonly clock: Clock;
  /** Put before every exported metric name. @default '' */
  readonly prefix?: string;
}

/** What another process counts. */
export interface OtherProcess {
  readonly ledger: Ledger;
  readonly layers: readonly HeldStatus[];
}

/** The sources of one process: its own ledger, and what other rooms add. */
interface OwnSources extends StatisticsSources {
  readonly figures: Ledger;
  status: () => readonly HeldStatus[];
  readonly alerts: Set<AlertSource>;
  readonly ttls: Map<string, number | null>;
}

/**
 * Every figure of the cache, by pattern, endpoint, layer, operation and window, and what is done with them besides reading:
 * counting what was cached elsewhere, exporting, carrying them over a restart.
 * @publicApi
 */
export class CacheMetrics extends CacheStatistics implements FamilySource {
  /** Put before every exported metric name. */
  readonly prefix: string;
  readonly #observer: CacheObserver;
  readonly #own: OwnSources;
  readonly #catalogue: Catalogue;
  /** Families of other rooms. */
  readonly #others = new Set<FamilySource>();
  /** Those of named caches, by name. */
  readonly #caches = new Map<string, FamilySource>();
  /** By pattern; as many as handlers. */
  readonly #declarations = new Map<string, PatternDeclaration>();
  /** Bytes that the next image will take, estimated from the last one. */
  #imageRoom: number | undefined;

  /** @param observer to which the cache reports; with any other than a recorder every figure is zero. */
  constructor(observer: CacheObserver, judgement: Judgement, { clock, prefix = '' }: CacheMetricsOptions) {
    const figures = observer instanceof MetricsRecorder ? observer.ledger : new Ledger(clock, 0, 0);
    const own: OwnSources = { clock, figures, judgement, status: () => [], alerts: new Set(), ttls: new Map() };
    super(own);
    this.prefix = prefix;
    this.#observer = observer;
    this.#own = own;
    this.#catalogue = new Catalogue(figures, () => own.status());
  }

  /** Sets everything that was counted to zero; states such as an open circuit stay. */
  reset(): void {
    this.#own.figures.reset();
  }

  /**
   * Counts what was cached elsewhere.
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

  /** As {@link families}, with all patterns together read already, a few of them at a time. */
  async collectFamilies(): Promise<Iterable<MetricFamily>> {
    const overall = await runInSlices(this.#own.figures.overallInSteps('all'));
    return this.#familiesBeside(this.#catalogue.families(overall));
  }

  #familiesBeside(own: readonly MetricFamily[]): readonly MetricFamily[] {
    const all = [...own, ...[...this.#others].flatMap((source) => [...source.families()])];
    return this.#caches.size === 0 ? all : familiesOfCaches(all, this.#caches);
  }

  /** Adds the families of a named cache to {@link families}, with the label `cache`; the returned function takes them out again. */
  addCache(name: string, source: FamilySource): () => void {
    this.#caches.set(name, source);
    return () => this.#caches.delete(name);
  }

  /** Lets every source bring its figures up to date; ends by their deadlines, whatever fails. */
  async refresh(): Promise<void> {
    await Promise.allSettled([...this.#others, ...this.#caches.values()].map((source) => source.refresh?.()));
  }

  /** Adds families of another room (warming, databases) to {@link families}; the returned function takes them out again. */
  addSource(source: FamilySource): () => void {
    this.#others.add(source);
    return () => this.#others.delete(source);
  }

  /** Adds warnings to {@link getRealtime}; the returned function takes them out again. */
  addAlerts(source: AlertSource): () => void {
    this.#own.alerts.add(source);
    return () => this.#own.alerts.delete(source);
  }

  /** The warnings of other sources, without those of the health. */
  warnings(): readonly HealthWarning[] {
    return [...this.#own.alerts].flatMap((source) => [...source()]);
  }

  /** Calls back whenever the circuit of a layer opens or closes, in place of the caller before. */
  watchCircuits(changed: () => void): void {
    if (this.#observer instanceof MetricsRecorder) this.#observer.circuitChanged = changed;
  }

  /** Everything that is counted here, as bytes that {@link together} and {@link restore} read. @throws ImageFault where it is too large. */
  image(): Uint8Array {
    return encodeImage(this.#own.figures, this.#own.status());
  }

  /** As {@link image}, a few patterns at a time: between them the event loop is free. */
  async collectImage(): Promise<Uint8Array> {
    const image = await encodeImageInSlices(this.#own.figures, this.#own.status(), this.#imageRoom);
    this.#imageRoom = Math.ceil(image.length * 1.125);
    return image;
  }

  /**
   * Goes on from what an earlier process had counted when it ended, in place of what was counted since the start.
   * @throws ImageFault for bytes that are not an image, or of another version; nothing is changed then.
   */
  restore(image: Uint8Array): void {
    restoreImage(image, new Ledger(this.#own.clock, Infinity, Infinity), true);
    restoreImage(image, this.#own.figures, false);
  }

  /** What another process counts, by its image, for {@link together}. @throws ImageFault */
  other(image: Uint8Array): OtherProcess {
    return runAtOnce(this.#otherInSteps(image));
  }

  /** As {@link other}, a few patterns at a time: between them the event loop is free. */
  collectOther(image: Uint8Array): Promise<OtherProcess> {
    return runInSlices(this.#otherInSteps(image));
  }

  *#otherInSteps(image: Uint8Array): Generator<void, OtherProcess> {
    const ledger = new Ledger(this.#own.clock, Infinity, Infinity);
    const { layers } = yield* restoreImageInSteps(image, ledger, true);
    return { ledger, layers };
  }

  /** This process, as it goes on, and others as one. All windows end now, not when the images were made. */
  together(others: readonly OtherProcess[]): CacheStatistics {
    const own = this.#own;
    const figures = new LedgerSum([own.figures, ...others.map(({ ledger }) => ledger)]);
    const status = () =>
      statusTogether(figures.layers, [
        { layers: own.figures.layers, status: own.status() },
        ...others.map(({ ledger, layers }) => ({ layers: ledger.layers, status: layers })),
      ]);
    return new CacheStatistics({ ...own, figures, status });
  }

  /** Where entry counts, bytes and connections are read, in the order of `attach`. */
  watchLayers(status: () => readonly HeldStatus[]): void {
    this.#own.status = status;
  }

  /** A pattern that handlers declare: keys that fit it are counted under it from now on. What is left out stays as it was declared. */
  declare(pattern: string, declaration: PatternDeclaration): void {
    this.#own.ttls.set(pattern, declaration.ttlMs);
    this.#declarations.set(pattern, { ...this.#declarations.get(pattern), ...declaration });
    if (this.#observer instanceof MetricsRecorder) this.#observer.declare(pattern);
  }

  /** The pattern that a key is counted under; undefined where nothing is counted. Counts nothing itself. */
  patternOf(key: string): string | undefined {
    return this.#observer instanceof MetricsRecorder ? this.#observer.patternOf(key) : undefined;
  }

  /** How handlers declare a pattern; undefined where none does. */
  declarationOf(pattern: string): PatternDeclaration | undefined {
    return this.#declarations.get(pattern);
  }

  /** The statistics of the handler or method that these series were made for. */
  viewOf(series: readonly Series[]): SubjectMetrics {
    const tracks = series.flatMap((each) =>
      each instanceof SeriesHandle ? (each.bySide ?? each.byPattern ?? []) : [],
    );
    return new SubjectView(this.#own.figures, [...new Set(tracks)]);
  }
}
