import { Logger } from '@nestjs/common';
import { CacheError } from '../cache/base/errors.js';
import { LogEntry } from '../cache/base/log-entry.js';

/**
 * Logs and returns an error that stops the boot while modules are initialised. Nest logs only errors of `NestFactory.create()`:
 * Node prints others behind a line of compiled source.
 */
export function loggedRefusal(error: unknown): unknown {
  if (!(error instanceof CacheError)) return error;
  try {
    new Logger('CacheObservability').error(new LogEntry(error.code, error.message));
    // The process may end before the application sets the logger that the buffer waits for.
    Logger.flush();
  } catch {
    // A logger of the application that throws must not replace the error.
  }
  return error;
}
