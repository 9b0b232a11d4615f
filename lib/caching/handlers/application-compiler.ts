import type { ApplicationConfig, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import type { LayeredCache } from '../../cache/layered-cache.js';
import type { CachedHandler, CachedRoute } from '../decoration/cached-handler.js';
import { unknownName } from '../../cache/options/unknown-option.js';
import type { CachingOptions, NamedCache } from '../options/caching.options.js';
import type { ClassHost, HandlerRunner, MethodRunner } from '../decoration/class-host.js';
import {
  type ClassConstructor,
  decoratedClasses,
  type ProvidedClass,
  unsharedInstances,
} from '../decoration/decorated-classes.js';
import { handlerTransports } from '../decoration/handler-kind.js';
import { methodsOf, routeCarriers } from '../decoration/route-carriers.js';
import { type CachedSite, cachedSiteOf, type Method, methodName, type MethodSite } from '../decoration/method-site.js';
import { compileHttp, type HandlerMount, type HttpApplication } from './compile-http.js';
import { responseAdapterOf } from '../http/response-adapter.js';
import type { RouteHits } from '../http/route-hits.js';
import { selectingHeaders } from '../http/selecting-headers.js';
import type { WarmingRequests } from '../gate/warming-requests.js';
import type { EarlyHits } from '../http/early-hits.js';
import type { Transport } from '../inputs/call.js';
import { handlerInputs } from '../inputs/handler-inputs.js';
import type { Fault } from '../keys/key-design.js';
import { InvalidatingMethod } from './cached-method.js';
import { Compilation } from './compilation.js';
import { compileMessage } from './compile-message.js';
import { compileMethod } from './compile-method.js';
import { DecoratorChecks } from './decorator-checks.js';
import { type HandledClass, handledClasses, type HandledMethod } from './handled-classes.js';
import type { HandlerTable } from './handler-table.js';
import { Invalidation } from '../invalidation/invalidation.js';
import { InvalidatingHandler } from './message-handler.js';
import { madeAlike, type ProviderName, ProviderNames } from './provider-names.js';
import { type NamedRoute, RouteNames } from './route-names.js';
import type { SettledClasses } from './instances.js';
import { routeBase } from '../http/handler-route.js';

type Mounted = Pick<HandlerMount, 'mountedTwice' | 'alone'>;

/** Compiles the decorated handlers and methods of one application. */
export class ApplicationCompiler {
  readonly #compilation: Compilation;
  /** The compilations of named caches. */
  readonly #named = new Map<string, Compilation>();
  readonly #checks: DecoratorChecks;
  #classes: ReadonlyMap<ClassConstructor, HandledClass> = new Map();
  #names = new ProviderNames([], () => []);
  /** Hosts of the application's providers. */
  #hosts: ReadonlySet<ClassHost> = new Set();
  #routeNames = new RouteNames();
  #http: HttpApplication | undefined;

  constructor(
    cache: LayeredCache,
    private readonly options: CachingOptions,
    private readonly modules: ModulesContainer,
    private readonly config: ApplicationConfig,
    private readonly adapterHost: HttpAdapterHost,
    private readonly early: EarlyHits | undefined,
    private readonly routes: RouteHits,
    private readonly warming: WarmingRequests,
  ) {
    this.#compilation = new Compilation(cache, options);
    this.#checks = new DecoratorChecks(this.#compilation.faults, adapterHost);
  }

  faults(): readonly Fault[] {
    return this.#compilation.faults.list;
  }

  handlers(): readonly CachedHandler[] {
    return this.#compilation.handlers;
  }

  close(): void {
    this.#compilation.close();
    for (const compilation of this.#named.values()) compilation.close();
  }

  /** Records where each class is provided, which determines names in keys. A subclass can call an overridden method by `super`. */
  settled({ provided, hosted }: SettledClasses): void {
    this.#classes = handledClasses(provided, this.config, this.modules);
    this.#hosts = new Set(hosted.map(({ host }) => host));
    this.#names = new ProviderNames(hosted, ({ cls }) =>
      methodsOf(cls.prototype, true).flatMap((method) => {
        const site = cachedSiteOf(method);
        if (site === undefined || handlerTransports(method as Method, cls).includes('http')) return [];
        return site.options.name ?? cls.name;
      }),
    );
    for (const { cls, methods } of this.#classes.values()) {
      for (const { cached, routes } of methods) {
        const [route] = routes;
        if (cached !== undefined && route !== undefined) this.#routeNames.add(namedRoute(cls, cached, route));
      }
    }
  }

  /** Adds handlers to the table and compiles methods for their hosts, so that faults are found at boot. */
  compileAll({ hosted }: SettledClasses, table: HandlerTable): void {
    const carriers = routeCarriers(this.modules);
    const classes = [...this.#classes.values()];
    for (const { methods } of classes) for (const method of methods) this.#checks.learn(method);
    for (const handled of classes) {
      const { cls, mounts, methods } = handled;
      // One request-scoped registration is enough: its instances may hold their caller.
      const one = mounts.find(({ wrapper }) => unsharedInstances(wrapper) !== undefined) ?? mounts[0];
      const isMount = (wrapper: unknown) => mounts.some((mount) => mount.wrapper === wrapper);
      const hosts = hosted.filter((each) => each.cls === cls).map(({ host }) => host);
      for (const method of methods) {
        const { cached, transports, routes } = method;
        this.#checks.check(handled, method);
        const alone = cached !== undefined && [...(carriers.get(cached) ?? [])].every(isMount);
        const route = routes[mounts.indexOf(one)];
        for (const transport of transports)
          this.#addHandler(table, transport, one, method, route, { mountedTwice: mounts.length > 1, alone });
        if (cached !== undefined) this.#refuseSharedKeys(cached, handled, transports);
        if (transports.length === 0) for (const host of hosts) prepareMethod(method, host);
      }
    }
    const { handlers, log } = this.#compilation;
    this.#checks.reportUnset(handlers, log);
    // Only needed during compilation.
    this.#classes = new Map();
    this.#routeNames = new RouteNames();
  }

  /** Undefined for handlers, and for methods that were refused at boot. */
  methodOf(site: MethodSite, host: ClassHost): MethodRunner | undefined {
    const cls = host.cls as ClassConstructor;
    const own = (cls.prototype as Record<string | symbol, unknown>)[site.method];
    const isHandler = [own, site.dispatcher].some(
      (implementation) =>
        typeof implementation === 'function' && handlerTransports(implementation as Method, cls).length > 0,
    );
    if (isHandler) return undefined;
    if (site.kind === 'invalidating') return this.#invalidatingMethod(site, cls);
    if (!this.#hosts.has(host) && site.options.key === undefined && !tellsInstancesApart(site)) {
      this.#compilation.log(
        'warn',
        'INSTANCE_UNKNOWN',
        `${cls.name}.${methodName(site.method)}() runs uncached on instances that code makes, as ModuleRef.create() does: one could get the ` +
          "values of another. Name what differs, such as `vary: 'this.tenant'`, or set `shared: true` where nothing does.",
      );
      return undefined;
    }
    const name = this.#nameIn(this.#names.of(host, site.options.name), site, cls);
    return name === undefined
      ? undefined
      : compileMethod(this.#compilationOf(site), site, cls, name, this.#unsharedInstances(cls), host.instance);
  }

  /** The compilation of the cache that a decorator names; an unknown name is a fault. */
  #compilationOf({ options, declaredBy, method }: MethodSite): Compilation {
    const { cache: name } = options;
    if (name === undefined || name === 'default') return this.#compilation;
    const known = this.#named.get(name);
    if (known !== undefined) return known;
    const caches = this.options.named?.() ?? new Map<string, NamedCache>();
    const cache = caches.get(name);
    if (cache === undefined) {
      this.#compilation.faults.add(
        'INVALID_OPTIONS',
        `${declaredBy.name}.${methodName(method)}(): ${unknownName(`cache '${name}'`, name, ['default', ...caches.keys()])}. Import ` +
          `CacheObservabilityModule.forFeature('${name}') to have it.`,
      );
      return this.#compilation;
    }
    const measured = this.options.metrics === undefined ? {} : { metrics: cache.metrics };
    const compilation = new Compilation(cache, { ...this.options, ...measured }, this.#compilation);
    this.#named.set(name, compilation);
    return compilation;
  }

  /** The name in keys; undefined, with a fault, where two classes or instances would have the same keys. */
  #nameIn({ name, clash }: ProviderName, site: CachedSite, cls: ClassConstructor): string | undefined {
    const { pattern, options } = site;
    if (clash === undefined || pattern.kind === 'template' || options.key !== undefined) return name;
    if (clash.kind === 'instances' && tellsInstancesApart(site)) return name;
    this.#compilation.faults.add(
      'DUPLICATE_NAME',
      `${cls.name}.${methodName(site.method)}(): several ${clash.kind} are named '${name}' in keys (${clash.places}), so one could get ` +
        `another's values. ${
          clash.kind === 'classes'
            ? `Name each: @Cached('${pattern.statistics}', { name: 'Other${name}' }), or set \`key\`.`
            : `Declare how they differ: \`vary: 'this.tenant'\`, \`key\`, or \`shared: true\` where they do not differ.`
        }`,
    );
    return undefined;
  }

  /** Refuses several instances of a class that would write the same keys, by a template or a route. */
  #refuseSharedKeys(
    site: CachedSite,
    { cls, mounts }: HandledClass,
    transports: readonly Exclude<Transport, 'method'>[],
  ): void {
    const { pattern, options } = site;
    const handled = transports.some((transport) => transport !== 'http');
    if (options.key !== undefined || (pattern.kind === 'prefix' && !handled)) return;
    if (tellsInstancesApart(site) || madeAlike(mounts)) return;
    this.#compilation.faults.add(
      'DUPLICATE_NAME',
      `${cls.name}.${methodName(site.method)}(): ${mounts.length} instances of its class write the same keys ` +
        `('${pattern.statistics}'), and what is injected into them differs, so one could get another's values. ` +
        `Name the difference, such as {this.tenant}, or set \`shared: true\` where they do not differ.`,
    );
  }

  #addHandler(
    table: HandlerTable,
    transport: Exclude<Transport, 'method'>,
    provided: ProvidedClass,
    method: HandledMethod,
    route: CachedRoute | undefined,
    mounted: Mounted,
  ): void {
    const { implementation, cached } = method;
    const invalidations = this.#invalidations(transport, provided, method);
    let make: (() => HandlerRunner) | undefined;
    if (cached !== undefined)
      make = this.#cachedHandler(transport, provided, cached, implementation, route, invalidations, mounted);
    if (make === undefined && invalidations.length > 0) make = () => new InvalidatingHandler(invalidations);
    if (make !== undefined) table.add(implementation, provided.cls, transport, make);
  }

  #cachedHandler(
    transport: Exclude<Transport, 'method'>,
    provided: ProvidedClass,
    site: CachedSite,
    implementation: Method,
    route: CachedRoute | undefined,
    invalidations: readonly Invalidation[],
    mounted: Mounted,
  ): (() => HandlerRunner) | undefined {
    if (transport === 'http') {
      if (route === undefined) return undefined;
      const mount = { ...mounted, route, nameOf: () => this.#routeName(provided.cls, site, route) };
      const compilation = this.#compilationOf(site);
      return compileHttp(compilation, this.#httpApplication(), mount, provided, site, implementation, invalidations);
    }
    const className = this.#nameIn(this.#names.ofClass(provided.cls, site.options.name), site, provided.cls);
    if (className === undefined) return undefined;
    const name = `${className}.${methodName(site.method)}`;
    const handler = compileMessage(
      this.#compilationOf(site),
      transport,
      provided,
      site,
      implementation,
      name,
      this.config,
      invalidations,
      this.warming,
    );
    return handler && (() => handler);
  }

  /** Created once: versioning is known when handlers are compiled. */
  #httpApplication(): HttpApplication {
    const { config, adapterHost, early, routes, warming } = this;
    return (this.#http ??= {
      config,
      responses: responseAdapterOf(adapterHost.httpAdapter?.getType()),
      early,
      routes,
      warming,
      adapter: adapterHost.httpAdapter,
      selectingHeaders: selectingHeaders(config.getVersioning(), this.modules),
    });
  }

  #invalidations(
    transport: Exclude<Transport, 'method'>,
    { cls, module }: ProvidedClass,
    { implementation, invalidating }: HandledMethod,
  ): Invalidation[] {
    const { faults } = this.#compilation;
    return invalidating.flatMap((site) => {
      const { options, method, original } = site;
      const owner = `${cls.name}.${methodName(method)}()`;
      const handler = { transport, cls, method, implementation, module, config: this.config };
      const inputs = handlerInputs(handler, original);
      return faults.try(() => new Invalidation(options, this.#compilationOf(site), { transport, inputs, owner })) ?? [];
    });
  }

  #invalidatingMethod(site: MethodSite & { kind: 'invalidating' }, cls: ClassConstructor): MethodRunner | undefined {
    const { faults } = this.#compilation;
    const owner = `${cls.name}.${methodName(site.method)}()`;
    const { options } = site;
    const invalidation = faults.try(
      () => new Invalidation(options, this.#compilationOf(site), { transport: 'method', inputs: [], owner }),
    );
    return invalidation === undefined ? undefined : new InvalidatingMethod(site.original, invalidation);
  }

  #routeName(cls: ClassConstructor, site: CachedSite, handled: CachedRoute): string {
    const route = namedRoute(cls, site, handled);
    const name = this.#routeNames.of(route);
    if (name === undefined && site.pattern.kind === 'prefix' && site.options.key === undefined) {
      this.#compilation.faults.add(
        'DUPLICATE_NAME',
        `${route.owner}(): a handler of another class of that name has the route ${route.base}, too, so one could answer with ` +
          `the other's values. Name each: @Cached('${site.pattern.statistics}', { name: 'Other${cls.name}' }).`,
      );
    }
    return name ?? route.base;
  }

  #unsharedInstances(cls: ClassConstructor): string | undefined {
    // After boot: a class that code instantiated, or of a module that was loaded later.
    const mounts = this.#classes.get(cls)?.mounts ?? decoratedClasses(this.modules).filter((one) => one.cls === cls);
    return mounts.map(({ wrapper }) => unsharedInstances(wrapper)).find((reason) => reason !== undefined);
  }
}

function namedRoute(cls: ClassConstructor, { options, method }: CachedSite, route: CachedRoute): NamedRoute {
  return { base: routeBase(route), cls, owner: `${options.name ?? cls.name}.${methodName(method)}` };
}

function prepareMethod({ cached, invalidating }: HandledMethod, host: ClassHost): void {
  for (const site of invalidating) host.prepare(site);
  if (cached !== undefined) host.prepare(cached);
}

/** True if a method declares how the instances of its class differ, or that they do not. */
function tellsInstancesApart({ options, pattern }: CachedSite): boolean {
  const { vary = [], shared } = options;
  const varied = Array.isArray(vary) ? vary : [vary];
  const named = pattern.kind === 'template' ? pattern.template.paths : [];
  return (
    shared === true ||
    [...varied, ...named].some((one) => typeof one === 'function' || (typeof one === 'string' && /^this\b/.test(one)))
  );
}
