import { within } from '../cache/base/bounded-wait.js';
import type { CacheLog } from '../cache/base/cache-log.js';
import type { Clock } from '../cache/base/clock.js';
import { CacheError } from '../cache/base/errors.js';
import type { ShutdownBudget } from '../cache/base/shutdown-budget.js';
import { redactedMessage } from '../cache/base/redacted-error.js';
import { isReported } from '../cache/base/reported-errors.js';
import type { MetricsStore } from './metrics-store.js';

/** The metrics that are carried over; `CacheMetrics` implements it. */
export interface KeptMetrics {
  /** Undefined if nothing has changed since the last dump. */
  collectDump(): Promise<Uint8Array | undefined>;
  /** @throws if the dump cannot be used; nothing is changed then. */
  restore(dump: Uint8Array): void;
}

export interface PersistenceOptions {
  /** The subject of log messages. @default 'Metrics' */
  readonly what?: string;
  readonly metrics: KeptMetrics;
  /** True if another part is kept in the same store, and logs that it cannot be reached. @default false */
  readonly beside?: boolean;
  /** Undefined turns persistence off. */
  readonly store: MetricsStore | undefined;
  /** Connects the layers: if a required one cannot be reached, its error stops the start, and no other message names that cause. */
  readonly connect?: () => Promise<void>;
  readonly clock: Clock;
  readonly log: CacheLog;
  readonly shutdown: ShutdownBudget;
}

const METRICS = 'Metrics';
/** Interval between writes, milliseconds: a crash loses at most so much. */
const WRITE_EVERY_MS = 30_000;
/** The time limit for reading at the start, milliseconds. */
const READ_WITHIN_MS = 3_000;
const LAST_WRITE_WITHIN_MS = 1_500;
/** Writes of another process until it is logged. One may be the last write of a process that this one replaces. */
const FOREIGN_WRITES = 2;

/**
 * Carries metrics, or what was learned from accesses, over a restart. Reads them before the application starts; writes them every 30
 * seconds and at shutdown. A dump that cannot be read, or is of another version, is logged and ignored; a write that fails is logged
 * once and retried, and not logged while the lost connection that it needs is. Another process that writes to the same place is logged once: each would restore the metrics of the other.
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

  /** True if figures continue those of an earlier run. */
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
      if (typeof dump === 'symbol') throw new CacheError('LAYER_TIMEOUT', 'It did not answer in time.');
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
        // Other parts are kept beside the metrics.
        if (what === METRICS) await this.#watch(store);
        await store.write(this.#unwritten);
      }
      this.#unwritten = undefined;
      if (this.#failureLogged) log('log', 'METRICS_STORED', `${what} are kept in ${store.description} again.`);
      this.#failureLogged = false;
    } catch (cause) {
      // A later write makes up for a lost connection, which is logged already; nothing makes up for the last one.
      if (this.#failureLogged || beside || (isReported(cause) && !this.#stopped)) return;
      this.#failureLogged = true;
      const outcome = this.#stopped ? 'those since the last write are lost' : 'they are tried again';
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
      `Another process keeps its metrics in the same place (${store.description}): a restart restores those of the process that wrote last. ` +
        'Give each process a place of its own: persistence: { path }, or { layer, name }.',
    );
  }
}

/** The cause that is logged already is named there alone: an error that follows from it knows less. */
function reasonOf(cause: unknown): string {
  if (!isReported(cause)) return redactedMessage(cause);
  const code = cause instanceof CacheError && cause.code === 'CIRCUIT_OPEN' ? 'CIRCUIT_OPEN' : 'LAYER_LOST';
  return `${code} in the log has the cause.`;
}
