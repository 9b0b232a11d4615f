import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { APPLICATION_CACHE } from './application-cache.js';
import { RESOLVED_OPTIONS } from '../options/cache-observability.module-definition.js';
import type { Clock } from '../cache/base/clock.js';
import { CACHE_CLOCK } from '../cache/base/tokens.js';
import { ShutdownBudget } from '../cache/base/shutdown-budget.js';
import { CachingRuntime } from '../caching/caching-runtime.js';
import { nestLog } from './nest-log.js';
import type { ObservedCache } from './observed-cache.js';
import type { ResolvedOptions } from '../options/resolved-options.js';
import type { MetricsStore } from '../persistence/metrics-store.js';
import { Persistence } from '../persistence/persistence.js';
import { ApplicationUp } from '../warming/application-up.js';
import type { ClockWarming } from '../warming/predictive/predictive-warming.js';
import { CacheWarmer } from '../warming/cache-warmer.js';
import { POPULAR_KEYS } from '../warming/popular-keys.js';
import { StrategyRegistry } from '../warming/strategy-registry.js';

/** Token of the store for the learned times at which keys are used; undefined if there is none. */
export const PREDICTIONS_STORE = Symbol('cache-observability:predictions-store');

/** The default limit of loads for a quarter of an hour. */
const MAX_LOADS = 500;

/** Warms keys before their usual time of use if `warming.predictive` is on, and keeps the learned state over a restart. */
@Injectable()
export class PredictiveWarming implements OnApplicationBootstrap, OnApplicationShutdown {
  #warming: ClockWarming | undefined;
  #giveUp: () => void = () => undefined;
  #kept: Persistence | undefined;

  constructor(
    @Inject(APPLICATION_CACHE) private readonly cache: ObservedCache,
    @Inject(CacheWarmer) private readonly warmer: CacheWarmer,
    @Inject(StrategyRegistry) private readonly registry: StrategyRegistry,
    @Inject(CachingRuntime) private readonly caching: CachingRuntime,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
    @Inject(PREDICTIONS_STORE) private readonly store: MetricsStore | undefined,
    @Inject(ApplicationUp) private readonly up: ApplicationUp,
    @Inject(CACHE_CLOCK) private readonly clock: Clock,
    @Inject(ShutdownBudget) private readonly shutdown: ShutdownBudget,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const { predictive = false } = this.options.warming ?? {};
    if (predictive === false || this.options.enabled === false) return;
    const { maxLoads = MAX_LOADS } = predictive === true ? {} : predictive;
    const [{ ClockWarming, PREDICTIVE }, { WarmableKeys }] = await Promise.all([
      import('../warming/predictive/predictive-warming.js'),
      import('../warming/predictive/warmable-keys.js'),
    ]);
    const { cache, warmer, store, clock, shutdown } = this;
    const log = nestLog(cache.callbacks);
    const strategies = () =>
      this.registry.all.filter(({ options }) => options.name !== PREDICTIVE && options.name !== POPULAR_KEYS);
    const keys = new WarmableKeys({ target: cache, handlers: () => this.caching.handlers, strategies });
    const warming = new ClockWarming({ target: cache, keys, warmer, clock, log, maxLoads });
    warmer.register(warming, { name: PREDICTIVE, onStartup: false });
    this.#kept = new Persistence({ what: 'Predictions', metrics: warming, store, clock, log, shutdown });
    await this.#kept.onModuleInit();
    this.#warming = warming;
    // Handlers have registered their warming by then.
    this.#giveUp = this.up.whenUp(() => warming.start());
  }

  /** Runs while the layers are still connected. */
  async onApplicationShutdown(): Promise<void> {
    this.#giveUp();
    this.#warming?.close();
    await this.#kept?.onApplicationShutdown();
  }
}
