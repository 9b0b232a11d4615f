import type { HttpServer } from '@nestjs/common';
import { copyMetadata } from '../decoration/copy-metadata.js';
import { type CachedSite, cachedSiteOf } from '../decoration/method-site.js';
import type { RouteAnswer } from './route-answer.js';

type RouteHandler = (request: object, response: object, next?: unknown) => unknown;
type AddRoute = ((this: unknown, ...args: unknown[]) => unknown) & { readonly [SHARED]?: () => void };

/** Under which a watched adapter is told that another application makes its routes there, too. */
const SHARED = Symbol('nestjs-cache-observability:shared-adapter');

/** Nest's adapters since its 11th version. */
interface Listened {
  getOnRouteTriggered?(): unknown;
}

/** Adapters that are known to call a route's handler with what Nest would. */
const KNOWN: ReadonlySet<string> = new Set(['express', 'fastify']);

/** How an adapter adds routes: by the names of HTTP methods. */
const ADDERS = ['get', 'post', 'put', 'patch', 'delete', 'options', 'head', 'search', 'all'] as const;

/** A decorated handler as its route knows it, which is made before the handler is compiled. */
class CachedRoute {
  answer: RouteAnswer | undefined;
}

/**
 * The handlers of one application whose hits need nothing of Nest's chain. Nest hands its routes to the adapter one by one,
 * with the metadata of their handlers: there each of these is asked first, and the chain has what it does not answer.
 */
export class RouteHits {
  readonly #routes = new Map<CachedSite, CachedRoute>();
  /** True where routes of another application may have been taken for this one's. */
  #mixed = false;

  /** Answers the hits of a handler at its routes, which must be all there are with its metadata. */
  open(site: CachedSite, answer: RouteAnswer): void {
    if (!this.#mixed) this.#routeOf(site).answer = answer;
  }

  /** Watches the routes that are added from now on. @returns how to stop, once all are. */
  watch(adapter: HttpServer & Listened): () => void {
    // Whoever listens for routes that are triggered is to hear of hits, too.
    if (!KNOWN.has(adapter.getType()) || adapter.getOnRouteTriggered?.() !== undefined) return () => undefined;
    const own = adapter as unknown as Record<string, AddRoute | undefined>;
    const others = own.get?.[SHARED];
    if (others !== undefined) {
      others();
      return () => undefined;
    }
    const shared = () => void (this.#mixed = true);
    const inFront = (handler: unknown) =>
      typeof handler === 'function' ? this.#inFront(handler as RouteHandler) : handler;
    const added = ADDERS.filter((name) => typeof own[name] === 'function' && !Object.hasOwn(own, name));
    for (const name of added) {
      const add = own[name]!;
      const watched: AddRoute = function (...args) {
        // Nest adds a path and its handler; what else is asked of the adapter meanwhile is passed on as it is.
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

  #inFront(handler: RouteHandler): RouteHandler {
    const site = cachedSiteOf(handler);
    if (site === undefined) return handler;
    const route = this.#routeOf(site);
    const hitsFirst: RouteHandler = (request, response, next) =>
      route.answer !== undefined && answered(route.answer, request, response, next)
        ? undefined
        : handler(request, response, next);
    // Adapters read a route's options from its handler.
    Object.assign(hitsFirst, handler);
    copyMetadata(handler, hitsFirst);
    return Object.defineProperty(hitsFirst, 'name', { value: handler.name, configurable: true });
  }
}

function answered(answer: RouteAnswer, request: object, response: object, next: unknown): boolean {
  try {
    return answer.answer([request, response, next]);
  } catch {
    // The chain meets the same and tells it where errors are told.
    return false;
  }
}
