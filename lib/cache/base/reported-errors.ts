import { isError } from './redacted-error.js';

const REPORTED = Symbol.for('nestjs-cache-observability:reported');
/** The levels of causes that {@link isReported} checks. */
const DEPTH = 3;

/** Marks an error whose cause is already logged, such as a lost connection. Errors caused by it are then not logged again. */
export function reported<T>(error: T): T {
  if (isError(error) && Object.isExtensible(error)) Object.defineProperty(error, REPORTED, { value: true });
  return error;
}

/** Returns true if the cause of an error is already logged. */
export function isReported(error: unknown, depth = DEPTH): boolean {
  if (!isError(error)) return false;
  return REPORTED in error || (depth > 0 && isReported(error.cause, depth - 1));
}
