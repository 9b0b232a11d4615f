import { type ExpressRouter, layersInFront, middieList, routerOf } from './framework-layers.js';
import type { LaneAdapter } from './lane-adapter.js';

/**
 * What stood in front of handlers at one time. Express and the middleware of Fastify accept more at any time, so every hit compares
 * it with what is there now: some references and numbers, without allocation.
 */
export class FrontState {
  readonly #adapter: LaneAdapter;
  /** What the adapter holds outside of lists. */
  readonly #held: Pick<
    LaneAdapter,
    'onRequestHook' | 'onResponseHook' | 'onRouteTriggered' | 'corsHook' | 'securityHook'
  >;
  readonly #instance: unknown;
  readonly #isExpress: boolean;
  /** Express' layers, or the middleware of Fastify. */
  readonly #list: readonly unknown[] | undefined;
  readonly #length: number;
  readonly #last: unknown;
  /** What runs at each layer in front of routes. */
  readonly #handles: readonly unknown[];
  readonly #checks: number;

  constructor(adapter: LaneAdapter) {
    this.#adapter = adapter;
    const { onRequestHook, onResponseHook, onRouteTriggered, corsHook, securityHook } = adapter;
    this.#held = { onRequestHook, onResponseHook, onRouteTriggered, corsHook, securityHook };
    this.#instance = adapter.getInstance();
    this.#isExpress = adapter.getType() === 'express';
    const router = this.#isExpress ? routerOf(this.#instance) : undefined;
    this.#list = this.#isExpress ? router?.stack : middieList(this.#instance);
    this.#length = this.#list?.length ?? 0;
    this.#last = this.#list?.[this.#length - 1];
    const stack = router?.stack ?? [];
    const inFront = stack.slice(0, layersInFront(stack));
    // A route's layer says nothing: its functions are checked with the address.
    const last = inFront.findLastIndex(({ route }) => route === undefined);
    this.#handles = inFront.slice(0, last + 1).map(({ handle }) => handle);
    this.#checks = checksOf(router);
  }

  isCurrent(): boolean {
    const adapter = this.#adapter;
    const held = this.#held;
    // Each by its name: a loop over names costs a hit several times as much.
    if (
      adapter.onRequestHook !== held.onRequestHook ||
      adapter.onResponseHook !== held.onResponseHook ||
      adapter.onRouteTriggered !== held.onRouteTriggered ||
      adapter.corsHook !== held.corsHook ||
      adapter.securityHook !== held.securityHook
    )
      return false;
    const list = this.#list;
    if (list !== undefined && (list.length !== this.#length || list[this.#length - 1] !== this.#last)) return false;
    return !this.#isExpress || this.#isSameRouter();
  }

  #isSameRouter(): boolean {
    const router = routerOf(this.#instance);
    if (router?.stack !== this.#list || checksOf(router) !== this.#checks) return false;
    const handles = this.#handles;
    for (let at = 0; at < handles.length; at++) if (router!.stack![at]!.handle !== handles[at]) return false;
    return true;
  }
}

function checksOf(router: ExpressRouter | undefined): number {
  let count = 0;
  const params = router?.params;
  for (const name in params) count += 1 + params[name]!.length;
  return count;
}
