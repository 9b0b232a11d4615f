import type { ApplicationConfig, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import type { CacheLog } from '../../cache/base/cache-log.js';
import type { CachedHandler } from '../decoration/cached-handler.js';
import type { ClassConstructor, ProvidedClass, ProvidedMethod } from '../decoration/decorated-classes.js';
import { handlerTransports, isFieldResolver } from '../decoration/handler-kind.js';
import {
  type CachedSite,
  cachedSiteOf,
  invalidatingSitesOf,
  type Method,
  methodName,
  type MethodSite,
} from '../decoration/method-site.js';
import { handlerRoute } from '../http/handler-route.js';
import type { Transport } from '../inputs/call.js';
import { declaredInputs } from '../inputs/declared-inputs.js';
import { withoutMark } from '../inputs/input-path.js';
import type { FaultList } from '../keys/key-design.js';
import { type NamingSubject, parametersIn, refuseUnknownInCached, refuseUnknownInInvalidate } from './named-inputs.js';
import { refuseUnknownIgnored, refuseUnknownWarmed } from './named-options.js';
import { TagNames } from './tag-names.js';

/** A class with every place where it is provided. */
export type Mounts = readonly [ProvidedClass, ...ProvidedClass[]];

const NO_ROUTE = { route: undefined, parameters: undefined, hosts: undefined };

/** Reports faulty options of decorators, each use of a decorator once. */
export class DecoratorChecks {
  /** Beginnings of paths in `vary` of any handler. */
  readonly #varied = new Set<string>();
  readonly #checked = new Set<MethodSite>();
  /** By cache. */
  readonly #tags = new Map<string, TagNames>();

  constructor(
    private readonly faults: FaultList,
    private readonly config: ApplicationConfig,
    private readonly modules: ModulesContainer,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  /** Learns what `vary` names, before the checks: other handlers may name it, too. */
  learn({ implementation }: ProvidedMethod): void {
    const { vary = [] } = cachedSiteOf(implementation)?.options ?? {};
    for (const path of [vary].flat()) {
      if (typeof path === 'string') this.#varied.add(withoutMark(path).path.split('.')[0]!);
    }
  }

  check(mounts: Mounts, { implementation }: ProvidedMethod): void {
    const [{ cls }] = mounts;
    const transports = handlerTransports(implementation, cls);
    const cached = cachedSiteOf(implementation);
    const sites: readonly MethodSite[] = [
      ...invalidatingSitesOf(implementation),
      ...(cached === undefined ? [] : [cached]),
    ];
    for (const site of sites) {
      if (!this.#checked.has(site)) this.#checkOptions(site);
      this.#checked.add(site);
      const subjects = (transports.length === 0 ? (['method'] as const) : transports).map((transport) =>
        this.#subjectOf(site, mounts, implementation, transport),
      );
      for (const subject of subjects) this.#refuseUnknown(site, subject);
      if (site.kind !== 'cached') continue;
      refuseUnknownIgnored(site.options, subjects, this.faults);
      refuseUnknownWarmed(site.options, subjects, this.faults);
    }
    if (cached !== undefined && transports.length === 0) this.#refuseSynchronous(cached, cls);
  }

  /** Logs tags that are invalidated but never set. @param handlers as compiled, with the tags of the module's policy. */
  reportTags(handlers: readonly Pick<CachedHandler, 'cache' | 'plan'>[], log: CacheLog): void {
    for (const { cache, plan } of handlers) this.#tagsOf(cache).set(plan.policy.tagsOf ?? plan.policy.tags);
    for (const tags of this.#tags.values()) tags.report(log);
  }

  #tagsOf(cache = 'default'): TagNames {
    const tags = this.#tags.get(cache) ?? new TagNames();
    this.#tags.set(cache, tags);
    return tags;
  }

  #checkOptions(site: MethodSite): void {
    const decorator = site.kind === 'cached' ? '@Cached' : '@CacheInvalidate';
    const owner = `${site.declaredBy.name}.${methodName(site.method)}()`;
    for (const { code, text } of site.optionFaults) this.faults.add(code, `${owner}: ${decorator}: ${text}.`);
    const tags = this.#tagsOf(site.options.cache);
    if (site.kind === 'cached') tags.set(site.options.tags ?? []);
    else tags.name(site.options.tags ?? [], owner);
  }

  #refuseUnknown(site: MethodSite, subject: NamingSubject): void {
    if (site.kind === 'cached') refuseUnknownInCached(site.pattern, site.options, subject, this.faults);
    else refuseUnknownInInvalidate(site.options, subject, this.faults);
  }

  /** Field resolvers are exempt: GraphQL awaits them like handlers. */
  #refuseSynchronous({ method, dispatcher }: CachedSite, cls: ClassConstructor): void {
    if (isFieldResolver(dispatcher)) return;
    const type: unknown = Reflect.getMetadata('design:returntype', cls.prototype as object, method as string);
    if (typeof type !== 'function' || type === Object) return;
    const instance: unknown = type.prototype;
    if (typeof instance === 'object' && instance !== null && ('then' in instance || 'subscribe' in instance)) return;
    this.faults.add(
      'SYNC_METHOD',
      `${cls.name}.${methodName(method)}(): @Cached is on a method that is declared to return ${type.name}, but callers of a ` +
        `cached method get a promise. Declare it to return Promise<${type.name}>, or remove @Cached.`,
    );
  }

  #subjectOf(site: MethodSite, mounts: Mounts, implementation: Method, transport: Transport): NamingSubject {
    const [{ cls }] = mounts;
    const { method, original } = site;
    return {
      owner: `${cls.name}.${methodName(method)}()`,
      transport,
      cls,
      method,
      original,
      inputs: transport === 'method' ? [] : declaredInputs(transport, cls, method, original),
      ...(transport === 'http' ? this.#routeOf(mounts, implementation) : NO_ROUTE),
      varied: this.#varied,
      adapter: this.adapterHost.httpAdapter,
    };
  }

  /** Collects the parameters of every path of a handler, and of its host. */
  #routeOf(mounts: Mounts, implementation: Method): Pick<NamingSubject, 'route' | 'parameters' | 'hosts'> {
    const [{ cls }] = mounts;
    const own = [cls, implementation].flatMap((target) => [Reflect.getMetadata('path', target) as unknown].flat());
    const whole = mounts.map(({ module }) => handlerRoute(implementation, cls, module, this.config, this.modules));
    const paths = whole.map(({ path }) => path);
    return {
      route: paths[0],
      parameters: parametersIn([...own.filter((path) => typeof path === 'string'), ...paths]),
      hosts: parametersIn(whole.flatMap(({ host }) => host ?? [])),
    };
  }
}
