import type { Clock } from './clock.js';

/** What {@link within} answers when the time ran out first. */
export const TIMED_OUT: unique symbol = Symbol('timed out');

/** The promise's outcome, or {@link TIMED_OUT} after `ms`; the promise goes on, and its later rejection is nobody's. */
export function within<T>(promise: Promise<T>, ms: number, clock: Clock): Promise<T | typeof TIMED_OUT> {
  return ms === Infinity ? promise : settledBy(promise, ms, clock, (resolve) => resolve(TIMED_OUT));
}

/** The promise's outcome, or what `late` makes of it once `ms` have passed; what comes after that is nobody's. */
export function settledBy<T, L = never>(
  promise: Promise<T>,
  ms: number,
  clock: Clock,
  late: (resolve: (value: L) => void, reject: (error: Error) => void) => void,
): Promise<T | L> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(Math.max(0, ms), () => late(resolve, reject));
    promise.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        reject(error as Error);
      },
    );
  });
}

/** Resolves after `ms`. */
export function pause(ms: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}
