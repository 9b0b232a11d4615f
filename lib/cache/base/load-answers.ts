import { Result } from './observer.js';

/** Client errors that a repetition of the request may not get: timeout, too early, too many requests. */
const TRANSIENT = new Set([408, 425, 429]);

/**
 * Returns true if the loader's error is an answer about the request, such as "not found" or "forbidden": Nest's HttpException with a status of 400 to
 * 499. No stale value replaces such an answer, because stale values only cover failures of the origin (RFC 5861 section 4). Statistics do not count
 * it as an error, because a request for something that does not exist is not a failure of the origin.
 */
export function isAnswer(error: unknown): boolean {
  if (!(error instanceof Error) || !('getStatus' in error) || typeof error.getStatus !== 'function') return false;
  try {
    const status: unknown = error.getStatus();
    return typeof status === 'number' && status >= 400 && status < 500 && !TRANSIENT.has(status);
  } catch {
    return false;
  }
}

/** Returns the result to count for a load that ended with this error: `rejected` if the error is an answer. */
export function resultOfError(error: unknown): typeof Result.rejected | typeof Result.error {
  return isAnswer(error) ? Result.rejected : Result.error;
}
