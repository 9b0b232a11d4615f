import { CacheError } from './errors.js';

/** Returns true for a promise or another object with a `then` method. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

/**
 * Returns the result of an application's function that must return a value, not a promise. An unhandled rejection of that promise would end the
 * process, so it is caught.
 * @param what names the functions in the error.
 * @throws CacheError `INVALID_OPTIONS` for a promise.
 */
export function inSameTurn<T>(returned: T, what: string): T {
  if (!isThenable(returned)) return returned;
  returned.then(undefined, () => undefined);
  throw new CacheError('INVALID_OPTIONS', `${what} returned a promise. Return the value itself.`);
}
