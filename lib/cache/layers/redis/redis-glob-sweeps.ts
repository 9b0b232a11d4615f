import type { Clock } from '../../base/clock.js';
import { withDeadline } from '../resilience/deadline.js';
import type { RedisLock } from './redis-lock.js';
import type { LayerEvents } from '../layer.js';
import type { RedisConnection } from './redis-connection.js';
import { pairs } from './redis-invalidation-log.js';
import type { RedisKeys } from './redis-keys.js';
import type { RedisParts } from './redis-parts.js';
import type { RedisScan, Sweep } from './redis-scan.js';
import { MAX_GLOBS, scripts } from './redis-scripts.js';

/** How long a caller waits for the sweep; it goes on without the caller. */
const WAIT_MS = 10_000;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 300_000;
/** A sweep of another process that takes longer has been left. */
const UNFINISHED_MS = 60_000;
/** For how long one process has taken over what others have left. */
const TAKEOVER_MS = 600_000;

/**
 * The removal of what invalidations by glob have made unreadable. It frees memory, and the glob can be forgotten after it; what has
 * been written since stays. A sweep that fails is retried, with all others that have, at growing intervals: the invalidation itself
 * is not repeated. Redis knows which sweeps have not finished, so that another process goes on with them where this one ends.
 */
export class RedisGlobSweeps {
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;
  readonly #scan: RedisScan;
  readonly #lock: RedisLock;
  readonly #clock: Clock;
  readonly #events: LayerEvents;
  readonly #layer: string;
  readonly #deadlineMs: number;
  /** Failed or slow, by glob: the epoch of the last invalidation. */
  readonly #pending = new Map<string, number>();
  #retryMs = FIRST_RETRY_MS;
  #cancelRetry: (() => void) | undefined;
  #retrying = false;
  #reported = false;
  #closed = false;

  constructor(
    {
      connection,
      keys,
      clock,
      name,
      deadlineMs,
    }: Pick<RedisParts, 'connection' | 'keys' | 'clock' | 'name' | 'deadlineMs'>,
    scan: RedisScan,
    lock: RedisLock,
    events: LayerEvents,
  ) {
    this.#connection = connection;
    this.#keys = keys;
    this.#clock = clock;
    this.#layer = name;
    this.#deadlineMs = deadlineMs;
    this.#scan = scan;
    this.#lock = lock;
    this.#events = events;
  }

  /** How many have not finished in time. */
  get pending(): number {
    return this.#pending.size;
  }

  close(): void {
    this.#closed = true;
    this.#cancelRetry?.();
    this.#scan.close();
  }

  /** Removes what a glob has invalidated. @returns how many there were, as far as they have been removed yet. */
  async sweep(sweep: Sweep): Promise<number> {
    let removed = 0;
    await new Promise<void>((resolve) => {
      const late = () => {
        this.#add(sweep);
        resolve();
      };
      const cancel = this.#clock.after(WAIT_MS, late);
      this.#scan
        .sweep([sweep], { removed: (count) => (removed += count), late })
        .then(
          // Nobody waits for Redis to forget it.
          () => void this.#finished(sweep),
          (error: unknown) => this.#failed(sweep, error),
        )
        .finally(() => {
          cancel();
          resolve();
        });
    });
    return removed;
  }

  /** Goes on with what other processes have not finished for a minute, unless one of them does. @param now server's time, milliseconds. */
  async takeOver(now: number): Promise<void> {
    const until = String(Math.floor((now - UNFINISHED_MS) * 1_000));
    const { sweeps: list } = this.#keys;
    const left = await this.#connection.send(list, ['ZRANGEBYSCORE', list, '-inf', until, 'WITHSCORES']);
    const sweeps = [...pairs(left)].filter(([glob, epoch]) => (this.#pending.get(glob) ?? 0) < epoch);
    if (sweeps.length === 0 || this.#closed) return;
    if ((await this.#lock.acquire('sweeps', TAKEOVER_MS)) === undefined) return;
    for (const [glob, epoch] of sweeps) this.#add({ glob, epoch });
    this.#retryLater();
  }

  #add({ glob, epoch }: Sweep): void {
    this.#pending.set(glob, Math.max(epoch, this.#pending.get(glob) ?? 0));
    // Redis has forgotten the oldest, too: everything from before them counts as invalidated.
    if (this.#pending.size > MAX_GLOBS) this.#pending.delete(this.#pending.keys().next().value!);
  }

  async #finished({ glob, epoch }: Sweep): Promise<void> {
    if ((this.#pending.get(glob) ?? Infinity) <= epoch) this.#pending.delete(glob);
    if (this.#pending.size === 0 && this.#reported) {
      this.#reported = false;
      this.#events.log('log', 'SWEEP_DONE', `Layer '${this.#layer}' has removed what was invalidated by glob.`);
    }
    // Where this fails it is swept once more by somebody.
    await this.#inTime(scripts.swept.run(this.#connection, [this.#keys.sweeps], [glob, String(epoch)])).catch(
      () => undefined,
    );
  }

  #inTime<T>(operation: Promise<T>): Promise<T> {
    return withDeadline(operation, this.#deadlineMs, this.#clock, this.#layer);
  }

  #failed(sweep: Sweep, cause: unknown): void {
    if (this.#closed) return;
    this.#add(sweep);
    this.#report(cause);
    this.#retryLater();
  }

  #report(cause: unknown): void {
    if (this.#reported) return;
    this.#reported = true;
    this.#events.log(
      'warn',
      'SWEEP_PENDING',
      `Layer '${this.#layer}' cannot remove what was invalidated by glob yet; it is not read, and takes memory until it is removed. Let its user SCAN.`,
      cause,
    );
  }

  #retryLater(): void {
    if (this.#closed || this.#retrying || this.#cancelRetry !== undefined) return;
    this.#cancelRetry = this.#clock.after(this.#retryMs, () => {
      this.#cancelRetry = undefined;
      void this.#retry();
    });
    this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
  }

  async #retry(): Promise<void> {
    const sweeps = [...this.#pending].map(([glob, epoch]): Sweep => ({ glob, epoch }));
    if (sweeps.length === 0) return;
    this.#retrying = true;
    try {
      const held = sweeps.flatMap(({ glob, epoch }) => [glob, String(epoch)]);
      await this.#inTime(scripts.hold.run(this.#connection, [this.#keys.sweeps, this.#keys.globs], held));
      await this.#scan.sweep(sweeps, { removed: () => undefined, late: () => undefined });
      this.#retryMs = FIRST_RETRY_MS;
      for (const sweep of sweeps) await this.#finished(sweep);
    } catch (error) {
      if (!this.#closed) this.#report(error);
    } finally {
      this.#retrying = false;
      if (this.#pending.size > 0) this.#retryLater();
    }
  }
}
