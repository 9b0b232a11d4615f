import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { APPLICATION_CACHE } from '../wiring/application-cache.js';
import { RESOLVED_OPTIONS } from '../options/cache-observability.module-definition.js';
import type { CacheLog } from '../cache/base/cache-log.js';
import type { CacheContract } from '../cache/contract/cache-contract.js';
import { CacheError } from '../cache/base/errors.js';
import { CACHE_MANAGER } from './cache-manager-tokens.js';
import { DeferredCache } from './deferred-cache.js';
import { nestLog } from '../wiring/nest-log.js';
import { loggedRefusal } from '../caching/boot-refusal.js';
import { ObservedCache } from '../wiring/observed-cache.js';
import type { ResolvedOptions } from '../options/resolved-options.js';

/**
 * Finds the caches that the application's own CacheModules provide. With `cache: 'app'`, each of them is observed in place and
 * `ObservedCache` delegates to the first. Otherwise an unobserved one is logged, because users may mistake it for the observed
 * cache.
 */
@Injectable()
export class ApplicationCaches implements OnModuleInit {
  readonly #modules: ModulesContainer;
  readonly #cache: ObservedCache;
  readonly #deferred: DeferredCache;
  readonly #options: ResolvedOptions;

  constructor(
    @Inject(ModulesContainer) modules: ModulesContainer,
    @Inject(APPLICATION_CACHE) cache: ObservedCache,
    @Inject(DeferredCache) deferred: DeferredCache,
    @Inject(RESOLVED_OPTIONS) options: ResolvedOptions,
  ) {
    this.#modules = modules;
    this.#cache = cache;
    this.#deferred = deferred;
    this.#options = options;
  }

  /** By now every provider exists, and no module of the application is initialised yet. */
  onModuleInit(): void {
    const caches = this.#provided();
    if (this.#options.cache !== 'app') {
      if (caches.length > 0) warnOfAnother(nestLog(this.#cache.callbacks));
      return;
    }
    const [first, ...others] = caches;
    if (first === undefined) throw loggedRefusal(nothingToAdopt());
    this.#deferred.become(this.#cache.observe(first));
    for (const cache of others) this.#cache.observe(cache);
  }

  #provided(): CacheContract[] {
    const caches = new Set<unknown>();
    for (const { providers } of this.#modules.values()) {
      const wrapper = providers.get(CACHE_MANAGER);
      if (wrapper !== undefined && !wrapper.isAlias) caches.add(wrapper.instance);
    }
    return [...caches].filter(isCache);
  }
}

function isCache(candidate: unknown): candidate is CacheContract {
  return (
    typeof candidate === 'object' &&
    candidate !== null &&
    'wrap' in candidate &&
    typeof candidate.wrap === 'function' &&
    !(candidate instanceof ObservedCache)
  );
}

function warnOfAnother(log: CacheLog): void {
  log(
    'warn',
    'UNOBSERVED_CACHE',
    "The application imports @nestjs/cache-manager's CacheModule beside this module: its CACHE_MANAGER is a separate " +
      "cache without observation. Remove that CacheModule, or observe it with cache: 'app'.",
  );
}

function nothingToAdopt(): CacheError {
  return new CacheError(
    'INVALID_OPTIONS',
    "CacheObservabilityModule: cache: 'app' needs a CacheModule in the application, and there is none. " +
      "Import CacheModule from '@nestjs/cache-manager', or leave `cache` out.",
  );
}
