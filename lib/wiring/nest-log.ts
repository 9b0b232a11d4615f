import { inspect } from 'node:util';
import { Logger } from '@nestjs/common';
import type { CacheLog } from '../cache/base/cache-log.js';
import type { CallbackErrors } from '../cache/base/callback-errors.js';
import { redactedLog } from '../cache/base/redacted-error.js';

/**
 * Writes the cache's log through Nest's logger: a line of text with a code if the logger prints lines, and the same as fields
 * if it writes JSON or passes objects on. Errors and rejections of the application's logger are counted.
 */
export function nestLog(callbacks: CallbackErrors, logger = new Logger('CacheObservability')): CacheLog {
  return callbacks.guardedLog(unguardedNestLog(logger));
}

/** Writes the same without guarding, for callers that guard their log themselves. */
export function unguardedNestLog(logger = new Logger('CacheObservability')): CacheLog {
  return redactedLog((level, code, message, details = {}) => logger[level](new LogEntry(code, message, details)));
}

/** One entry of the log. Its own properties are its fields; inspected, as Nest's ConsoleLogger does, it is a line of text. */
class LogEntry {
  readonly [field: string]: unknown;

  constructor(
    readonly code: string,
    readonly message: string,
    details: Readonly<Record<string, unknown>>,
  ) {
    Object.assign(this, details, { code, message });
  }

  /** `[CODE] message field=value`, without the fields whose values the message already says. */
  [inspect.custom](): string {
    const fields = Object.entries(this)
      .filter(([name, value]) => name !== 'code' && name !== 'message' && !this.message.includes(String(value)))
      .map(([name, value]) => `${name}=${String(value)}`);
    return [`[${this.code}]`, this.message, ...fields].join(' ');
  }
}
