import { within } from '../cache/base/bounded-wait.js';
import type { CacheLog } from '../cache/base/cache-log.js';
import type { Clock } from '../cache/base/clock.js';
import { CacheError } from '../cache/base/errors.js';
import type { ShutdownBudget } from '../cache/base/shutdown-budget.js';
import { redactedMessage } from '../cache/base/redacted-error.js';
import { isReported } from '../cache/base/reported-errors.js';
import type { MetricsStore } from './metrics-store.js';

/** The metrics that are kept; `CacheMetrics` implements it. */
export interface KeptMetrics {
  /** Returns undefined if nothing has changed since the last dump. */
  collectDump(): Promise<Uint8Array | undefined>;
  /** @throws if the dump cannot be used; then nothing is changed. */
  restore(dump: Uint8Array): void;
}

export interface PersistenceOptions {
  /** The subject of log messages. @default 'Metrics' */
  readonly what?: string;
  readonly metrics: KeptMetrics;
  /** True if another part in the same store already logs that the store cannot be reached. @default false */
  readonly beside?: boolean;
  /** Undefined turns persistence off. */
  readonly store: MetricsStore | undefined;
  /** Connects the layers. If a required one cannot be reached, its error stops the start, and nothing else is logged about it. */
  readonly connect?: () => Promise<void>;
  readonly clock: Clock;
  readonly log: CacheLog;
  readonly shutdown: ShutdownBudget;
}

const METRICS = 'Metrics';
/** Interval between writes, milliseconds: a crash loses at most the metrics of this time. */
const WRITE_EVERY_MS = 30_000;
/** The time limit for reading at the start, milliseconds. */
const READ_WITHIN_MS = 3_000;
const LAST_WRITE_WITHIN_MS = 1_500;
/** The number of another process's writes after which it is logged. One write may be the last one of a process that this one replaces. */
const FOREIGN_WRITES = 2;

/**
 * Keeps metrics, or what was learned from accesses, over a restart. Reads them before the application starts; writes them every 30
 * seconds and at shutdown. A dump that cannot be read, or has another version, is logged and ignored. A write that fails is retried and
 * logged once, but not if it fails because of a lost connection that is logged already. Another process that writes to the same place is
 * logged once, because each would restore the metrics of the other.
 */
export class Persistence {
  #cancel: (() => void) | undefined;
  #writing: Promise<void> | undefined;
  /** The dump whose write failed last. */
  #unwritten: Uint8Array | undefined;
  #failureLogged = false;
  #restored = false;
  #foreignWrites = 0;
  #stopped = false;

  constructor(private readonly options: PersistenceOptions) {}

  /** True if the figures continue those of an earlier run. */
  get restored(): boolean {
    return this.#restored;
  }

  /** Restores the stored metrics. */
  async onModuleInit(): Promise<void> {
    const { store, metrics, clock, log, connect, what = METRICS, beside = false } = this.options;
    if (store === undefined) return;
    if (connect !== undefined) await connect();
    let wasRead = false;
    try {
      const dump = await within(store.read(), READ_WITHIN_MS, clock);
      if (typeof dump === 'symbol') throw new CacheError('LAYER_TIMEOUT', 'The store did not answer in time.');
      wasRead = true;
      if (dump !== undefined) {
        metrics.restore(dump);
        this.#restored = true;
      }
    } catch (cause) {
      if (wasRead || !beside) {
        const message = `${what} begin anew; those in ${store.description} are ignored. ${reasonOf(cause)}`;
        log('warn', 'METRICS_NOT_RESTORED', message);
      }
    }
    this.#plan(store);
  }

  /** Writes a last time. */
  async onApplicationShutdown(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#cancel?.();
    const { store, shutdown } = this.options;
    if (store === undefined) return;
    await shutdown.spend(() => Promise.resolve(this.#writing).then(() => this.#write(store)), LAST_WRITE_WITHIN_MS);
  }

  #plan(store: MetricsStore): void {
    if (this.#stopped) return;
    this.#cancel = this.options.clock.after(WRITE_EVERY_MS, () => {
      this.#writing = this.#write(store).finally(() => {
        this.#writing = undefined;
        this.#plan(store);
      });
    });
  }

  /** Never rejects. */
  async #write(store: MetricsStore): Promise<void> {
    const { metrics, log, what = METRICS, beside = false } = this.options;
    try {
      this.#unwritten = (await metrics.collectDump()) ?? this.#unwritten;
      if (this.#unwritten !== undefined) {
        // Only one part of a store must detect other writers.
        if (what === METRICS) await this.#watch(store);
        await store.write(this.#unwritten);
      }
      this.#unwritten = undefined;
      if (this.#failureLogged) log('log', 'METRICS_STORED', `${what} are kept in ${store.description} again.`);
      this.#failureLogged = false;
    } catch (cause) {
      // After a lost connection, which is logged already, a later write succeeds. The last write has no later one, so it is logged.
      if (this.#failureLogged || beside || (isReported(cause) && !this.#stopped)) return;
      this.#failureLogged = true;
      const outcome = this.#stopped ? 'those since the last write are lost' : 'writing is tried again';
      const message = `${what} cannot be kept in ${store.description}: ${outcome}. ${reasonOf(cause)}`;
      log('warn', 'METRICS_NOT_STORED', message);
    }
  }

  /** Looks for another process that writes to the same place. */
  async #watch(store: MetricsStore): Promise<void> {
    if (this.#foreignWrites >= FOREIGN_WRITES || this.#stopped || (await store.isOwn?.()) !== false) return;
    this.#foreignWrites++;
    if (this.#foreignWrites < FOREIGN_WRITES) return;
    this.options.log(
      'warn',
      'METRICS_SHARED',
      `Another process keeps its metrics in the same place (${store.description}): after a restart, each restores the metrics of the process that wrote last. ` +
        'Give each process its own place: persistence: { path }, or { layer, name }.',
    );
  }
}

/** Returns the reason of a failure. If its cause is logged already, refers to that line, which has more details. */
function reasonOf(cause: unknown): string {
  if (!isReported(cause)) return redactedMessage(cause);
  const code = cause instanceof CacheError && cause.code === 'CIRCUIT_OPEN' ? 'CIRCUIT_OPEN' : 'LAYER_LOST';
  return `${code} in the log names the cause.`;
}
