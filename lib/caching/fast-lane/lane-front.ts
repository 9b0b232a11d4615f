import type { ModulesContainer } from '@nestjs/core';
import { namedMethods } from '../decoration/route-carriers.js';
import { routeConstraints } from '../http/selecting-headers.js';
import { type ClassRef, declaredParameters } from '../inputs/route-arguments.js';
import { AdapterRecord } from './adapter-record.js';
import { FrameworkFunctions } from './framework-functions.js';
import { fastifyHooks, held, layersInFront, layersOf, middieList, parameterChecks } from './framework-layers.js';
import { FrontState } from './front-state.js';
import type { InFront } from './fast-lane.options.js';
import type { LaneAdapter } from './lane-adapter.js';

/*
 * May the lane answer before this application's code runs?
 *
 * The problem. A hit in the lane runs no code of the application.
 * The rule. Every function that a request passes before its handler is one of two kinds. A function of the framework is known
 * not to change the response of a hit (`framework-functions.ts` decides which these are). A function of the application closes
 * the lane unless `skipMiddleware` names it. A function that this code cannot find or identify counts as the application's,
 * with the name `anonymous`. Only this file decides about:
 *   1. the functions that every request passes: {@link LaneFront.everywhere};
 *   2. the functions that one request passed in addition: {@link LaneFront.before};
 *   3. the request headers by which the framework selects the handler: {@link LaneFront.selectors};
 *   4. other listeners of the server's requests: {@link LaneFront.otherListeners};
 *   5. whether any of this has changed: {@link LaneFront.changed}.
 * How skipped functions may change a response is the subject of `caller-form.ts`.
 */

/** Headers that name the host; `x-forwarded-host` counts only from a trusted proxy. */
const HOSTS: readonly string[] = ['host', 'x-forwarded-host'];
/** Hooks of Fastify that do not run for requests. */
const NOT_OF_REQUESTS = new Set(['onRoute', 'onRegister', 'onReady', 'onListen', 'preClose', 'onClose']);

/** The code between the HTTP server and the handlers of one application. */
export class LaneFront {
  readonly #adapterOf: () => LaneAdapter | undefined;
  readonly #modules: ModulesContainer;
  readonly #functions = new FrameworkFunctions();
  #passing: ReadonlySet<string> | undefined;
  #state: FrontState | undefined;

  constructor(adapterOf: () => LaneAdapter | undefined, modules: ModulesContainer) {
    this.#adapterOf = adapterOf;
    this.#modules = modules;
  }

  /** Begins to record the functions that Nest adds. Call it as soon as Nest has its adapter. */
  watch(): void {
    const adapter = this.#adapterOf();
    if (adapter) AdapterRecord.of(adapter).watch();
  }

  /** Learns the framework's functions, before Nest adds middleware of modules and routes. */
  async learn(): Promise<void> {
    const adapter = this.#adapterOf();
    if (adapter) await this.#functions.learn(adapter);
  }

