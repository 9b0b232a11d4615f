import { Logger } from '@nestjs/common';
import type { CacheLog } from './cache/cache-log.js';
import { toldError } from './cache/told-error.js';

/** Writes what the cache has to say through Nest's logger, as one structured object each. Of causes it says where, not what. */
export function nestLog(logger = new Logger('CacheObservability')): CacheLog {
  return (level, code, message, details = {}) =>
    logger[level]({
      message,
      code,
      ...details,
      ...('cause' in details && { cause: toldError(details['cause']), at: placesOf(details['cause']) }),
    });
}

/** The innermost frames of an error's stack, without the message that stands above them. */
function placesOf(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return [];
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return frames.slice(0, 3).map((line) => line.trim());
}
