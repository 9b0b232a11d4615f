import type { LayerFactory } from './layer.js';
import type { RemoteLayerOptions } from './remote-layer-options.js';
import { remoteLayer } from './remote-layer.js';

/** A store of cache-manager 5 or older: what `cache-manager-redis-yet` and its kin return. TTLs are milliseconds. */
export interface LegacyStoreLike {
  get(key: string): Promise<unknown>;
  set(key: string, value: never, ttl?: number): Promise<unknown>;
  del(key: string): Promise<unknown>;
  mget?(...keys: string[]): Promise<unknown[]>;
  mset?(entries: [string, never][], ttl?: number): Promise<unknown>;
  mdel?(...keys: string[]): Promise<unknown>;
  keys?(pattern?: string): Promise<string[]>;
  readonly client?: unknown;
}

export type LegacyStoreLayerOptions = RemoteLayerOptions;

/**
 * A layer in a store made for cache-manager 5, such as `legacyStoreLayer(() => redisStore({ url }))`.
 * A function is called again after a failure, so that a server that is down at boot is found later; a store or promise
 * given directly is taken as it is. The store's `keyPrefix` must not be used: the cache has a namespace of its own.
 */
export function legacyStoreLayer(
  store: LegacyStoreLike | Promise<LegacyStoreLike> | (() => LegacyStoreLike | Promise<LegacyStoreLike>),
  options: LegacyStoreLayerOptions = {},
): LayerFactory {
  void store;
  return remoteLayer('store', options, () => {
    throw new Error('not reached');
  });
}
