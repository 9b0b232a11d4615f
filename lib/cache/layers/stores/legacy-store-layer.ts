import { milliseconds } from '../../duration.js';
import type { LayerFactory } from '../layer.js';
import { LegacyTextStore, type LegacyStoreLike } from './legacy-text-store.js';
import type { RemoteLayerOptions } from '../resilience/remote-layer-options.js';
import { DEFAULT_DEADLINE_MS, remoteLayer } from '../resilience/remote-layer.js';
import { StoreLayer } from './store-layer.js';

export type { LegacyStoreLike } from './legacy-text-store.js';

export type LegacyStoreLayerOptions = RemoteLayerOptions;

/**
 * A layer in a store made for cache-manager 5, such as `legacyStoreLayer(() => redisStore({ url }))`.
 * A function is called again after a failure, so that a server that is down at boot is found later; a store or promise
 * given directly is taken as it is. The store's `keyPrefix` is refused, since its batches ignore it: the cache has a
 * namespace of its own. The store's client, where it has one, is closed with the cache.
 */
export function legacyStoreLayer(
  store: LegacyStoreLike | Promise<LegacyStoreLike> | (() => LegacyStoreLike | Promise<LegacyStoreLike>),
  options: LegacyStoreLayerOptions = {},
): LayerFactory {
  const deadlineMs = milliseconds(options.deadline ?? DEFAULT_DEADLINE_MS, 'deadline');
  // A promise that fails before the layer asks for it must not end the process.
  if ('then' in store) store.then(undefined, () => undefined);
  const make = typeof store === 'function' ? store : () => store;
  return remoteLayer(
    'store',
    options,
    (context, name) => new StoreLayer(new LegacyTextStore(make, context, deadlineMs, name), context, name, options),
  );
}
