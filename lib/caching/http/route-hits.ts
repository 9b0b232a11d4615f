import type { HttpServer } from '@nestjs/common';
import { type CachedSite, cachedSiteOf } from '../decoration/method-site.js';
import type { RouteAnswer } from './route-answer.js';

type RouteHandler = (request: object, response: object, next?: unknown) => unknown;
type AddRoute = ((this: unknown, ...args: unknown[]) => unknown) & { readonly [SHARED]?: () => void };

/** Marks a watched adapter. Its value is a function that reports that another application adds routes to the same adapter. */
const SHARED = Symbol('nestjs-cache-observability:shared-adapter');

/** The part of Nest's adapters that Nest 11 added. */
interface Listened {
  getOnRouteTriggered?(): unknown;
}

/** Adapters that are known to call a route's handler with the same arguments as Nest. */
const KNOWN: ReadonlySet<string> = new Set(['express', 'fastify']);

/** How the metadata keys for options of a Fastify route begin. */
const FASTIFY_OPTIONS = '__fastify';

/** The methods of an adapter that add routes; most are named after an HTTP method. */
const ADDERS = ['get', 'post', 'put', 'patch', 'delete', 'options', 'head', 'search', 'all'] as const;

/** A decorated handler at its route. Nest registers the route before the handler is compiled. */
class CachedRoute {
  answer: RouteAnswer | undefined;
  #make: (() => RouteAnswer | undefined) | undefined;

  open(make: () => RouteAnswer | undefined): void {
    this.#make = make;
  }

  /** Returns the object that answers the handler's hits. The first request creates it. */
  made(): RouteAnswer | undefined {
    this.answer = this.#make?.();
    this.#make = undefined;
    return this.answer;
  }
}

/**
 * Answers hits at their routes, where Nest's chain is not needed. Nest adds each route to the adapter with the metadata of its
 * handler. This class wraps the handler of a route, answers hits, and passes other requests on to the chain.
 */
export class RouteHits {
  readonly #routes = new Map<CachedSite, CachedRoute>();
  /** True if this class may have confused routes of another application with its own. */
  #mixed = false;

  /**
   * Answers the hits of a handler at its routes: at all routes that carry its metadata.
   * @param make creates the object that answers, at the first request.
   */
  open(site: CachedSite, make: () => RouteAnswer | undefined): void {
    if (!this.#mixed) this.#routeOf(site).open(make);
  }

  /**
   * Watches the routes that are added from now on.
   * @param areSought true if the fast lane looks up the metadata of routes.
   * @returns a function that stops watching; call it when all routes are added.
   */
  watch(adapter: HttpServer & Listened, areSought: boolean): () => void {
    // A listener for triggered routes must also see hits.
    if (!KNOWN.has(adapter.getType()) || adapter.getOnRouteTriggered?.() !== undefined) return () => undefined;
    const own = adapter as unknown as Record<string, AddRoute | undefined>;
    const others = own.get?.[SHARED];
    if (others !== undefined) {
      others();
      return () => undefined;
    }
    const shared = () => void (this.#mixed = true);
    const inFront = (handler: unknown) =>
      typeof handler === 'function' ? this.#inFront(handler as RouteHandler, areSought) : handler;
    const added = ADDERS.filter((name) => typeof own[name] === 'function' && !Object.hasOwn(own, name));
    for (const name of added) {
      const add = own[name]!;
      const watched: AddRoute = function (...args) {
        // Nest adds a path and its handler; other calls of the adapter are passed through unchanged.
        return args.length === 2 ? add.call(this, args[0], inFront(args[1])) : add.apply(this, args);
      };
      own[name] = Object.assign(watched, { [SHARED]: shared });
    }
    return () => {
      for (const name of added) delete own[name];
    };
  }

  #routeOf(site: CachedSite): CachedRoute {
    let route = this.#routes.get(site);
    if (route === undefined) this.#routes.set(site, (route = new CachedRoute()));
    return route;
  }

  #inFront(handler: RouteHandler, isSought: boolean): RouteHandler {
    const site = cachedSiteOf(handler);
    if (site === undefined) return handler;
    const route = this.#routeOf(site);
    const { name } = handler;
    const hitsFirst: RouteHandler = {
      [name]: (request: object, response: object, next: unknown) => {
        const answer = route.answer ?? route.made();
        return answer !== undefined && answered(answer, request, response, next)
          ? undefined
          : handler(request, response, next);
      },
    }[name]!;
    // Inheritance costs half a kilobyte for each route, so use it only where metadata is looked up.
    if (isSought || hasFastifyOptions(handler)) return Object.setPrototypeOf(hitsFirst, handler) as RouteHandler;
    // Adapters read the version of a route from its handler.
    return Object.assign(hitsFirst, handler);
  }
}

/** True if the adapter reads options of the route from the metadata of its handler. */
function hasFastifyOptions(handler: RouteHandler): boolean {
  const keys = Reflect.getMetadataKeys(handler) as unknown[];
  return keys.some((key) => typeof key === 'string' && key.startsWith(FASTIFY_OPTIONS));
}

function answered(answer: RouteAnswer, request: object, response: object, next: unknown): boolean {
  try {
    return answer.answer([request, response, next]);
  } catch {
    // The same error occurs in the chain, which reports it as usual.
    return false;
  }
}
