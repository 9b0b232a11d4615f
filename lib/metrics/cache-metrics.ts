import type { Clock } from '../cache/clock.js';
import type { CacheObserver, Series } from '../cache/observer.js';
import type { AccessRecord, MetricsTimer, TimerSubject } from './access-record.js';
import { CacheStatistics } from './cache-statistics.js';
import { Catalogue } from './catalogue/catalogue.js';
import type { FamilySource, MetricFamily } from './family.js';
import { encodeImage, encodeImageInPortions, restoreImage } from './images/image.js';
import { type HeldStatus, statusTogether } from './images/layer-status-sum.js';
import { LedgerSum } from './images/ledger-sum.js';
import type { AlertSource, Judgement } from './judgement.js';
import { Ledger } from './ledger.js';
import { takenInPortions } from './reading/portions.js';
import { type SubjectMetrics, SubjectView } from './reading/subject-view.js';
import { MetricsRecorder } from './recorder.js';
import { checkAccess, recordAccess } from './recording/recorded-access.js';
import { SeriesHandle } from './recording/series-handle.js';
import { resultUnsaid, Stopwatch } from './recording/stopwatch.js';

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

/**
 * Every figure of the cache, by pattern, endpoint, layer, operation and window, and what is done with them beside asking:
 * counting what was cached elsewhere, exporting, carrying them over a restart.
 * @publicApi
 */
export class CacheMetrics extends CacheStatistics implements FamilySource {
  /** Put before every exported metric name. */
  readonly prefix: string;
  readonly #observer: CacheObserver;
  readonly #judgement: Judgement;
  readonly #clock: Clock;
  readonly #ledger: Ledger;
  readonly #catalogue: Catalogue;
  readonly #sources = new Set<FamilySource>();
  readonly #alerts: Set<AlertSource>;
  readonly #ttls: Map<string, number | null>;
  readonly #held: { status: () => readonly HeldStatus[] };
  /** Bytes that the next image will take, as far as the one before tells. */
  #imageRoom: number | undefined;

  /** @param observer what the cache tells; with any other than a recorder every figure is zero. */
  constructor(observer: CacheObserver, judgement: Judgement, { clock, prefix = '' }: CacheMetricsOptions) {
    const ledger = observer instanceof MetricsRecorder ? observer.ledger : new Ledger(clock, 0, 0);
    const alerts = new Set<AlertSource>();
    const ttls = new Map<string, number | null>();
    const held = { status: (): readonly HeldStatus[] => [] };
    super({ clock, figures: ledger, judgement, status: () => held.status(), alerts, ttls });
    this.prefix = prefix;
    this.#observer = observer;
    this.#judgement = judgement;
    this.#clock = clock;
    this.#ledger = ledger;
    this.#catalogue = new Catalogue(ledger, () => held.status());
    this.#alerts = alerts;
    this.#ttls = ttls;
    this.#held = held;
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
    return encodeImage(this.#ledger, this.#held.status());
  }

  /** As {@link image}, a few patterns at a time: between them the event loop is free. */
  async collectImage(): Promise<Uint8Array> {
    const image = await encodeImageInPortions(this.#ledger, this.#held.status(), this.#imageRoom);
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
    const status = () =>
      statusTogether(figures.layers, [
        { layers: this.#ledger.layers, status: this.#held.status() },
        ...others.map(({ ledger, layers }) => ({ layers: ledger.layers, status: layers })),
      ]);
    const [judgement, clock] = [this.#judgement, this.#clock];
    return new CacheStatistics({ clock, figures, judgement, status, alerts: this.#alerts, ttls: this.#ttls });
  }

  /** Where entry counts, bytes and connections are read, in the order of `attach`. */
  watchLayers(status: () => readonly HeldStatus[]): void {
    this.#held.status = status;
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
}
