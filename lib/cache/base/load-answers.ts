import { Result } from './observer.js';

/** Client errors that the same request may not get again: timeout, too early, too many requests. */
const TRANSIENT = new Set([408, 425, 429]);

/**
 * True if the loader answers with an error that concerns the request, such as "not found" or "forbidden": Nest's HttpException with a
 * status of 400 to 499. A stale value would hide that answer; it only covers failures of the origin (RFC 5861 section 4). No statistics
 * count it as an error: a visitor who asks for what does not exist says nothing about the origin.
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

/** How a load is counted that ended with this error: `rejected` if the error is an answer. */
export function resultOfError(error: unknown): typeof Result.rejected | typeof Result.error {
  return isAnswer(error) ? Result.rejected : Result.error;
}
