import { Inject, Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { type WarmingStrategy, warmingStrategyOptionsOf } from './strategy.js';
import { StrategyRegistry } from './strategy-registry.js';

/** Finds the application's strategies among its providers. */
@Injectable()
export class StrategyExplorer implements OnModuleInit {
  readonly #log = new Logger('CacheWarmer');

  constructor(
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(StrategyRegistry) private readonly registry: StrategyRegistry,
  ) {}

  onModuleInit(): void {
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
          `Warming strategy "${options.name}" (${wrapper.name}) is not run: it is request-scoped or transient, or depends ` +
            'on what is. Warming has no request; make it and what it needs singletons.',
        );
        continue;
      }
      this.registry.add(wrapper.instance as WarmingStrategy, options);
    }
  }
}
