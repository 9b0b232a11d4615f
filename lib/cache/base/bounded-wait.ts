import type { Clock } from './clock.js';
import type { OverdueWait, OverdueWaits, Reading } from './overdue-waits.js';

/** What {@link within} answers when the time ran out first. */
export const TIMED_OUT: unique symbol = Symbol('timed out');

/** How long something is waited for. */
export interface WaitBounds {
  /** Milliseconds; `Infinity` waits until the signal aborts, or for ever. */
  readonly ms: number;
  readonly clock: Clock;
  /** Ends the wait with its reason. */
  readonly signal?: AbortSignal;
  /** Called once where the work takes longer than this, milliseconds, and is still waited for. */
  readonly slow?: { readonly ms: number; readonly report: () => void };
  /** Makes it a fair wait, which gives up, or reports as slow, only once the other side has had its time; see {@link Wait}. */
  readonly overdue?: OverdueWaits;
}

/** Of its time the other side must have had so much of an idle event loop. */
const IDLE_SHARE = 0.5;
/** A busy event loop must have read so many times what had arrived, and found nothing, before silence counts. */
const READINGS = 3;
/** So many times its time passes before a busy event loop gives up in any case. */
const LONGEST = 20;

/**
 * The one way to wait for something that may never come. It settles as the work does or, once the time is up, as `late` says:
 * with the value it returns or the error it throws. What the work answers later is ignored, a late rejection too.
 */
export function bounded<T, L>(
  work: T | PromiseLike<T>,
  bounds: WaitBounds,
  late: (busy: boolean) => L,
): Promise<T | L> {
  return new Promise((resolve, reject) => new Wait(bounds, late, resolve, reject).begin(work));
}

/** The promise's outcome, or {@link TIMED_OUT} after `ms`. */
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
 * One wait. A class, because closures of every miss would be collected with it.
 *
 * A fair wait is for what the event loop reads. While the loop is busy nothing is sent to the other side, and what it answers stays
 * unread. So its time is up only once the loop was idle for half of it and has read what had arrived. A loop that is never idle
 * gives up too, as `busy`: after its time again without an answer to anyone, or after twenty times. It never reports as slow.
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
  /** When its time was over, and how many readings there had been. */
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
