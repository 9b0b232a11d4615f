import { Inject, Injectable, type NestInterceptor, type OnModuleInit } from '@nestjs/common';
import { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { CACHE_MANAGER, cacheClass } from './cache-manager-tokens.js';
import { RESOLVED_OPTIONS } from '../options/cache-observability.module-definition.js';
import { ObservedCache } from '../wiring/observed-cache.js';

/** The metadata key that marks controllers whose responses caching interceptors must not store. */
const UNCACHED = 'nestjs-cache-observability:uncached';
const KEPT_OFF = Symbol.for('nestjs-cache-observability:kept-off');

/** An interceptor that injects one of these tokens counts as a caching interceptor. */
const CACHE_TOKENS: ReadonlySet<unknown> = new Set([CACHE_MANAGER, cacheClass ?? CACHE_MANAGER, ObservedCache]);

type Intercept = NestInterceptor['intercept'] & { readonly [KEPT_OFF]?: true };

/**
 * Disables global caching interceptors, such as Nest's `CacheInterceptor`, on the monitoring routes and `/metrics`. These
 * routes must return current figures and must not change the statistics that they report.
 */
@Injectable()
export class CachingInterceptors implements OnModuleInit {
  readonly #modules: ModulesContainer;
  readonly #config: ApplicationConfig;

  constructor(
    @Inject(ModulesContainer) modules: ModulesContainer,
    @Inject(ApplicationConfig) config: ApplicationConfig,
  ) {
    this.#modules = modules;
    this.#config = config;
  }

  /** By now every interceptor of the application is registered. */
  onModuleInit(): void {
    for (const { controllers, providers, name } of this.#modules.values()) {
      // The PrometheusModule of the application also exports the metrics of this cache.
      if (!providers.has(RESOLVED_OPTIONS) && name !== 'PrometheusModule') continue;
      for (const { metatype } of controllers.values())
        if (typeof metatype === 'function') Reflect.defineMetadata(UNCACHED, true, metatype);
    }
    for (const interceptor of this.#config.getGlobalInterceptors())
      if (isCaching(interceptor, interceptor.constructor)) keepOff(interceptor);
    for (const { metatype } of this.#config.getGlobalRequestInterceptors()) {
      const prototype = (metatype as { prototype?: NestInterceptor } | null)?.prototype;
      if (prototype !== undefined && isCaching(prototype, metatype)) keepOff(prototype);
    }
  }
}

/** True for Nest's `CacheInterceptor` and its subclasses, and for interceptors that hold or inject a cache. */
function isCaching(interceptor: object, type: unknown): boolean {
  const { trackBy, isRequestCacheable } = interceptor as { trackBy?: unknown; isRequestCacheable?: unknown };
  if (typeof trackBy === 'function' && typeof isRequestCacheable === 'function') return true;
  return injectedInto(type).some((token) => CACHE_TOKENS.has(token)) || Object.values(interceptor).some(isCache);
}

/** Returns the tokens of a class's constructor parameters and properties from Nest's metadata. */
function injectedInto(type: unknown): unknown[] {
  if (typeof type !== 'function') return [];
  const types = listOf(Reflect.getMetadata('design:paramtypes', type));
  const parameters = listOf(Reflect.getMetadata('self:paramtypes', type)) as { param?: unknown }[];
  const properties = listOf(Reflect.getMetadata('self:properties_metadata', type)) as { type?: unknown }[];
  return [...types, ...parameters.map(({ param }) => param), ...properties.map((property) => property.type)];
}

function listOf(metadata: unknown): unknown[] {
  return Array.isArray(metadata) ? metadata : [];
}

function isCache(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['get', 'set', 'del', 'wrap'].every((name) => typeof (value as Record<string, unknown>)[name] === 'function')
  );
}

function keepOff(interceptor: NestInterceptor): void {
  const intercept: Intercept = interceptor.intercept;
  if (intercept[KEPT_OFF] === true) return;
  const keptOff: Intercept = function (this: NestInterceptor, context, next) {
    return Reflect.hasOwnMetadata(UNCACHED, context.getClass()) ? next.handle() : intercept.call(this, context, next);
  };
  interceptor.intercept = Object.assign(keptOff, { [KEPT_OFF]: true });
}
