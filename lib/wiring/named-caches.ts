import { type DynamicModule, Inject, Injectable, Module } from '@nestjs/common';
import { type ApplicationConfig, type HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import type { CacheFeatureOptions } from '../options/cache-observability.options.js';
import { RESOLVED_OPTIONS } from '../options/cache-observability.module-definition.js';
import { cacheBehind } from './application-cache.js';
import { type Clock, systemClock } from '../cache/base/clock.js';
import { CacheError } from '../cache/base/errors.js';
import { CACHE_CLOCK, cacheNameIn, cacheToken } from '../cache/base/tokens.js';
import { faultsError } from '../cache/options/option-rules.js';
import { DECLARING_PARTS, type DeclaringParts, declaredFaults, FEATURE_OPTIONS } from './declared-faults.js';
import { observedCacheOf } from './create-observed-cache.js';
import { unguardedNestLog } from './nest-log.js';
import type { ObservedCache } from './observed-cache.js';
import { SharedServers } from './shared-servers.js';
import { featureFaults } from '../options/module-option-rules.js';
import type { ResolvedOptions } from '../options/resolved-options.js';
import { applicationName } from '../options/service-name.js';

/**
 * Injects the cache that `CacheObservabilityModule.forFeature(name, …)` created, as an `ObservedCache`.
 * @publicApi
 */
export function InjectCache(name: string): PropertyDecorator & ParameterDecorator {
  return Inject(cacheToken(name));
}

@Module({})
class CacheFeatureModule {}

/** Creates the module that provides one named cache to the modules that import it. */
export function featureModule(name: string, options: CacheFeatureOptions): DynamicModule {
  const token = cacheToken(name);
  return {
    module: CacheFeatureModule,
    providers: [
      {
        provide: token,
        inject: [
          ...DECLARING_PARTS,
          { token: RESOLVED_OPTIONS, optional: true },
          { token: CACHE_CLOCK, optional: true },
          { token: SharedServers, optional: true },
        ],
        useFactory: (
          modules: ModulesContainer,
          config: ApplicationConfig,
          adapterHost: HttpAdapterHost,
          application?: ResolvedOptions,
          clock: Clock = systemClock,
          servers = new SharedServers(clock),
        ) => namedCache([modules, config, adapterHost], name, options, application, clock, servers),
      },
      { provide: FEATURE_OPTIONS + name, useValue: options },
    ],
    exports: [token],
  };
}

function namedCache(
  parts: DeclaringParts,
  name: string,
  options: CacheFeatureOptions,
  application: ResolvedOptions | undefined,
  clock: Clock,
  servers: SharedServers,
) {
  if (application === undefined) {
    throw new CacheError(
      'INVALID_OPTIONS',
      `CacheObservabilityModule.forFeature('${String(name)}'): the application has no CacheObservabilityModule.forRoot(), or it is not ` +
        'global. Import it in the root module.',
    );
  }
  const { serviceName, namespace } = application;
  const own = serviceName ?? (namespace === applicationName().name ? undefined : namespace);
  const faults = featureFaults(name, options, own);
  if (faults.length > 0) {
    const all = [...faults, ...declaredFaults(parts, own, name)];
    throw faultsError(`CacheObservabilityModule.forFeature('${String(name)}')`, all);
  }
  const { metrics, health, insight, alerts, collectors, version, random } = application;
  return observedCacheOf(
    {
      ...options,
      // A namespace cannot contain the separator, so the result differs from every namespace.
      namespace: `${namespace}\0${name}`,
      clock,
      ...(random !== undefined && { random }),
      ...(version !== undefined && { version }),
      ...(metrics !== undefined && { metrics }),
      ...(health !== undefined && { health }),
      ...(insight !== undefined && { insight }),
      ...(alerts !== undefined && { alerts }),
      serviceName: `${serviceName ?? namespace} ${name}`,
      ...(collectors !== undefined && { collectors }),
      enabled: options.enabled ?? application.enabled ?? true,
      log: unguardedNestLog(),
    },
    { cache: name, servers },
  );
}

/** Finds the named caches of an application. Use it when all providers exist. */
@Injectable()
export class NamedCaches {
  readonly #modules: ModulesContainer;
  #found: ReadonlyMap<string, ObservedCache> | undefined;

  constructor(
    @Inject(ModulesContainer) modules: ModulesContainer,
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
    @Inject(CACHE_CLOCK) private readonly clock: Clock,
  ) {
    this.#modules = modules;
  }

  /** Returns the named caches by name. @throws CacheError `INVALID_OPTIONS` for a duplicate name. */
  get all(): ReadonlyMap<string, ObservedCache> {
    return (this.#found ??= this.#find());
  }

  #find(): ReadonlyMap<string, ObservedCache> {
    const found = new Map<string, ObservedCache>();
    for (const { providers } of this.#modules.values()) {
      for (const [token, { instance, isAlias }] of providers) {
        const name = cacheNameIn(token);
        if (isAlias || name === undefined || instance === undefined || instance === null) continue;
        if (found.has(name)) throw twoOf(name);
        found.set(name, cacheBehind(instance, this.options, this.clock));
      }
    }
    return found;
  }

  /** Returns the options that `forFeature` got for a name. */
  optionsOf(name: string): CacheFeatureOptions {
    const module = [...this.#modules.values()].find(({ providers }) => providers.has(FEATURE_OPTIONS + name));
    return (module?.providers.get(FEATURE_OPTIONS + name)?.instance ?? {}) as CacheFeatureOptions;
  }

  async connect(): Promise<void> {
    await Promise.all([...this.all.values()].map((cache) => cache.connect()));
  }

  /** Call it when all handlers are declared. */
  settle(): void {
    for (const { tuning } of this.all.values()) tuning.settle();
  }

  async close(withinMs: number): Promise<void> {
    await Promise.all([...(this.#found?.values() ?? [])].map((cache) => cache.close(withinMs)));
  }
}

function twoOf(name: string): CacheError {
  return new CacheError(
    'INVALID_OPTIONS',
    `CacheObservabilityModule.forFeature('${name}'): two caches have this name. Call it once and import the module where the cache is ` +
      'used, or give one of them another name.',
  );
}
