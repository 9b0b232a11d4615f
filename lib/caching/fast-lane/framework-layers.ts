import type { LaneAdapter } from './lane-adapter.js';

interface ExpressLayer {
  readonly handle: unknown;
  readonly route?: { readonly stack: readonly { readonly handle: unknown }[] };
  match(path: string): boolean;
}

/** An Express router: its layers in order, and its checks of parameters. */
export interface ExpressRouter {
  readonly stack?: readonly ExpressLayer[];
  readonly params?: Readonly<Record<string, readonly unknown[]>>;
}

/** The router of an Express application. Express 5 has `router`, Express 4 `_router`. */
export function routerOf(instance: unknown): ExpressRouter | undefined {
  const { router, _router } = instance as Record<'router' | '_router', ExpressRouter | undefined>;
  return router?.stack === undefined ? _router : router;
}

/** The layers of an Express application in order. */
export function layersOf(instance: unknown): readonly ExpressLayer[] {
  return routerOf(instance)?.stack ?? [];
}

/** The number of layers up to the last route of Express. The layers after that route handle only unknown routes and errors. */
export function layersInFront(stack: readonly ExpressLayer[]): number {
  return Math.max(
    stack.findLastIndex(({ route }) => route !== undefined),
    0,
  );
}

/** Express' checks of parameters (`app.param()`), by parameter. */
export function parameterChecks(instance: unknown): readonly (readonly [parameter: string, check: unknown])[] {
  return Object.entries(routerOf(instance)?.params ?? {}).flatMap(([name, checks]) =>
    checks.map((check) => [name, check] as const),
  );
}

/** The middleware that `@fastify/middie` runs, as it was added: a path and a function, or a function alone. */
export function middieList(instance: unknown): readonly (readonly unknown[])[] {
  const list = held(instance, 'fastify-middie-middlewares');
  return Array.isArray(list) ? (list as readonly (readonly unknown[])[]) : [];
}

/** Fastify's hooks of all routes, by phase. */
export function fastifyHooks(instance: unknown): Readonly<Record<string, readonly unknown[]>> | undefined {
  const hooks = held(instance, 'fastify.hooks');
  if (typeof hooks !== 'object' || hooks === null) return undefined;
  return Object.fromEntries(Object.entries(hooks).filter(([, list]) => Array.isArray(list)));
}

/** All functions that a framework runs for requests, in order. */
export function functionsIn(adapter: LaneAdapter): readonly object[] {
  const instance = adapter.getInstance();
  const found =
    adapter.getType() === 'express'
      ? layersOf(instance).flatMap(({ handle, route }) => route?.stack.map((one) => one.handle) ?? handle)
      : [
          ...middieList(instance).flat(),
          ...Object.values(fastifyHooks(instance) ?? {}).flat(),
          // Nest queues middleware until middie is registered.
          ...(adapter.pendingMiddlewares ?? []).flatMap(({ args }) => args),
        ];
  return found.filter((one) => typeof one === 'function');
}

/** Reads internal state of Fastify. Its symbols are private, so they are found by description. */
export function held(instance: unknown, description: string): unknown {
  for (let level = instance as object | null; level !== null; level = Object.getPrototypeOf(level) as object | null) {
    const symbol = Object.getOwnPropertySymbols(level).find((one) => one.description === description);
    if (symbol !== undefined) return (instance as Record<symbol, unknown>)[symbol];
  }
  return undefined;
}
