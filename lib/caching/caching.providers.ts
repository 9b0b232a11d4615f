import type { FactoryProvider, InjectionToken, Provider } from '@nestjs/common';
import { CachingLink } from './decoration/class-host.js';
import { CachingRuntime } from './caching-runtime.js';
import type { CachingOptions } from './options/caching.options.js';
import { CACHING_CACHE, CACHING_OPTIONS } from './caching.tokens.js';

/** Returns the providers of caching for the module. The module must also export {@link cachingExports}. */
export function cachingProviders(parts: {
  /** Token of the cache: a `LayeredCache`. */
  readonly cache: InjectionToken;
  readonly options: Pick<FactoryProvider<CachingOptions>, 'inject' | 'useFactory'>;
}): Provider[] {
  return [
    CachingLink,
    { provide: CACHING_CACHE, useExisting: parts.cache },
    { provide: CACHING_OPTIONS, ...parts.options },
    CachingRuntime,
  ];
}

/** The providers that the module exports, so that decorated classes of other modules find their runtime. */
export const cachingExports = [CachingLink, CachingRuntime] as const;
