import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { loggedRefusal } from '../caching/boot-refusal.js';
import { type WarmingStrategy, type WarmingStrategyOptions, warmingStrategyOptionsOf } from './strategy.js';
import { StrategyRegistry } from './strategy-registry.js';

/** Finds the application's strategies among its providers. */
@Injectable()
export class StrategyExplorer implements OnModuleInit {
  readonly #log = new Logger('CacheWarmer');

  constructor(
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(StrategyRegistry) private readonly registry: StrategyRegistry,
  ) {}

  async onModuleInit(): Promise<void> {
    const found = this.#found();
    if (found.some(({ options }) => options.cron !== undefined)) await this.registry.cron.load();
    try {
      for (const { strategy, options } of found) this.registry.add(strategy, options);
    } catch (error) {
      throw loggedRefusal(error);
    }
  }

  #found(): { readonly strategy: WarmingStrategy; readonly options: WarmingStrategyOptions }[] {
    const found: { strategy: WarmingStrategy; options: WarmingStrategyOptions }[] = [];
    const classes = new Set<unknown>();
    for (const wrapper of this.discovery.getProviders()) {
      if (wrapper.isAlias) continue;
      const type: unknown =
        wrapper.metatype && warmingStrategyOptionsOf(wrapper.metatype)
          ? wrapper.metatype
          : wrapper.instance?.constructor;
      const options = warmingStrategyOptionsOf(type);
      if (options === undefined || classes.has(type)) continue;
      classes.add(type);
      if (!wrapper.isDependencyTreeStatic() || wrapper.isTransient) {
        this.#log.warn(
          `Warming strategy "${options.name}" (${wrapper.name}) does not run: it is request-scoped or transient, or depends ` +
            'on such a provider. Warming has no request. Make it and its dependencies singletons.',
        );
        continue;
      }
      found.push({ strategy: wrapper.instance as WarmingStrategy, options });
    }
    return found;
  }
}
