import * as cacheManager from '@nestjs/cache-manager';

/*
 * The tokens of @nestjs/cache-manager. The CommonJS form of this package goes on without it where it cannot be loaded: version 12 is an ES
 * module, which the Jest of a Nest 11 application refuses. There no code can inject its class either.
 */

/** As `CACHE_MANAGER` of @nestjs/cache-manager. */
export const CACHE_MANAGER = 'CACHE_MANAGER';

/** The class `Cache` of @nestjs/cache-manager, which is a token too; undefined where the package cannot be loaded. */
export const cacheClass = (cacheManager as Partial<typeof cacheManager>).Cache;
