import type { FactoryProvider } from '@nestjs/common';
import { RESOLVED_OPTIONS } from '../options/cache-observability.module-definition.js';
import type { Clock } from '../cache/base/clock.js';
import { CACHE_CLOCK, OWN_CACHE } from '../cache/base/tokens.js';
import { observedCacheOf } from './create-observed-cache.js';
import { unguardedNestLog } from './nest-log.js';
import { ObservedCache } from './observed-cache.js';
import { SharedServers } from './shared-servers.js';
import type { ResolvedOptions } from '../options/resolved-options.js';

/** Token of the cache that the module itself uses: the provider `ObservedCache`, unless a test has replaced it by a stub. */
export const APPLICATION_CACHE = Symbol('cache-observability:application-cache');

export const applicationCache: FactoryProvider<ObservedCache> = {
  provide: APPLICATION_CACHE,
  inject: [ObservedCache, RESOLVED_OPTIONS, CACHE_CLOCK],
  useFactory: (provided: unknown, options: ResolvedOptions, clock: Clock) => cacheBehind(provided, options, clock),
};

/**
 * Returns the provided cache. If a test provides a stub with only a few methods, returns a cache that is switched off: handlers
 * and methods run, routes answer, and no layer connects.
 */
export function cacheBehind(
  provided: unknown,
  { namespace, metrics, health, serviceName }: ResolvedOptions,
  clock: Clock,
): ObservedCache {
  if (ObservedCache.isOne(provided)) return provided;
  return observedCacheOf(
    {
      enabled: false,
      namespace,
      clock,
      ...(metrics !== undefined && { metrics }),
      ...(health !== undefined && { health }),
      ...(serviceName !== undefined && { serviceName }),
      log: unguardedNestLog(),
    },
    { cache: OWN_CACHE, servers: new SharedServers(clock) },
  );
}
