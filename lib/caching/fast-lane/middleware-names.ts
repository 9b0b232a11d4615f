import type { ModulesContainer } from '@nestjs/core';

/** What is known of an HTTP adapter, whichever it is. */
export interface LaneAdapter {
  getType(): string;
  getInstance(): unknown;
  getHttpServer(): unknown;
}

/** What every request of an application goes through before its handler, by name; without what Nest itself puts there. */
export function middlewareNames(adapter: LaneAdapter, modules: ModulesContainer): string[] {
  const consumers = [...modules.values()].flatMap((module) =>
    [...(module.middlewares?.values() ?? [])].map(({ name }) => consumerName(String(name))),
  );
  const hooks = adapter as { onRequestHook?: unknown; onResponseHook?: unknown };
  return [
    ...consumers,
    ...(typeof hooks.onRequestHook === 'function' ? ['onRequestHook'] : []),
    ...(typeof hooks.onResponseHook === 'function' ? ['onResponseHook'] : []),
    ...(adapter.getType() === 'express' ? expressLayers(adapter.getInstance()) : fastifyHooks(adapter.getInstance())),
  ];
}

/** Nest gives functions a random name of 21 characters. */
function consumerName(name: string): string {
  return /^[0-9a-f]{21}$/.test(name) ? 'anonymous' : name;
}

/** Only read the body, which a GET that the lane answers has none of; CORS is learned with its headers. */
const HARMLESS = new Set([
  'jsonParser',
  'urlencodedParser',
  'textParser',
  'rawParser',
  'query',
  'expressInit',
  'corsMiddleware',
  'handleCors',
  'runMiddie',
  // Fastify's own for the HEAD beside a GET.
  'headRouteOnSendHandler',
]);

/**
 * Nest's own, told by what they call: lifecycle hooks (looked at by themselves), CORS, security headers, routing checks,
 * and what runs middleware of modules (named by the modules). An unknown one is somebody's.
 */
const NESTS_OWN = [
  'this.onResponseHook',
  'this.onRequestHook',
  'this.return503OnClosing',
  'this.corsHook',
  'this.securityHook',
  'const error = hook(request, response)',
  'this.isRoutableRequestTarget',
  'this.versionExtractorErrors',
  'handledRequests.has(',
  'createPathMatcher',
  'stripsPath',
];

function nameOf(subject: unknown): string[] {
  if (typeof subject !== 'function') return ['anonymous'];
  if (HARMLESS.has(subject.name)) return [];
  const source = Function.prototype.toString.call(subject);
  if (NESTS_OWN.some((mark) => source.includes(mark))) return [];
  return [subject.name === '' || subject.name === '<anonymous>' ? 'anonymous' : subject.name];
}

interface ExpressLayer {
  readonly handle: unknown;
  readonly route?: { readonly stack: readonly { readonly handle: unknown }[] };
  match(path: string): boolean;
}

/** Express 5 has `router`, Express 4 `_router`. */
function layersOf(instance: unknown): readonly ExpressLayer[] {
  const { router, _router } = instance as Record<'router' | '_router', { stack?: readonly ExpressLayer[] } | undefined>;
  return (router?.stack === undefined ? _router?.stack : router.stack) ?? [];
}

function expressLayers(instance: unknown): string[] {
  const stack = layersOf(instance);
  // Behind the last route only answers are left: not found, and errors.
  const lastRoute = stack.findLastIndex(({ route }) => route !== undefined);
  return stack.slice(0, lastRoute + 1).flatMap(({ handle, route }) => (route === undefined ? nameOf(handle) : []));
}

/** What stands before the very handler that has this request, and is nobody else's: by name. */
export function namesInFront(adapter: LaneAdapter, request: object): string[] {
  return adapter.getType() === 'express'
    ? routesInFront(adapter.getInstance(), request as RoutedRequest)
    : ownHooks(adapter.getInstance(), request);
}

interface RoutedRequest {
  readonly path?: string;
  readonly route?: unknown;
}

/** Express' routes of others that the address also matches, which were asked first and passed it on. */
function routesInFront(instance: unknown, { path = '', route }: RoutedRequest): string[] {
  const stack = layersOf(instance);
  const own = stack.findIndex((layer) => layer.route === route);
  return stack.slice(0, Math.max(own, 0)).flatMap((layer) => {
    const handlers = (layer.route?.stack ?? []).filter(({ handle }) => !isNests(handle));
    return handlers.length > 0 && matches(layer, path) ? handlers.flatMap(({ handle }) => nameOf(handle)) : [];
  });
}

/** Nest's routes carry the metadata of their handlers. */
function isNests(handle: unknown): boolean {
  return typeof handle === 'function' && Reflect.getMetadata('path', handle) !== undefined;
}

function matches(layer: ExpressLayer, path: string): boolean {
  try {
    return layer.match(path);
  } catch {
    return true;
  }
}

/** Hooks that Fastify has for one route alone, such as a plugin puts there when the route is made. */
function ownHooks(instance: unknown, request: object): string[] {
  const ofAll = held(instance, 'fastify.hooks') as Record<string, unknown> | undefined;
  const route = held(request, 'fastify.context') as Record<string, unknown> | undefined;
  if (ofAll === undefined || route === undefined) return ['anonymous'];
  return Object.entries(ofAll).flatMap(([phase, list]) => {
    const hooks = route[phase];
    if (NOT_OF_REQUESTS.has(phase) || !Array.isArray(hooks) || !Array.isArray(list)) return [];
    // Those of all come first; all are bound by now.
    return hooks.slice(list.length).flatMap((hook: { readonly name: string }) => {
      const name = hook.name.replace(/^bound /, '');
      return HARMLESS.has(name) ? [] : [name === '' ? 'anonymous' : name];
    });
  });
}

const NOT_OF_REQUESTS = new Set(['onRoute', 'onRegister', 'onReady', 'onListen', 'preClose', 'onClose']);

function fastifyHooks(instance: unknown): string[] {
  const hooks = held(instance, 'fastify.hooks');
  const middie = held(instance, 'fastify-middie-middlewares');
  const options = held(instance, 'fastify.options') as { readonly rewriteUrl?: unknown } | undefined;
  if (typeof hooks !== 'object' || hooks === null) return ['anonymous'];
  const ofHooks = Object.entries(hooks as Record<string, unknown>).flatMap(([phase, list]) =>
    NOT_OF_REQUESTS.has(phase) || !Array.isArray(list) ? [] : list.flatMap(nameOf),
  );
  const ofMiddie = Array.isArray(middie)
    ? (middie as readonly (readonly unknown[])[]).flatMap(([path, middleware]) => nameOf(middleware ?? path))
    : [];
  return [...ofHooks, ...ofMiddie, ...(typeof options?.rewriteUrl === 'function' ? ['rewriteUrl'] : [])];
}

/** Fastify keeps these under symbols of its own, found by their descriptions. */
function held(instance: unknown, description: string): unknown {
  for (let level = instance as object | null; level !== null; level = Object.getPrototypeOf(level) as object | null) {
    const symbol = Object.getOwnPropertySymbols(level).find((one) => one.description === description);
    if (symbol !== undefined) return (instance as Record<symbol, unknown>)[symbol];
  }
  return undefined;
}
