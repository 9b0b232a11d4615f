import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import type { Module } from '@nestjs/core/injector/module.js';
import { APPLICATION_CACHE } from './application-cache.js';
import { RESOLVED_OPTIONS } from '../options/cache-observability.module-definition.js';
import type { CacheObservabilityOptions } from '../options/cache-observability.options.js';
import type { CacheLog } from '../cache/base/cache-log.js';
import { counted } from '../cache/base/counted.js';
import { CacheError } from '../cache/base/errors.js';
import type { Layer } from '../cache/layers/layer.js';
import { noteVersion, VERSION, versionsInUse } from '../cache/version.js';
import { CachingRuntime } from '../caching/caching-runtime.js';
import { handlerRoute } from '../caching/http/handler-route.js';
import type { ClassConstructor } from '../caching/decoration/decorated-classes.js';
import type { Method } from '../caching/decoration/method-site.js';
import { writeAccess } from '../monitoring/access.js';
import { NamedCaches } from './named-caches.js';
import { nestLog } from './nest-log.js';
import type { ObservedCache } from './observed-cache.js';
import type { ResolvedOptions } from '../options/resolved-options.js';
import { InProcessRequests } from '../warming/in-process-request.js';

/** Logs the module's configuration once after the start, and warns of mistakes in the wiring. */
@Injectable()
export class BootReport implements OnModuleInit, OnApplicationBootstrap {
  readonly #log: CacheLog;

  constructor(
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
    @Inject(APPLICATION_CACHE) private readonly cache: ObservedCache,
    @Inject(CachingRuntime) private readonly caching: CachingRuntime,
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
    @Inject(ApplicationConfig) private readonly config: ApplicationConfig,
    @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
    @Inject(NamedCaches) private readonly named: NamedCaches,
    @Inject(InProcessRequests) private readonly requests: InProcessRequests,
  ) {
    this.#log = nestLog(cache.callbacks);
    // Warn before any code reads metadata that another version stored on classes.
    this.#warnOfOtherVersions();
  }

  onModuleInit(): void {
    this.#warnOfSecondModule();
  }

  async onApplicationBootstrap(): Promise<void> {
    this.#logSummary();
    this.#warnOfOpenWrites();
    await this.#warnOfMissingPackage();
  }

