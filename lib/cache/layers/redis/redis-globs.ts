import type { Clock } from '../../base/clock.js';
import { withDeadline } from '../resilience/deadline.js';
import { isRefusal } from '../resilience/layer-refusal.js';
import type { RedisLock } from './redis-lock.js';
import type { BusMessage, LayerEvents } from '../layer.js';
import type { RedisConnection } from './redis-connection.js';
import { pairs } from './redis-invalidation-log.js';
import type { RedisKeys } from './redis-keys.js';
import type { RedisParts } from './redis-parts.js';
import type { RedisAnnouncer } from './redis-announcer.js';
import type { RedisScan, Sweep, SweepProgress } from './redis-scan.js';
import type { ServerClock } from './server-clock.js';
import { MAX_GLOBS, scripts } from './redis-scripts.js';

/** How long a caller waits for a sweep. After that the sweep continues in the background. */
const WAIT_MS = 10_000;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 300_000;
/** After this time, an unfinished sweep of another process counts as abandoned. */
const UNFINISHED_MS = 60_000;
const WITHOUT_PROGRESS: SweepProgress = { removed: () => undefined, late: () => undefined };
/** How long abandoned sweeps belong to the process that took them over. */
const TAKEOVER_MS = 600_000;

/**
 * Invalidates by glob. First Redis notes the glob: from then on no older matching entry is read or written. Then a sweep removes these
 * entries, which only frees memory; entries written since the invalidation stay. After the sweep the glob is forgotten.
 *
 * A failed sweep is retried at growing intervals, together with all other failed ones; the invalidation itself is not repeated. Redis
 * stores which sweeps are unfinished, so that another process continues them if this one ends.
 */
export class RedisGlobs {
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;
  readonly #scan: RedisScan;
  readonly #lock: RedisLock;
  readonly #clock: Clock;
  readonly #events: LayerEvents;
  readonly #layer: string;
  readonly #deadlineMs: number;
  readonly #announcer: RedisAnnouncer;
  readonly #serverClock: ServerClock;
  /** Failed or slow sweeps: globs with the epoch of their last invalidation. */
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
      announcer,
      serverClock,
    }: Pick<RedisParts, 'connection' | 'keys' | 'clock' | 'name' | 'deadlineMs' | 'announcer' | 'serverClock'>,
    scan: RedisScan,
    lock: RedisLock,
    events: LayerEvents,
  ) {
    this.#connection = connection;
    this.#keys = keys;
    this.#clock = clock;
    this.#layer = name;
    this.#deadlineMs = deadlineMs;
    this.#announcer = announcer;
    this.#serverClock = serverClock;
    this.#scan = scan;
    this.#lock = lock;
    this.#events = events;
  }

  /** The number of failed or slow sweeps. */
  get pending(): number {
    return this.#pending.size;
  }

  close(): void {
    this.#closed = true;
    this.#cancelRetry?.();
    this.#scan.close();
  }

  /**
   * Invalidates the entries that match. The caller waits for their removal for a limited time.
   * @param message the message to other processes.
   * @returns how many were removed so far.
   */
  async invalidate(glob: string, message: BusMessage = { patterns: [glob] }): Promise<number> {
    const send = async (): Promise<number> => this.sweep({ glob, epoch: await this.#note(glob, message) });
    try {
      return await send();
    } catch (error) {
      if (!isRefusal(error)) throw error;
      // A full server cannot note the glob. Remove the entries first, which makes room.
      await this.#scan.sweep([{ glob, epoch: this.#serverClock.now() * 1_000 }], WITHOUT_PROGRESS);
      return send();
    }
  }

  /** @returns the epoch of the invalidation. */
  async #note(glob: string, message: BusMessage): Promise<number> {
    const { state, sweeps, globs } = this.#keys;
    const announced = this.#announcer.argumentsOf(message);
    const noted =
      glob === '*'
        ? scripts.noteAll.run(this.#connection, [state, sweeps], announced)
        : scripts.noteGlob.run(this.#connection, [state, sweeps, globs], [...announced, glob]);
    const [digits, published, left] = (await this.#inTime(noted)) as readonly unknown[];
    this.#announcer.sent(published);
    if (Number(left) > 0) this.continueOthers();
    return Number(digits);
  }

  /** Continues the sweeps of processes that have ended, in the background. */
  continueOthers(): void {
    this.takeOver(this.#serverClock.now()).catch(() => undefined);
  }

  /** Removes the entries that a glob has invalidated. @returns how many were removed so far. */
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
          // In the background: no caller waits until Redis has forgotten the glob.
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

  /** Continues sweeps that other processes have not finished for a minute, unless another process does. @param now server's time, milliseconds. */
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
    // Redis forgets the oldest globs, too. Then all older entries count as invalidated.
    if (this.#pending.size > MAX_GLOBS) this.#pending.delete(this.#pending.keys().next().value!);
  }

  async #finished({ glob, epoch }: Sweep): Promise<void> {
    if ((this.#pending.get(glob) ?? Infinity) <= epoch) this.#pending.delete(glob);
    if (this.#pending.size === 0 && this.#reported) {
      this.#reported = false;
      this.#events.log(
        'log',
        'SWEEP_DONE',
        `Layer '${this.#layer}' has removed the entries that were invalidated by glob.`,
      );
    }
    // If this fails, a process repeats the sweep later.
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
      `Layer '${this.#layer}' cannot remove the entries that were invalidated by glob yet. They are not read, but take memory until they are removed. Grant its user SCAN.`,
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
      await this.#scan.sweep(sweeps, WITHOUT_PROGRESS);
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
