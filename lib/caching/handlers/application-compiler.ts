import type { ApplicationConfig, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import type { LayeredCache } from '../../cache/layered-cache.js';
import type { CachedHandler, CachedRoute } from '../decoration/cached-handler.js';
import { unknownCache } from './declaration-faults.js';
import type { CachingOptions, NamedCache } from '../options/caching.options.js';
import type { ClassHost, HandlerRunner, MethodRunner } from '../decoration/class-host.js';
import {
  type ClassConstructor,
  decoratedClasses,
  type ProvidedClass,
  unsharedInstances,
} from '../decoration/decorated-classes.js';
import { handlerTransports } from '../decoration/handler-kind.js';
import { routeCarriers } from '../decoration/route-carriers.js';
import { type CachedSite, type Method, methodName, type MethodSite } from '../decoration/method-site.js';
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
import { compiledMount, type HandledClass, handledClasses, type HandledMethod } from './handled-classes.js';
import type { HandlerTable } from './handler-table.js';
import { Invalidation } from '../invalidation/invalidation.js';
import { InvalidatingHandler } from './message-handler.js';
import { KeyClashes, tellsInstancesApart } from './key-clashes.js';
import type { NamedClass } from './provider-names.js';
import type { SettledClasses } from './instances.js';

type Mounted = Pick<HandlerMount, 'mountedTwice' | 'alone'>;

/** Compiles the decorated handlers and methods of one application. */
export class ApplicationCompiler {
  readonly #compilation: Compilation;
  /** The compilations of named caches, by name. */
  readonly #named = new Map<string, Compilation>();
  readonly #checks: DecoratorChecks;
  #classes: ReadonlyMap<ClassConstructor, HandledClass> = new Map();
  /** The hosts of instances that the application provides. */
  #hosts: ReadonlySet<ClassHost> = new Set();
  #clashes: KeyClashes;
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
    this.#clashes = new KeyClashes([], [], this.#compilation.faults);
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

  /** Records where each class is provided, which determines names in keys. */
  settled({ provided, hosted }: SettledClasses): void {
    this.#classes = handledClasses(provided, this.config, this.modules);
    this.#hosts = new Set(hosted.map(({ host }) => host));
    this.#clashes = new KeyClashes(this.#classes.values(), hosted, this.#compilation.faults);
  }

  /** Adds handlers to the table and compiles methods for their hosts, so that the boot finds all faults. */
  compileAll({ hosted }: SettledClasses, table: HandlerTable): void {
    const carriers = routeCarriers(this.modules);
    const classes = [...this.#classes.values()];
    for (const { methods } of classes) for (const method of methods) this.#checks.learn(method);
    for (const handled of classes) {
      const { cls, mounts, methods } = handled;
      const one = compiledMount(mounts);
      const isMount = (wrapper: unknown) => mounts.some((mount) => mount.wrapper === wrapper);
      const hosts = hosted.filter((each) => each.cls === cls).map(({ host }) => host);
      for (const method of methods) {
        const { cached, transports, routes } = method;
        this.#checks.check(handled, method);
        const alone = cached !== undefined && [...(carriers.get(cached) ?? [])].every(isMount);
        const route = routes[mounts.indexOf(one)];
        for (const transport of transports)
          this.#addHandler(table, transport, one, method, route, { mountedTwice: mounts.length > 1, alone });
        if (cached !== undefined) this.#clashes.refuseSharedKeys(cached, handled, transports);
        if (transports.length === 0) for (const host of hosts) prepareMethod(method, host);
      }
    }
    const { handlers, log } = this.#compilation;
    this.#checks.report(handlers, log);
    // The metadata is needed only during compilation.
    this.#classes = new Map();
    this.#clashes.forgetRoutes();
  }

  /** Returns the runner of a method; undefined for handlers and for methods with a fault. */
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
    const name = this.#clashes.ofInstance(host as NamedClass['host'], site);
    return name === undefined
      ? undefined
      : compileMethod(this.#compilationOf(site), site, cls, name, this.#unsharedInstances(cls), host.instance);
  }

  /** Returns the compilation of the cache that a decorator names; an unknown name is a fault. */
  #compilationOf(site: MethodSite): Compilation {
    const { cache: name } = site.options;
    if (name === undefined || name === 'default') return this.#compilation;
    const known = this.#named.get(name);
    if (known !== undefined) return known;
    const caches = this.options.named?.() ?? new Map<string, NamedCache>();
    const cache = caches.get(name);
    if (cache === undefined) {
      this.#compilation.faults.add('INVALID_OPTIONS', unknownCache(site, [...caches.keys()]));
      return this.#compilation;
    }
    const measured = this.options.metrics === undefined ? {} : { metrics: cache.metrics };
    const compilation = new Compilation(cache, { ...this.options, ...measured }, this.#compilation);
    this.#named.set(name, compilation);
    return compilation;
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
      const mount = { ...mounted, route, nameOf: () => this.#clashes.ofRoute(provided.cls, site, route) };
      const compilation = this.#compilationOf(site);
      return compileHttp(compilation, this.#httpApplication(), mount, provided, site, implementation, invalidations);
    }
    const className = this.#clashes.ofClass(provided.cls, site);
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

  /** Creates the object once, when handlers are compiled: versioning is known then. */
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

  #unsharedInstances(cls: ClassConstructor): string | undefined {
    // After boot, the class may be one that code instantiates, or belong to a module that was loaded later.
    const mounts = this.#classes.get(cls)?.mounts ?? decoratedClasses(this.modules).filter((one) => one.cls === cls);
    return mounts.map(({ wrapper }) => unsharedInstances(wrapper)).find((reason) => reason !== undefined);
  }
}

function prepareMethod({ cached, invalidating }: HandledMethod, host: ClassHost): void {
  for (const site of invalidating) host.prepare(site);
  if (cached !== undefined) host.prepare(cached);
}