  #logSummary(): void {
    const { options, cache, caching } = this;
    const names = (areMethods: boolean) =>
      caching.handlers
        .filter(({ transport }) => (transport === 'method') === areMethods)
        .map(({ className, methodName }) => `${className}.${methodName}`);
    const [handlers, methods] = [new Set(names(false)).size, new Set(names(true)).size];
    const layers = cache.layers.map((layer) => described(layer, options));
    const named = [...this.named.all].map(
      ([name, one]) =>
        `cache '${name}' with ${one.layers.map((layer) => described(layer, this.named.optionsOf(name))).join(', ')}`,
    );
    const { namespace, version } = options;
    const parts = [
      `layers ${layers.join(', ')}`,
      ...named,
      `namespace '${namespace}'${version === undefined ? '' : `, version '${version}'`}`,
      `${counted(handlers, 'cached handler')} and ${counted(methods, 'cached method')}`,
      `fast lane ${caching.answersEarly ? 'on' : 'off'}`,
      `metrics ${options.metrics === false ? 'off' : 'on'}`,
      ...this.#routes(),
      `nestjs-cache-observability ${VERSION}`,
    ];
    const state = cache.enabled ? 'Cache ready' : 'Cache switched off (enabled: false)';
    this.#log('log', 'CACHE_READY', `${state}: ${parts.join('; ')}.`, { handlers, methods });
  }

  /** Returns the paths of the routes, and who may use the routes that change data. */
  #routes(): string[] {
    const { monitoring, prometheus } = this.options;
    if (this.adapterHost.httpAdapter === undefined) return ['no routes without an HTTP adapter'];
    const writes = monitoring === false ? '' : WRITES[writeAccess(monitoring)];
    const routes = monitoring === false ? undefined : this.#pathOf(monitoring.path);
    const page = monitoring === false || !monitoring.dashboard ? '' : `, dashboard at ${routes}/dashboard`;
    const metrics = prometheus === false ? undefined : this.#pathOf(prometheus.path);
    return [
      routes === undefined ? 'no monitoring routes' : `routes at ${routes}${page}, writes ${writes}`,
      metrics !== undefined
        ? `Prometheus at ${metrics}`
        : prometheus === false
          ? 'no Prometheus route'
          : "Prometheus in the application's PrometheusModule",
    ];
  }

  /** Returns the full path of this module's controller at `path`; undefined if there is none. */
  #pathOf(path: string): string | undefined {
    const module = this.#own;
    const cls = [...(module?.controllers.values() ?? [])]
      .map(({ metatype }) => metatype as ClassConstructor)
      .find((metatype) => Reflect.getMetadata('path', metatype) === path);
    const methods = Object.values(Object.getOwnPropertyDescriptors((cls?.prototype ?? {}) as object));
    const handler = methods
      .map(({ value }) => value as Method | undefined)
      .find((method) => typeof method === 'function' && Reflect.hasMetadata('method', method));
    if (module === undefined || cls === undefined || handler === undefined) return undefined;
    const whole = handlerRoute(handler, cls, module, this.config, this.modules).path;
    const own = String(Reflect.getMetadata('path', handler)).replace(/^\/+|\/+$/g, '');
    return own === '' ? whole : whole.slice(0, whole.lastIndexOf(`/${own}`));
  }

  get #own(): Module | undefined {
    return [...this.modules.values()].find(({ providers }) => providers.get(BootReport)?.instance === this);
  }

  /** Warns of several registrations: each has its own cache, and the imports decide which one is injected. */
  #warnOfSecondModule(): void {
    const all = [...this.modules.values()].filter(({ providers }) => providers.has(BootReport));
    if (all.length < 2 || all[0] !== this.#own) return;
    const own = new Set<unknown>(all.map(({ metatype }) => metatype));
    const importers = [...this.modules.values()].filter((module) =>
      declaredImports(module).some((one) => own.has(one)),
    );
    const where = importers.length === 0 ? '' : ` (imported by ${importers.map(({ name }) => name).join(', ')})`;
    this.#log(
      'warn',
      'MODULE_TWICE',
      `CacheObservabilityModule is registered ${all.length} times in one application${where}: each has ` +
        'a cache, metrics and routes of its own. Call forRoot() once, in the root module; it is global unless isGlobal is false.',
    );
  }

  /** Warns if an unset NODE_ENV decides who may change the cache. */
  #warnOfOpenWrites(): void {
    const { monitoring } = this.options;
    if (monitoring === false || this.adapterHost.httpAdapter === undefined) return;
    if (writeAccess(monitoring) !== 'loopback') return;
    this.#log(
      'warn',
      'WRITES_OPEN',
      'NODE_ENV is not set: routes that change the cache are open to direct requests from this machine, and closed to all others. Set ' +
        'NODE_ENV (development opens them, production closes them), or protect them with monitoring.guards.',
    );
  }

  /** Warns of a package that `warm` needs, at boot and not only when the first warming run fails. */
  async #warnOfMissingPackage(): Promise<void> {
    const warmed = this.caching.handlers.filter(({ warm }) => warm.length > 0);
    if (warmed.length === 0 || this.adapterHost.httpAdapter === undefined) return;
    try {
      await this.requests.prepare();
    } catch (error) {
      if (!(error instanceof CacheError && error.code === 'MISSING_PACKAGE')) return;
      const names = warmed.map(({ className, methodName }) => `${className}.${methodName}()`);
      this.#log('warn', 'MISSING_PACKAGE', `warm of ${names.join(', ')} has no effect. ${error.message}`);
    }
  }

  #warnOfOtherVersions(): void {
    noteVersion();
    const versions = [...versionsInUse()].sort();
    if (versions.length < 2) return;
    this.#log(
      'warn',
      'SEVERAL_VERSIONS',
      `Versions ${versions.join(' and ')} of nestjs-cache-observability are loaded in one process. The module of one ` +
        'does not know the decorators and tokens of the other. Keep one: see npm ls nestjs-cache-observability.',
    );
  }
}

/** Returns the classes that a module's decorator imports. `Module.imports` also contains all global modules. */
function declaredImports({ metatype }: Module): unknown[] {
  const imports = (Reflect.getMetadata('imports', metatype) ?? []) as readonly ({ module?: unknown } | undefined)[];
  return imports.map((one) => one?.module ?? one);
}

const WRITES = {
  open: 'open to everybody',
  guarded: 'guarded',
  loopback: 'open to this machine only',
  closed: 'closed',
} as const;

/** Describes a layer: its name, address and limits. */
function described(layer: Layer, { layers, cache }: Pick<CacheObservabilityOptions, 'layers' | 'cache'>): string {
  const adopted = cache === undefined ? undefined : cache === 'app' ? "the application's CacheModule" : 'an own cache';
  const address = adopted ?? layers?.find(({ name }) => name === layer.name)?.address ?? 'this process';
  const { entries = Infinity, bytes = Infinity } = layer.status().bounds ?? {};
  const bounds = [
    ...(entries < Infinity ? [counted(entries, 'entry', 'entries')] : []),
    ...(bytes < Infinity ? [`${Math.round((bytes / MEGABYTE) * 10) / 10} MB`] : []),
  ];
  return `${layer.name} (${[address, ...(bounds.length > 0 ? [`at most ${bounds.join(', ')}`] : [])].join(', ')})`;
}

const MEGABYTE = 1_024 * 1_024;
