import type { CacheLog } from '../cache/base/cache-log.js';
import { OWN_CACHE } from '../cache/base/tokens.js';

/** Adds the name of a cache to its log entries. Entries that name all caches of a server stay unchanged. */
export function namedLog(log: CacheLog, cache: string): CacheLog {
  if (cache === OWN_CACHE) return log;
  return (level, code, message, details = {}) =>
    log(level, code, message, 'caches' in details ? details : { ...details, cache });
}
