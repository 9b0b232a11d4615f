import { isError } from './redacted-error.js';

const REPORTED = Symbol.for('nestjs-cache-observability:reported');
/** How deep causes are followed. */
const DEPTH = 3;

/** Marks an error whose cause is already logged, such as a lost connection, so that errors caused by it are not logged again. */
export function reported<T>(error: T): T {
  if (isError(error) && Object.isExtensible(error)) Object.defineProperty(error, REPORTED, { value: true });
  return error;
}

/** True if the cause of an error is already logged. */
export function isReported(error: unknown, depth = DEPTH): boolean {
  if (!isError(error)) return false;
  return REPORTED in error || (depth > 0 && isReported(error.cause, depth - 1));
}
