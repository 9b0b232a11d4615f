import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { APPLICATION_CACHE } from './application-cache.js';
import { RESOLVED_OPTIONS } from '../options/cache-observability.module-definition.js';
import type { Clock } from '../cache/base/clock.js';
import { CACHE_CLOCK, OWN_CACHE } from '../cache/base/tokens.js';
import { NamedCaches } from './named-caches.js';
import { namedLog } from './named-log.js';
import { nestLog } from './nest-log.js';
import type { ObservedCache } from './observed-cache.js';
import type { ResolvedOptions } from '../options/resolved-options.js';
import { WarmStart } from '../warming/warm-start.js';

/** The most keys that a start reads into memory. */
const MAX_KEYS = 5_000;

/** Fills the memory of every cache with the keys that had the most requests, before the application is ready. */
@Injectable()
export class WarmStarts implements OnApplicationBootstrap, OnModuleDestroy {
  #starts: readonly WarmStart[] = [];

  constructor(
    @Inject(APPLICATION_CACHE) private readonly cache: ObservedCache,
    @Inject(NamedCaches) private readonly named: NamedCaches,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
    @Inject(CACHE_CLOCK) private readonly clock: Clock,
  ) {}

  /** By now the classes of values are declared and invalidations are subscribed. */
  async onApplicationBootstrap(): Promise<void> {
    const { warmStart = true } = this.options.warming ?? {};
    if (warmStart === false || this.options.enabled === false) return;
    const { maxKeys = MAX_KEYS } = warmStart === true ? {} : warmStart;
    const { clock, options } = this;
    const random = options.random ?? Math.random;
    const caches: [string, ObservedCache][] = [[OWN_CACHE, this.cache], ...this.named.all];
    this.#starts = caches.map(
      ([name, cache]) =>
        new WarmStart({ cache, maxKeys, clock, random, log: namedLog(nestLog(cache.callbacks), name) }),
    );
    await Promise.all(this.#starts.map((each) => each.start()));
  }

  /** Runs while the layers are still connected. */
  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.#starts.map((each) => each.stop()));
  }
}
