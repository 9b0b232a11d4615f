import type { CachedRoute } from '../decoration/cached-handler.js';
import type { ClassConstructor } from '../decoration/decorated-classes.js';
import { handlerTransports } from '../decoration/handler-kind.js';
import { type CachedSite, cachedSiteOf, type Method, methodName } from '../decoration/method-site.js';
import { methodsOf } from '../decoration/route-carriers.js';
import { routeBase } from '../http/handler-route.js';
import type { Transport } from '../inputs/call.js';
import type { FaultList } from '../keys/key-design.js';
import type { HandledClass } from './handled-classes.js';
import { madeAlike, type NamedClass, type ProviderName, ProviderNames } from './provider-names.js';
import { type NamedRoute, RouteNames } from './route-names.js';

/** Names the classes and routes of one application in keys. Two that would have the same keys are a fault. */
export class KeyClashes {
  readonly #names: ProviderNames;
  #routes = new RouteNames();

  /** @param instances the instances of decorated classes. Metadata is enough for instances that do not exist yet. */
  constructor(
    classes: Iterable<HandledClass>,
    instances: readonly NamedClass[],
    private readonly faults: FaultList,
  ) {
    this.#names = new ProviderNames(instances, ({ cls }) =>
      // Include overridden methods, because a subclass can call them by `super`.
      methodsOf(cls.prototype, true).flatMap((method) => {
        const site = cachedSiteOf(method);
        if (site === undefined || handlerTransports(method as Method, cls).includes('http')) return [];
        return site.options.name ?? cls.name;
      }),
    );
    for (const { cls, methods } of classes) {
      for (const { cached, routes } of methods) {
        const [route] = routes;
        if (cached !== undefined && route !== undefined) this.#routes.add(namedRoute(cls, cached, route));
      }
    }
  }

  /**
   * Returns the name of an instance in the keys of a method. If another instance has it, adds a fault and returns undefined.
   */
  ofInstance(host: NamedClass['host'], site: CachedSite): string | undefined {
    return this.#nameIn(this.#names.of(host, site.options.name), site, host.cls);
  }

  /**
   * Returns the name of a class in the keys of a message handler. If another class has it, adds a fault and returns undefined.
   */
  ofClass(cls: ClassConstructor, site: CachedSite): string | undefined {
    return this.#nameIn(this.#names.ofClass(cls, site.options.name), site, cls);
  }

  /** Returns the name of a route in keys. Adds a fault if a handler of another class has the same name. */
  ofRoute(cls: ClassConstructor, site: CachedSite, handled: CachedRoute): string {
    const route = namedRoute(cls, site, handled);
    const name = this.#routes.of(route);
    if (name === undefined && site.pattern.kind === 'prefix' && site.options.key === undefined) {
      this.faults.add(
        'DUPLICATE_NAME',
        `${route.owner}(): a handler of another class of that name has the route ${route.base}, too, so one could answer with ` +
          `the other's values. Name each: @Cached('${site.pattern.statistics}', { name: 'Other${cls.name}' }).`,
      );
    }
    return name ?? route.base;
  }

  /** Frees the names of routes. Call it when all handlers are compiled. */
  forgetRoutes(): void {
    this.#routes = new RouteNames();
  }

  /** Refuses several instances of a class that would write the same keys, by a template or a route. */
  refuseSharedKeys(
    site: CachedSite,
    { cls, mounts }: HandledClass,
    transports: readonly Exclude<Transport, 'method'>[],
  ): void {
    const { pattern, options } = site;
    const handled = transports.some((transport) => transport !== 'http');
    if (options.key !== undefined || (pattern.kind === 'prefix' && !handled)) return;
    if (tellsInstancesApart(site) || madeAlike(mounts)) return;
    this.faults.add(
      'DUPLICATE_NAME',
      `${cls.name}.${methodName(site.method)}(): ${mounts.length} instances of its class write the same keys ` +
        `('${pattern.statistics}'), and what is injected into them differs, so one could get another's values. ` +
        `Name the difference, such as {this.tenant}, or set \`shared: true\` where they do not differ.`,
    );
  }

  #nameIn({ name, clash }: ProviderName, site: CachedSite, cls: ClassConstructor): string | undefined {
    const { pattern, options } = site;
    if (clash === undefined || pattern.kind === 'template' || options.key !== undefined) return name;
    if (clash.kind === 'instances' && tellsInstancesApart(site)) return name;
    this.faults.add(
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
}

/** True if a method declares how the instances of its class differ, or that they do not. */
export function tellsInstancesApart({ options, pattern }: CachedSite): boolean {
  const { vary = [], shared } = options;
  const varied = Array.isArray(vary) ? vary : [vary];
  const named = pattern.kind === 'template' ? pattern.template.paths : [];
  return (
    shared === true ||
    [...varied, ...named].some((one) => typeof one === 'function' || (typeof one === 'string' && /^this\b/.test(one)))
  );
}

function namedRoute(cls: ClassConstructor, { options, method }: CachedSite, route: CachedRoute): NamedRoute {
  return { base: routeBase(route), cls, owner: `${options.name ?? cls.name}.${methodName(method)}` };
}
