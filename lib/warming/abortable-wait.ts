import type { Clock } from '../cache/clock.js';
import { CacheError } from '../cache/errors.js';

/** How long to wait, and what to say when it was too long. */
export interface WaitLimits {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Milliseconds; `Infinity` waits until the signal aborts. */
  readonly ms: number;
  /** Makes the error of a wait that took longer. */
  readonly onTimeout?: () => Error;
}

/**
 * Waits for `work` until it settles, the time is up or the signal aborts, whichever comes first. What comes later is
 * dropped, a late failure too.
 */
export function within<T>(
  work: T | PromiseLike<T>,
  { signal, clock, ms, onTimeout = tookTooLong }: WaitLimits,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => settle(() => reject(signal.reason));
    const cancel = Number.isFinite(ms) ? clock.after(ms, () => settle(() => reject(onTimeout()))) : () => undefined;
    const settle = (finish: () => void) => {
      cancel();
      signal.removeEventListener('abort', onAbort);
      finish();
    };
    Promise.resolve(work).then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(error)),
    );
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}

function tookTooLong(): Error {
  return new CacheError('WARMING_ABORTED', 'Something that warming waited for took too long.');
}
