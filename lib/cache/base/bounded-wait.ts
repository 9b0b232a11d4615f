import type { Clock } from './clock.js';
import type { OverdueWait, OverdueWaits, Reading } from './overdue-waits.js';

/** The result of {@link within} if the time ran out before the promise settled. */
export const TIMED_OUT: unique symbol = Symbol('timed out');

/** The limits of a wait. */
export interface WaitBounds {
  /** Milliseconds. `Infinity` waits until the signal aborts, or forever. */
  readonly ms: number;
  readonly clock: Clock;
  /** When this signal aborts, the wait rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Calls `report` once if the work takes longer than `ms` milliseconds. The wait continues. */
  readonly slow?: { readonly ms: number; readonly report: () => void };
  /** Makes the wait fair: it ends, or reports slow work, only after the event loop had time to read the answer; see {@link Wait}. */
  readonly overdue?: OverdueWaits;
}

/** The share of the limit during which the event loop must have been idle. */
const IDLE_SHARE = 0.5;
/** If the event loop is busy, it must have read incoming data this many times without an answer before the wait ends. */
const READINGS = 3;
/** If the event loop is busy, a wait ends at the latest after this many times the limit. */
const LONGEST = 20;

/**
 * Waits for work that may never end; all such waits use this function. The promise settles like the work. If the time is up first, it settles with
 * what `late` returns or throws, and later results and errors of the work are ignored.
 * @param late receives true if the event loop was busy during the wait.
 */
export function bounded<T, L>(
  work: T | PromiseLike<T>,
  bounds: WaitBounds,
  late: (busy: boolean) => L,
): Promise<T | L> {
  return new Promise((resolve, reject) => new Wait(bounds, late, resolve, reject).begin(work));
}

/** Returns the result of the promise, or {@link TIMED_OUT} after `ms`. */
export function within<T>(work: Promise<T>, ms: number, clock: Clock): Promise<T | typeof TIMED_OUT> {
  return ms === Infinity ? work : bounded(work, { ms, clock }, timedOut);
}

/** Resolves after `ms`, or when the signal aborts. */
export function pause(ms: number, clock: Clock, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      cancel();
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.after(ms, end);
    if (signal?.aborted === true) end();
    else signal?.addEventListener('abort', end, { once: true });
  });
}

function timedOut(): typeof TIMED_OUT {
  return TIMED_OUT;
}

/**
 * One wait. It is a class because closures would allocate more at every miss.
 *
 * A fair wait is for answers that the event loop reads. A busy loop sends no requests and reads no answers. So the time is up only after the loop was
 * idle for half of the limit and has read incoming data. If the loop is never idle, the wait ends as `busy`: after the limit has passed again without
 * an answer to any wait, or after twenty times the limit. In that case it never reports slow work.
 */
class Wait<T, L> implements OverdueWait {
  readonly #bounds: WaitBounds;
  readonly #late: (busy: boolean) => L;
  readonly #resolve: (value: T | L) => void;
  readonly #reject: (error: unknown) => void;
  #slow: WaitBounds['slow'];
  #cancel: (() => void) | undefined;
  #onAbort: (() => void) | undefined;
  #beganAt = 0;
  /** See {@link Clock.idleMs}; undefined if the wait is not fair. */
  #idleAtBegin: number | undefined;
  /** The time at which its limit had passed, and the number of readings at that time. */
  #dueAt = 0;
  #readings = 0;

  constructor(
    bounds: WaitBounds,
    late: (busy: boolean) => L,
    resolve: (value: T | L) => void,
    reject: (error: unknown) => void,
  ) {
    this.#bounds = bounds;
    this.#late = late;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#slow = bounds.slow !== undefined && bounds.slow.ms < bounds.ms ? bounds.slow : undefined;
  }

  begin(work: T | PromiseLike<T>): void {
    const { ms, signal, clock, overdue } = this.#bounds;
    this.#idleAtBegin = overdue?.idleMs();
    if (this.#idleAtBegin !== undefined) this.#beganAt = clock.now();
    const first = this.#slow?.ms ?? ms;
    if (first !== Infinity) this.#arm(Math.max(0, first));
    Promise.resolve(work).then(
      (value) => {
        this.#end();
        this.#resolve(value);
      },
      (error: unknown) => {
        this.#end();
        this.#reject(error);
      },
    );
    if (signal === undefined) return;
    this.#onAbort = () => {
      this.#end();
      this.#reject(signal.reason);
    };
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  #arm(ms: number): void {
    const { clock, overdue } = this.#bounds;
    this.#cancel = clock.after(ms, () => {
      if (this.#idleAtBegin === undefined) return this.#timeIsUp(false);
      this.#cancel = () => overdue!.delete(this);
      this.#dueAt = clock.now();
      this.#readings = overdue!.readings;
      overdue!.add(this);
    });
  }

  judge(reading: Reading): boolean {
    const { ms } = this.#bounds;
    const ofMs = this.#slow?.ms ?? ms;
    const isFair = reading.idleMs - this.#idleAtBegin! >= ofMs * IDLE_SHARE;
    if (this.#slow !== undefined && !isFair) {
      if (reading.now - this.#beganAt < ms) return false;
      this.#slow = undefined;
      this.#dueAt = reading.now;
      this.#readings = reading.count;
      return false;
    }
    if (!isFair && !this.#isOver(reading)) return false;
    this.#timeIsUp(!isFair);
    return true;
  }

  #isOver({ count, now, answeredAt }: Reading): boolean {
    const { ms } = this.#bounds;
    const isSilent = now - Math.max(this.#dueAt, answeredAt) >= ms && count - this.#readings >= READINGS;
    return isSilent || now - this.#dueAt >= LONGEST * ms;
  }

  #timeIsUp(busy: boolean): void {
    const slow = this.#slow;
    if (slow !== undefined) {
      const { ms, clock } = this.#bounds;
      this.#slow = undefined;
      slow.report();
      this.#arm(Math.max(0, ms - (this.#idleAtBegin === undefined ? slow.ms : clock.now() - this.#beganAt)));
      return;
    }
    this.#end();
    try {
      this.#resolve(this.#late(busy));
    } catch (error) {
      this.#reject(error);
    }
  }

  #end(): void {
    this.#cancel?.();
    if (this.#onAbort !== undefined) this.#bounds.signal?.removeEventListener('abort', this.#onAbort);
  }
}
