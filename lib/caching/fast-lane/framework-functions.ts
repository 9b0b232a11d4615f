import { AdapterRecord } from './adapter-record.js';
import { type LaneAdapter, platformOf } from './lane-adapter.js';
import { functionsIn, held } from './framework-layers.js';

/** The methods of a bare adapter that this file calls. */
interface BareAdapter extends LaneAdapter {
  init?(): Promise<void>;
  close(): unknown;
}

interface FastifyRoute {
  readonly method: string | readonly string[];
  readonly url: string;
  readonly [phase: string]: unknown;
}

interface FastifyLike {
  addHook?(name: 'onRoute', hook: (route: FastifyRoute) => void): unknown;
  get(path: string, handler: () => string): unknown;
  ready?(): Promise<unknown>;
}

/*
 * Which functions before handlers are the framework's own? Body parsers, which hits do not need; functions for CORS and
 * security headers, which the lane learns with the response; and the function that runs the middleware of modules. That
 * middleware itself is checked by name.
 *
 * A function is the framework's if it is one of these:
 *   1. it was added while Nest called a method of its own adapter: `AdapterRecord` has recorded it;
 *   2. all applications share it: a bare adapter has the same function;
 *   3. the constructor or `init()` of the adapter added it, before this library was loaded. A bare adapter shows how many
 *      functions with the same code they add. If exactly as many are registered here, all of them are the framework's. If more
 *      are registered, one may be a copy with other captured variables: then all of them count as the application's.
 * No function is exempt because of its name or its code alone.
 */
export class FrameworkFunctions {
  /** Functions that all applications share. */
  readonly #shared = new WeakSet<object>();
  /** How many functions with the same code a bare adapter adds, by code. */
  readonly #added = new Map<string, number>();
  /** The code of the functions that run Fastify's middleware. */
  readonly #ofMiddie = new Set<string>();
  /** Fastify's routes as they were added, with unbound hooks. */
  readonly #routes = new Map<string, FastifyRoute[]>();

  /** Returns the given functions that belong to the application. */
  foreign(functions: readonly unknown[], adapter: LaneAdapter): readonly unknown[] {
    const record = AdapterRecord.of(adapter);
    const unknown = functions.filter((one) => !this.#isShared(one) && !record.isFrameworks(one));
    if (unknown.length === 0) return unknown;
    const rest = functionsIn(adapter).filter((one) => !this.#isShared(one) && !record.isFrameworks(one));
    const inPlace = new Map<string, number>();
    for (const one of rest) inPlace.set(codeOf(one), (inPlace.get(codeOf(one)) ?? 0) + 1);
    const hasMiddie = held(adapter.getInstance(), 'fastify-middie-middlewares') !== undefined;
    return unknown.filter((one) => {
      const code = codeOf(one);
      if (!rest.includes(one as object) || (this.#ofMiddie.has(code) && !hasMiddie)) return true;
      return this.#added.get(code) !== inPlace.get(code);
    });
  }

  /**
   * Learns the functions of a bare adapter, and begins to record the functions that Nest adds for the middleware of modules.
   */
  async learn(adapter: LaneAdapter): Promise<void> {
    AdapterRecord.of(adapter).watchModules();
    if (adapter.getType() === 'fastify') this.#watchRoutes(adapter.getInstance() as FastifyLike);
    const bare = bareAdapter(adapter);
    if (bare === undefined) return;
    try {
      const constructed = functionsIn(bare).map(codeOf);
      await bare.init?.();
      for (const code of functionsIn(bare).map(codeOf)) {
        this.#added.set(code, (this.#added.get(code) ?? 0) + 1);
        if (!constructed.includes(code)) this.#ofMiddie.add(code);
      }
      if (bare.getType() === 'fastify') await this.#learnShared(bare);
    } catch {
      // If a platform cannot create a bare adapter, all functions count as the application's.
    }
  }

  /**
   * Returns the hooks of the request's route by phase; undefined if several routes match, or if `learn()` ran after the route
   * was added.
   */
  ownHooksOf(request: object): ((phase: string) => readonly unknown[]) | undefined {
    const { routeOptions } = request as { routeOptions?: { method?: string | readonly string[]; url?: string } };
    const routes = this.#routes.get(`${String(routeOptions?.method)} ${String(routeOptions?.url)}`);
    if (routes?.length !== 1) return undefined;
    return (phase) => ([] as unknown[]).concat(routes[0]![phase] ?? []);
  }

  #isShared(subject: unknown): boolean {
    return typeof subject === 'function' && this.#shared.has(subject);
  }

  /** Learns the function that Fastify adds to each `HEAD` route it creates for a `GET` route. */
  async #learnShared(bare: BareAdapter): Promise<void> {
    const instance = bare.getInstance() as FastifyLike;
    instance.addHook?.('onRoute', ({ method, onSend }) => {
      if (method === 'HEAD' && typeof onSend === 'function') this.#shared.add(onSend);
    });
    instance.get('/', () => '');
    await instance.ready?.();
    await bare.close();
  }

  #watchRoutes(instance: FastifyLike): void {
    instance.addHook?.('onRoute', (route) => {
      const name = `${String(route.method)} ${route.url}`;
      const routes = this.#routes.get(name);
      if (routes === undefined) this.#routes.set(name, [route]);
      else routes.push(route);
    });
  }
}

function codeOf(subject: unknown): string {
  return Function.prototype.toString.call(subject);
}

/** Creates an adapter of the platform's own class. */
function bareAdapter(adapter: LaneAdapter): BareAdapter | undefined {
  const platform = platformOf(adapter);
  if (platform === undefined) return undefined;
  try {
    return new (platform.constructor as new () => BareAdapter)();
  } catch {
    return undefined;
  }
}
