import { randomUUID } from 'node:crypto';
import type { CacheLog } from '../cache/base/cache-log.js';
import { TIMED_OUT, within } from '../cache/base/bounded-wait.js';
import type { Clock } from '../cache/base/clock.js';
import type { SharedMap } from '../cache/layers/layer.js';
import type { ShutdownBudget } from '../cache/base/shutdown-budget.js';
import { redactedMessage } from '../cache/base/redacted-error.js';
import { isReported } from '../cache/base/reported-errors.js';
import type { OtherProcess } from '../metrics/cache-metrics.js';
import type { CacheStatistics } from '../metrics/cache-statistics.js';
import { fleetOff, fleetUnavailable, whatFleetsNeed } from './fleet-errors.js';

/** The part of the metrics of this instance that a fleet needs; `CacheMetrics` implements it. */
export interface FleetMember extends CacheStatistics {
  collectDump(): Promise<Uint8Array>;
  /** @throws if the dump cannot be read. */
  collectOther(dump: Uint8Array): Promise<OtherProcess>;
  together(others: readonly OtherProcess[]): CacheStatistics;
}

export interface FleetOptions {
  readonly metrics: FleetMember;
  /** The shared map in which instances publish their figures; undefined if no layer has one. */
  readonly sharedMap: SharedMap | undefined;
  /** The interval in which this instance publishes its figures, milliseconds; undefined if `fleet` is off. */
  readonly everyMs: number | undefined;
  readonly clock: Clock;
  readonly log: CacheLog;
  readonly shutdown: ShutdownBudget;
}

/** The statistics of all live instances together. */
export interface FleetStatistics {
  readonly statistics: CacheStatistics;
  /** The number of instances that are included, this one too. */
  readonly instances: number;
}

/** The other instances by name: the published dump, and its content; undefined if it cannot be read. */
type Others = Map<string, { readonly dump: Uint8Array; readonly process: OtherProcess | undefined }>;

/** The maximum bytes per second that an instance sends on average: a large dump is published less often. */
const BYTES_A_SECOND = 100_000;
/** An instance counts as ended after this number of intervals without figures. */
const SILENT_INTERVALS = 3;
const READ_WITHIN_MS = 1_500;
/** How long the dumps that were read are reused, milliseconds. */
const FRESH_MS = 1_000;
const WITHDRAW_WITHIN_MS = 1_000;

/**
 * Publishes the figures of this instance, and merges those of all instances. Each instance writes under its own name, so that nothing is
 * counted twice; entries that are not renewed expire. The timers do not keep the process running, and no request waits.
 */
export class Fleet {
  readonly #instance = randomUUID();
  readonly #refused = new Set<string>();
  /** The other instances as last read. It is reused, because most have published nothing new. */
  #others: Others = new Map();
  #cancel: (() => void) | undefined;
  #publishing: Promise<void> | undefined;
  #failing = false;
  #latest: { readonly at: number; readonly answer: Promise<FleetStatistics> } | undefined;
  #stopped = false;

  constructor(private readonly options: FleetOptions) {}

  /** Starts to publish. */
  onApplicationBootstrap(): void {
    const { sharedMap, everyMs, log } = this.options;
    if (everyMs === undefined) return;
    if (sharedMap === undefined) log('warn', 'FLEET_OFF', whatFleetsNeed('Statistics, insights and alerts'));
    else this.#publish(sharedMap, everyMs);
  }

  /** Removes this instance at once; otherwise its figures would count until they expire. */
  async onApplicationShutdown(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    const { sharedMap, everyMs, shutdown } = this.options;
    if (sharedMap === undefined || everyMs === undefined) return;
    const withdrawn = () => Promise.resolve(this.#publishing).then(() => sharedMap.withdraw(this.#instance));
    await shutdown.spend(withdrawn, WITHDRAW_WITHIN_MS).catch(() => undefined);
  }

  /**
   * Merges the statistics of every live instance; those of this instance are current.
   * @throws CacheError `FLEET_OFF` if it is off or no layer supports it, `FLEET_UNAVAILABLE` if the shared layer does not
   *   answer.
   */
  statistics(): Promise<FleetStatistics> {
    const { sharedMap, everyMs, clock } = this.options;
    if (everyMs === undefined || sharedMap === undefined) return Promise.reject(fleetOff('Statistics'));
    const now = clock.now();
    if (this.#latest !== undefined && now - this.#latest.at < FRESH_MS) return this.#latest.answer;
    const answer = this.#read(sharedMap);
    this.#latest = { at: now, answer };
    // A failure is not reused: the next call reads again.
    answer.catch(() => (this.#latest = undefined));
    return answer;
  }

  async #read(sharedMap: SharedMap): Promise<FleetStatistics> {
    const { metrics, clock } = this.options;
    const notes = await within(sharedMap.readAll(), READ_WITHIN_MS, clock).catch((cause: unknown) => {
      throw fleetUnavailable(cause);
    });
    if (notes === TIMED_OUT) throw fleetUnavailable(undefined);
    const others: Others = new Map();
    for (const [instance, dump] of notes) {
      if (instance === this.#instance) continue;
      const known = this.#others.get(instance);
      if (known !== undefined && Buffer.compare(known.dump, dump) === 0) others.set(instance, known);
      else others.set(instance, { dump, process: await this.#opened(dump) });
    }
    this.#others = others;
    const processes = [...others.values()].flatMap(({ process }) => process ?? []);
    return { statistics: metrics.together(processes), instances: 1 + processes.length };
  }

  /** Returns undefined for a dump that cannot be read; the first one is logged. */
  async #opened(dump: Uint8Array): Promise<OtherProcess | undefined> {
    const { metrics, log } = this.options;
    try {
      return await metrics.collectOther(dump);
    } catch (cause) {
      const why = redactedMessage(cause);
      if (this.#refused.has(why)) return undefined;
      this.#refused.add(why);
      log('warn', 'FLEET_IMAGE_REFUSED', `The figures of another instance cannot be read and are left out. ${why}`);
      return undefined;
    }
  }

  #publish(sharedMap: SharedMap, everyMs: number): void {
    this.#publishing = this.#publishFigures(sharedMap, everyMs).then((nextMs) => {
      this.#publishing = undefined;
      if (!this.#stopped) this.#cancel = this.options.clock.after(nextMs, () => this.#publish(sharedMap, everyMs));
    });
  }

  /** @returns the pause before the next publication, milliseconds. */
  async #publishFigures(sharedMap: SharedMap, everyMs: number): Promise<number> {
    let nextMs = everyMs;
    try {
      const dump = await this.options.metrics.collectDump();
      nextMs = Math.max(everyMs, (dump.length / BYTES_A_SECOND) * 1000);
      await sharedMap.publish(this.#instance, dump, nextMs * SILENT_INTERVALS);
      if (this.#failing)
        this.options.log('log', 'FLEET_RESTORED', 'The figures of this instance reach the others again.');
      this.#failing = false;
    } catch (cause) {
      if (isReported(cause)) return nextMs;
      if (!this.#failing && !this.#stopped) {
        const why = redactedMessage(cause);
        this.options.log('warn', 'FLEET_NOT_PUBLISHED', `The figures of this instance do not reach the others. ${why}`);
      }
      this.#failing = true;
    }
    return nextMs;
  }
}
