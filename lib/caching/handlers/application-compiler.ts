import type { ApplicationConfig, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import type { LayeredCache } from '../../cache/layered-cache.js';
import type { CachedHandler } from '../cached-handler.js';
import type { CachingOptions } from '../caching.options.js';
import type { CachingLink, ClassHost, HandlerRunner, MethodRunner } from '../decoration/class-host.js';
import {
  type ClassConstructor,
  decoratedClasses,
  type ProvidedClass,
  type ProvidedMethod,
  providedMethods,
} from '../decoration/decorated-classes.js';
import { handlerTransports } from '../decoration/handler-kind.js';
import { routeCarriers } from '../decoration/route-carriers.js';
import {
  type CachedSite,
  cachedSiteOf,
  invalidatingSitesOf,
  type Method,
  methodName,
  type MethodSite,
} from '../decoration/method-site.js';
import { compileHttp, type HttpApplication } from '../http/compile-http.js';
import { responseFaceOf } from '../http/response-face.js';
import type { RouteHits } from '../http/route-hits.js';
import type { WarmingRequests } from '../http/warming-requests.js';
import type { FastLane } from '../fast-lane/fast-lane.js';
import type { Transport } from '../inputs/call.js';
import { declaredInputs } from '../inputs/declared-inputs.js';
import type { Fault } from '../keys/key-design.js';
import { InvalidatingMethod } from './cached-method.js';
import { Compilation } from './compilation.js';
import { compileMessage } from './compile-message.js';
import { compileMethod } from './compile-method.js';
import type { HandlerTable } from './handler-table.js';
import { Invalidation } from './invalidation.js';
import { InvalidatingHandler } from './message-handler.js';
import { KeyNames, WholeKeys } from './whole-keys.js';

type RoutesOfHandler = Pick<HttpApplication, 'mountedTwice' | 'alone'>;

/** Makes runners for the decorated handlers and methods of one application. */
export class ApplicationCompiler {
  readonly #compilation: Compilation;
  readonly #modules: ModulesContainer;
  readonly #config: ApplicationConfig;
  readonly #adapterHost: HttpAdapterHost;
  readonly #lane: FastLane;
  readonly #routes: RouteHits;
  readonly #warming: WarmingRequests;
  readonly #classNames = new KeyNames();
  readonly #routeNames = new KeyNames();

  constructor(application: {
    readonly cache: LayeredCache;
    readonly options: CachingOptions;
    readonly modules: ModulesContainer;
    readonly config: ApplicationConfig;
    readonly adapterHost: HttpAdapterHost;
    readonly lane: FastLane;
    readonly routes: RouteHits;
    readonly warming: WarmingRequests;
  }) {
    this.#compilation = new Compilation(application.cache, application.options, new WholeKeys());
    this.#modules = application.modules;
    this.#config = application.config;
    this.#adapterHost = application.adapterHost;
    this.#lane = application.lane;
    this.#routes = application.routes;
    this.#warming = application.warming;
    // In the order of declaration, so that names do not depend on who is called first.
    for (const { cls } of decoratedClasses(application.modules)) this.#classNames.claim(cls.name, cls);
  }

  faults(): readonly Fault[] {
    return this.#compilation.faults.list;
  }

  handlers(): readonly CachedHandler[] {
    return this.#compilation.handlers;
  }

  close(): void {
    this.#compilation.close();
  }

  /** Handlers go into the table; methods are compiled for their hosts, so that faults are found now and not at the first call. */
  compileAll(provided: readonly ProvidedClass[], link: CachingLink, table: HandlerTable): void {
    const carriers = routeCarriers(this.#modules);
    for (const cls of new Set(provided.map((one) => one.cls))) {
      const mounts = provided.filter((one) => one.cls === cls);
      // What one module makes for each request may hold its caller, whatever the others do.
      const one = mounts.find(({ wrapper }) => !wrapper.isDependencyTreeStatic()) ?? mounts[0]!;
      const isMount = (wrapper: unknown) => mounts.some((mount) => mount.wrapper === wrapper);
      for (const method of providedMethods(cls)) {
        const site = cachedSiteOf(method.implementation);
        const alone = site !== undefined && [...(carriers.get(site) ?? [])].every(isMount);
        const transports = handlerTransports(method.implementation, cls);
        for (const transport of transports)
          this.#addHandler(table, transport, one, method, { mountedTwice: mounts.length > 1, alone });
        if (transports.length === 0) this.#prepareMethod(method, one, link);
      }
    }
  }

  /** Undefined for handlers, and for what was refused at boot. */
  methodOf(site: MethodSite, { cls, name }: ClassHost): MethodRunner | undefined {
    const constructor = cls as ClassConstructor;
    const own = (cls.prototype as Record<string | symbol, unknown>)[site.method];
    const isHandler = [own, site.dispatcher].some(
      (implementation) =>
        typeof implementation === 'function' && handlerTransports(implementation as Method, constructor).length > 0,
    );
    if (isHandler) return undefined;
    if (site.kind === 'invalidating') return this.#invalidatingMethod(site, constructor);
    return compileMethod(
      this.#compilation,
      site,
      constructor,
      this.#classNames.claim(name, name === cls.name ? cls : name),
      this.#isPerRequest(constructor),
    );
  }

  #prepareMethod({ implementation }: ProvidedMethod, { cls }: ProvidedClass, link: CachingLink): void {
    const host = link.hostOfClass(cls);
    const sites: MethodSite[] = [...invalidatingSitesOf(implementation)];
    const cached = cachedSiteOf(implementation);
    if (cached !== undefined) sites.push(cached);
    for (const site of sites) host.prepare(site);
  }

  #addHandler(
    table: HandlerTable,
    transport: Exclude<Transport, 'method'>,
    provided: ProvidedClass,
    { implementation }: ProvidedMethod,
    routes: RoutesOfHandler,
  ): void {
    const invalidations = this.#invalidations(transport, provided, implementation);
    const site = cachedSiteOf(implementation);
    let runner: HandlerRunner | undefined;
    if (site !== undefined)
      runner = this.#cachedHandler(transport, provided, site, implementation, invalidations, routes);
    if (runner === undefined && invalidations.length > 0) runner = new InvalidatingHandler(invalidations);
    if (runner !== undefined) table.add(implementation, provided.cls, transport, runner);
  }

  #cachedHandler(
    transport: Exclude<Transport, 'method'>,
    provided: ProvidedClass,
    site: CachedSite,
    implementation: Method,
    invalidations: readonly Invalidation[],
    routes: RoutesOfHandler,
  ): HandlerRunner | undefined {
    const subject = implementation;
    if (transport === 'http') {
      const application: HttpApplication = {
        config: this.#config,
        modules: this.#modules,
        face: responseFaceOf(this.#adapterHost.httpAdapter?.getType()),
        ...routes,
        nameOf: (base) => this.#routeNames.claim(base, subject),
        lane: this.#lane,
        routes: this.#routes,
        warming: this.#warming,
        adapter: this.#adapterHost.httpAdapter,
      };
      return compileHttp(this.#compilation, application, provided, site, implementation, invalidations);
    }
    const name = `${this.#classNames.claim(provided.cls.name, provided.cls)}.${methodName(site.method)}`;
    return compileMessage(
      this.#compilation,
      transport,
      provided,
      site,
      implementation,
      name,
      this.#config,
      invalidations,
    );
  }

  #invalidations(
    transport: Exclude<Transport, 'method'>,
    { cls }: ProvidedClass,
    implementation: Method,
  ): Invalidation[] {
    const { cache, log, faults } = this.#compilation;
    return invalidatingSitesOf(implementation).flatMap(({ options, method, original }) => {
      const owner = `${cls.name}.${methodName(method)}()`;
      const inputs = declaredInputs(transport, cls, method, original);
      return faults.try(() => new Invalidation({ cache, log, options, transport, inputs, owner })) ?? [];
    });
  }

  #invalidatingMethod(site: MethodSite & { kind: 'invalidating' }, cls: ClassConstructor): MethodRunner | undefined {
    const { cache, log, faults } = this.#compilation;
    const owner = `${cls.name}.${methodName(site.method)}()`;
    const { options } = site;
    const invalidation = faults.try(
      () => new Invalidation({ cache, log, options, transport: 'method', inputs: [], owner }),
    );
    return invalidation === undefined ? undefined : new InvalidatingMethod(site.original, invalidation);
  }

  #isPerRequest(cls: ClassConstructor): boolean {
    return decoratedClasses(this.#modules).some((one) => one.cls === cls && !one.wrapper.isDependencyTreeStatic());
  }
}
