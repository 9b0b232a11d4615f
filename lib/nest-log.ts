import { Logger } from '@nestjs/common';
import type { CacheLog } from './cache/cache-log.js';
import { toldError } from './cache/told-error.js';

/** Writes what the cache has to say through Nest's logger, as one structured object each. */
export function nestLog(logger = new Logger('CacheObservability')): CacheLog {
  return (level, code, message, details = {}) =>
    logger[level]({ message, code, ...details, ...('cause' in details && { cause: toldError(details['cause']) }) });
}
