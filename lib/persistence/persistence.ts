import { within } from '../cache/base/bounded-wait.js';
import type { CacheLog } from '../cache/base/cache-log.js';
import type { Clock } from '../cache/base/clock.js';
import { CacheError } from '../cache/base/errors.js';
import type { ShutdownBudget } from '../cache/base/shutdown-budget.js';
import { redactedMessage } from '../cache/base/redacted-error.js';
import type { MetricsStore } from './metrics-store.js';

/** What is carried over; `CacheMetrics` offers it. */
export interface KeptMetrics {
  /** Undefined where nothing has changed since the last one. */
  collectImage(): Promise<Uint8Array | undefined>;
  /** @throws where the image cannot be used; nothing is changed then. */
  restore(image: Uint8Array): void;
}

export interface PersistenceOptions {
  /** In the log. @default 'Metrics' */
  readonly what?: string;
  readonly metrics: KeptMetrics;
  /** Undefined keeps nothing. */
  readonly store: MetricsStore | undefined;
  readonly clock: Clock;
  readonly log: CacheLog;
  readonly shutdown: ShutdownBudget;
}

const METRICS = 'Metrics';
/** What a crash may cost, milliseconds. */
const WRITE_EVERY_MS = 30_000;
/** How long a start waits for what was kept. */
const READ_WITHIN_MS = 3_000;
const LAST_WRITE_WITHIN_MS = 1_500;

/**
 * Carries metrics, or what was learned from accesses, over a restart: read before the application starts, written every 30 seconds and when it ends. What cannot be
 * read, or is of another version, is named in the log and ignored; what cannot be written is named once and tried again.
 */
export class Persistence {
  #cancel: (() => void) | undefined;
  #writing: Promise<void> | undefined;
  /** What could not be written last. */
  #unwritten: Uint8Array | undefined;
  #failing = false;
  #restored = false;
  #stopped = false;

  constructor(private readonly options: PersistenceOptions) {}

  /** True where figures go on from those of an earlier run. */
  get restored(): boolean {
    return this.#restored;
  }

  /** Takes over what was kept. */
  async onModuleInit(): Promise<void> {
    const { store, metrics, clock, log, what = METRICS } = this.options;
    if (store === undefined) return;
    try {
      const image = await within(store.read(), READ_WITHIN_MS, clock);
      if (typeof image === 'symbol') throw new CacheError('LAYER_TIMEOUT', 'It did not answer in time.');
      if (image !== undefined) {
        metrics.restore(image);
        this.#restored = true;
      }
    } catch (cause) {
      const why = redactedMessage(cause);
      log('warn', 'METRICS_NOT_RESTORED', `${what} begin anew; those in ${store.description} are ignored. ${why}`);
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
    const { metrics, log, what = METRICS } = this.options;
    try {
      this.#unwritten = (await metrics.collectImage()) ?? this.#unwritten;
      if (this.#unwritten !== undefined) await store.write(this.#unwritten);
      this.#unwritten = undefined;
      if (this.#failing) log('log', 'METRICS_STORED', `${what} are kept in ${store.description} again.`);
      this.#failing = false;
    } catch (cause) {
      const why = redactedMessage(cause);
      if (!this.#failing) {
        log('warn', 'METRICS_NOT_STORED', `${what} cannot be kept in ${store.description} and are tried again. ${why}`);
      }
      this.#failing = true;
    }
  }
}