  /** True if code before handlers has changed since the last call. */
  changed(): boolean {
    if (this.#state?.isCurrent() === true) return false;
    const adapter = this.#adapterOf();
    if (adapter) this.#state = new FrontState(adapter);
    return true;
  }

  /**
   * Returns the application's functions that every request passes. The lane checks them again while requests run, because
   * plugins may add functions.
   */
  everywhere(): readonly InFront[] {
    const adapter = this.#adapterOf();
    if (!adapter) return [];
    const consumers = [...this.#modules.values()].flatMap((module) =>
      [...(module.middlewares?.values() ?? [])].map(({ name }) => ({
        name: consumerName(String(name)),
        place: `middleware of ${module.name}`,
      })),
    );
    const hooks = (['onRequestHook', 'onResponseHook'] as const).filter((hook) => typeof adapter[hook] === 'function');
    return [
      ...consumers,
      ...[...hooks, ...(adapter.getOnRouteTriggered?.() === undefined ? [] : ['onRouteTriggered'])].map((name) => ({
        name,
        place: 'a hook of the adapter',
      })),
      ...AdapterRecord.of(adapter)
        .deciding()
        .map(({ decides, place }) => ({ name: nameOf(decides), place })),
      ...(adapter.getType() === 'express' ? this.#ofExpress(adapter) : this.#ofFastify(adapter)),
    ];
  }

  /** Returns further functions of the application that this request passed before its handler. */
  before(request: object): readonly InFront[] {
    const adapter = this.#adapterOf()!;
    return adapter.getType() === 'express'
      ? this.#routesBefore(adapter, request as RoutedRequest)
      : this.#hooksOfRoute(adapter, request);
  }

  /** Returns the request headers by which the framework selects a handler for a URL; undefined if they are unknown. */
  selectors(): readonly string[] | undefined {
    const adapter = this.#adapterOf();
    const names = new Set(routeConstraints(this.#modules));
    for (const name of constraintsOf(adapter?.getInstance())) names.add(name);
    const headers = hostsDecide(this.#modules) ? [...HOSTS] : [];
    for (const name of names) {
      if (name === 'host') headers.push(...HOSTS);
      else if (name === 'version') headers.push('accept-version');
      else return undefined;
    }
    return headers;
  }

  /** Returns the other `request` listeners of a server, which do not run for hits. */
  otherListeners(listeners: readonly unknown[]): readonly InFront[] {
    const instance = this.#adapterOf()?.getInstance() as { readonly routing?: unknown } | undefined;
    return listeners
      .filter((one) => one !== instance && one !== instance?.routing)
      .map((one) => ({ name: nameOf(one), place: "a listener to the server's `request` event" }));
  }

  /** Returns the given functions that belong to the application, each with its place. */
  #foreign(adapter: LaneAdapter, placed: readonly (readonly [subject: unknown, place: string])[]): InFront[] {
    const foreign = new Set(
      this.#functions.foreign(
        placed.map(([subject]) => subject),
        adapter,
      ),
    );
    const record = AdapterRecord.of(adapter);
    return placed.flatMap(([subject, place]) =>
      foreign.has(subject) ? [{ name: nameOf(record.given(subject)), place }] : [],
    );
  }

  #ofExpress(adapter: LaneAdapter): InFront[] {
    const instance = adapter.getInstance();
    const stack = layersOf(instance);
    const layers = stack.slice(0, layersInFront(stack)).flatMap(({ handle, route }, at) =>
      // Express calls a function with four parameters for errors only.
      route !== undefined || (typeof handle === 'function' && handle.length === 4)
        ? []
        : [[handle, `layer ${at + 1} of the Express router, as app.use() adds it`] as const],
    );
    const checks = parameterChecks(instance).map(([name, check]) => [check, `app.param('${name}')`] as const);
    return this.#foreign(adapter, [...layers, ...checks]);
  }

  #ofFastify(adapter: LaneAdapter): InFront[] {
    const instance = adapter.getInstance();
    const hooks = fastifyHooks(instance);
    if (hooks === undefined) return [{ name: 'anonymous', place: 'hooks of Fastify that cannot be read' }];
    const options = held(instance, 'fastify.options') as { readonly rewriteUrl?: unknown } | undefined;
    const ofHooks = Object.entries(hooks).flatMap(([phase, list]) =>
      NOT_OF_REQUESTS.has(phase)
        ? []
        : list.map((hook, at) => [hook, `number ${at + 1} of the ${phase} hooks of Fastify`] as const),
    );
    const middleware = middieList(instance).map(
      ([path, one], at) => [one ?? path, `number ${at + 1} of the middleware that app.use() and modules add`] as const,
    );
    return [
      ...this.#foreign(adapter, [...ofHooks, ...middleware.flatMap(eachOf)]),
      ...(typeof options?.rewriteUrl === 'function' ? [{ name: 'rewriteUrl', place: 'an option of Fastify' }] : []),
    ];
  }

  /** Returns the functions of earlier Express routes that match the URL too and passed the request on. */
  #routesBefore(adapter: LaneAdapter, { path = '', route }: RoutedRequest): InFront[] {
    const stack = layersOf(adapter.getInstance());
    const own = stack.findIndex((layer) => layer.route === route);
    if (own === -1) return [{ name: 'anonymous', place: 'a router of Express that Nest did not create' }];
    return stack.slice(0, own + 1).flatMap((layer, at) => {
      const handlers = (layer.route?.stack ?? []).map(({ handle }) => handle).filter((one) => !this.#endsHere(one));
      if (handlers.length === 0 || !matches(layer, path)) return [];
      return this.#foreign(
        adapter,
        handlers.map((handle) => [handle, `a route at layer ${at + 1} of the Express router`] as const),
      );
    });
  }

