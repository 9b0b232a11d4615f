import * as cacheManager from '@nestjs/cache-manager';

/*
 * The tokens of @nestjs/cache-manager. The CommonJS form of this package works without that package if it cannot be loaded:
 *   version 12 is an ES module, which Jest in a Nest 11 application refuses. The class `Cache` cannot be injected then.
 */

/** The value of `CACHE_MANAGER` of @nestjs/cache-manager. */
export const CACHE_MANAGER = 'CACHE_MANAGER';

/** The class `Cache` of @nestjs/cache-manager, which is also a token; undefined if the package cannot be loaded. */
export const cacheClass = (cacheManager as Partial<typeof cacheManager>).Cache;
