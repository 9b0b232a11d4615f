import { type ExpressRouter, layersInFront, middieList, routerOf } from './framework-layers.js';
import type { LaneAdapter } from './lane-adapter.js';

/**
 * A snapshot of the functions before handlers. Express and the middleware of Fastify can be extended at any time, so every hit
 * compares the snapshot with the current functions: a few references and numbers, without allocation.
 */
export class FrontState {
  readonly #adapter: LaneAdapter;
  /** Functions that the adapter stores outside of lists. */
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
  /** The functions of the layers before routes. */
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
    // Layers of routes are not compared, because their functions are checked for each URL.
    const last = inFront.findLastIndex(({ route }) => route === undefined);
    this.#handles = inFront.slice(0, last + 1).map(({ handle }) => handle);
    this.#checks = checksOf(router);
  }

  isCurrent(): boolean {
    const adapter = this.#adapter;
    const held = this.#held;
    // Compare each property by name: a loop over names makes a hit several times slower.
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