  /** True for Nest's routes: they carry the metadata of their handlers, and pass requests on only with `@Next()`. */
  #endsHere(handle: unknown): boolean {
    if (typeof handle !== 'function' || Reflect.getMetadata('path', handle) === undefined) return false;
    this.#passing ??= passingRoutes(this.#modules);
    return !this.#passing.has(routeText(handle));
  }

  /** Returns the hooks of one Fastify route. A plugin may add hooks when the route is registered. */
  #hooksOfRoute(adapter: LaneAdapter, request: object): InFront[] {
    const ofAll = fastifyHooks(adapter.getInstance());
    const route = held(request, 'fastify.context') as Record<string, unknown> | undefined;
    if (ofAll === undefined || route === undefined)
      return [{ name: 'anonymous', place: 'hooks of Fastify that cannot be read' }];
    const own = this.#functions.ownHooksOf(request);
    return Object.entries(ofAll).flatMap(([phase, list]) => {
      const hooks = route[phase];
      if (NOT_OF_REQUESTS.has(phase) || !Array.isArray(hooks)) return [];
      // Hooks of all routes come first. Fastify has bound the hooks by now, so a hook cannot be compared with the original
      // function.
      const bound = hooks.slice(list.length) as readonly unknown[];
      const unbound = own?.(phase);
      const place = `a ${phase} hook of the route`;
      return unbound?.length === bound.length
        ? this.#foreign(
            adapter,
            unbound.map((hook) => [hook, place] as const),
          )
        : bound.map((hook) => ({ name: nameOf(hook).replace(/^bound /, ''), place }));
    });
  }
}

/** Splits middleware that was added as a list. */
function eachOf([subject, place]: readonly [unknown, string]): (readonly [unknown, string])[] {
  return Array.isArray(subject) ? subject.map((one: unknown) => [one, place] as const) : [[subject, place]];
}

interface RoutedRequest {
  readonly path?: string;
  readonly route?: unknown;
}

function nameOf(subject: unknown): string {
  const name = typeof subject === 'function' ? subject.name : '';
  return name === '' || name === '<anonymous>' ? 'anonymous' : name;
}

/** Nest gives functions a random name of 21 characters. */
function consumerName(name: string): string {
  return /^[0-9a-f]{21}$/.test(name) ? 'anonymous' : name;
}

function matches(layer: { match(path: string): boolean }, path: string): boolean {
  try {
    return layer.match(path);
  } catch {
    return true;
  }
}

function routeText(handler: object): string {
  return JSON.stringify([Reflect.getMetadata('method', handler), Reflect.getMetadata('path', handler)]);
}

/** The number by which Nest marks `@Next()` among a handler's parameters. */
const NEXT = 2;

/** Handlers of an application that can pass a request on. */
function passingRoutes(modules: ModulesContainer): ReadonlySet<string> {
  const routes = new Set<string>();
  for (const module of modules.values()) {
    for (const { metatype } of module.controllers.values()) {
      if (typeof metatype !== 'function') continue;
      for (const [name, method] of namedMethods(metatype.prototype as object)) {
        if (declaredParameters(metatype as ClassRef, name)?.some(({ code }) => code === NEXT))
          routes.add(routeText(method));
      }
    }
  }
  return routes;
}

/** True if a controller is bound to a host, so that a URL may have two handlers. */
function hostsDecide(modules: ModulesContainer): boolean {
  return [...modules.values()].some((module) =>
    [...module.controllers.values()].some(
      ({ metatype }) => typeof metatype === 'function' && Reflect.getMetadata('host', metatype) !== undefined,
    ),
  );
}

/**
 * Returns the constraints of all Fastify routes, those of plugins included. They are parsed from text, because Fastify lists
 * them only in that form.
 */
function constraintsOf(instance: unknown): readonly string[] {
  const { printRoutes } = (instance ?? {}) as { printRoutes?: (options: object) => string };
  if (typeof printRoutes !== 'function') return [];
  const listed = printRoutes.call(instance, { commonPrefix: false });
  return listed.split('\n').flatMap((line) => {
    const [, constraints] = /\) (\{.*\})$/.exec(line) ?? [];
    return constraints === undefined ? [] : Object.keys(JSON.parse(constraints) as object);
  });
}
