import { within } from '../cache/bounded-wait.js';
import type { CacheLog } from '../cache/cache-log.js';
import type { Clock } from '../cache/clock.js';
import { CacheError } from '../cache/errors.js';
import { toldImageError } from '../metrics/images/image-bytes.js';
import type { MetricsStore } from './metrics-store.js';

/** What is carried over; `CacheMetrics` offers it. */
export interface KeptMetrics {
  collectImage(): Promise<Uint8Array>;
  /** @throws where the image cannot be used; nothing is changed then. */
  restore(image: Uint8Array): void;
}

export interface PersistenceOptions {
  readonly metrics: KeptMetrics;
  /** Undefined keeps nothing. */
  readonly store: MetricsStore | undefined;
  readonly clock: Clock;
  readonly log: CacheLog;
}

/** What a crash may cost, milliseconds. */
const WRITE_EVERY_MS = 30_000;
/** How long a start waits for what was kept. */
const READ_WITHIN_MS = 3_000;
const LAST_WRITE_WITHIN_MS = 2_000;

/**
 * Carries metrics over a restart: read before the application starts, written every 30 seconds and when it ends. What cannot be
 * read, or is of another version, is named in the log and ignored; what cannot be written is named once and tried again.
 */
export class Persistence {
  readonly #options: PersistenceOptions;
  #cancel: (() => void) | undefined;
  #writing: Promise<void> | undefined;
  #failing = false;
  #restored = false;
  #stopped = false;

  constructor(options: PersistenceOptions) {
    this.#options = options;
  }

  /** True where figures go on from those of an earlier run. */
  get restored(): boolean {
    return this.#restored;
  }

  /** Takes over what was kept. */
  async onModuleInit(): Promise<void> {
    const { store, metrics, clock, log } = this.#options;
    if (store === undefined) return;
    try {
      const image = await within(store.read(), READ_WITHIN_MS, clock);
      if (typeof image === 'symbol') throw new CacheError('LAYER_TIMEOUT', 'It did not answer in time.');
      if (image !== undefined) {
        metrics.restore(image);
        this.#restored = true;
      }
    } catch (cause) {
      const why = toldImageError(cause);
      log('warn', 'METRICS_NOT_RESTORED', `Metrics begin anew; those in ${store.description} are ignored. ${why}`);
    }
    this.#plan(store);
  }

  /** Writes a last time. */
  async onApplicationShutdown(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#cancel?.();
    const { store, clock } = this.#options;
    if (store === undefined) return;
    const written = Promise.resolve(this.#writing).then(() => this.#write(store));
    await within(written, LAST_WRITE_WITHIN_MS, clock);
  }

  #plan(store: MetricsStore): void {
    if (this.#stopped) return;
    this.#cancel = this.#options.clock.after(WRITE_EVERY_MS, () => {
      this.#writing = this.#write(store).finally(() => {
        this.#writing = undefined;
        this.#plan(store);
      });
    });
  }

  /** Never rejects. */
  async #write(store: MetricsStore): Promise<void> {
    const { metrics, log } = this.#options;
    try {
      await store.write(await metrics.collectImage());
      if (this.#failing) log('log', 'METRICS_KEPT', `Metrics are kept in ${store.description} again.`);
      this.#failing = false;
    } catch (cause) {
      const why = toldImageError(cause);
      if (!this.#failing) {
        log('warn', 'METRICS_NOT_KEPT', `Metrics cannot be kept in ${store.description} and are tried again. ${why}`);
      }
      this.#failing = true;
    }
  }
}
