import { Logger } from '@nestjs/common';
import type { CacheLog } from '../cache/base/cache-log.js';
import type { CallbackErrors } from '../cache/base/callback-errors.js';
import { LogEntry } from '../cache/base/log-entry.js';
import { redactedLog } from '../cache/base/redacted-error.js';

/**
 * Writes the cache's log through Nest's logger: a line of text with a code if the logger prints lines, or an object with fields
 * if it writes JSON or passes objects on. Errors and rejections of the application's logger are counted.
 */
export function nestLog(callbacks: CallbackErrors, logger = new Logger('CacheObservability')): CacheLog {
  return callbacks.guardedLog(unguardedNestLog(logger));
}

/** Like {@link nestLog}, but errors of the logger reach the caller. For callers that guard their log themselves. */
export function unguardedNestLog(logger = new Logger('CacheObservability')): CacheLog {
  return redactedLog((level, code, message, details = {}) => logger[level](new LogEntry(code, message, details)));
}
