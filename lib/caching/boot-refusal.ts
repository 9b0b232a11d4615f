import { Logger } from '@nestjs/common';
import { CacheError } from '../cache/base/errors.js';
import { LogEntry } from '../cache/base/log-entry.js';

/**
 * Logs and returns an error that stops the boot while modules are initialised. Nest itself logs only errors of
 * `NestFactory.create()`. Node prints other errors after a line of compiled source.
 */
export function loggedRefusal(error: unknown): unknown {
  if (!(error instanceof CacheError)) return error;
  try {
    new Logger('CacheObservability').error(new LogEntry(error.code, error.message));
    // Buffered logs wait for the application's logger, and the process may end before it is set.
    Logger.flush();
  } catch {
    // If the application's logger throws, the original error must still reach the caller.
  }
  return error;
}
