import { milliseconds } from '../../duration.js';
import { CacheError } from '../../errors.js';
import type { LayerContext, LayerFactory } from '../layer.js';
import { KeyvTextStore, type KeyvStoreLike } from './keyv-text-store.js';

import type { RemoteLayerOptions } from '../resilience/remote-layer-options.js';
import { DEFAULT_DEADLINE_MS, remoteLayer } from '../resilience/remote-layer.js';
import { StoreLayer } from './store-layer.js';

export type { KeyvStoreLike } from './keyv-text-store.js';

export type KeyvLayerOptions = RemoteLayerOptions;

/**
 * A layer in any store of Keyv 5: an adapter such as `new KeyvRedis(url)`, a Keyv instance (its store is used, without its
 * serialisation), or a function that makes one. Only keys of the cache's own namespace are read or removed; errors that the
 * adapter swallows are heard. It is disconnected with the cache.
 * @throws CacheError `INVALID_OPTIONS` for what is no such store.
 */
export function keyvLayer(store: KeyvStoreLike | (() => KeyvStoreLike), options: KeyvLayerOptions = {}): LayerFactory {
  const deadlineMs = milliseconds(options.deadline ?? DEFAULT_DEADLINE_MS, 'deadline');
  return remoteLayer('keyv', options, (context: LayerContext, name) => {
    const made = typeof store === 'function' ? store() : store;
    if (typeof made?.get !== 'function' || typeof made.set !== 'function') {
      throw new CacheError(
        'INVALID_OPTIONS',
        'keyvLayer() takes a storage adapter of Keyv 5, a Keyv instance, or a function that makes one.',
      );
    }
    return new StoreLayer(new KeyvTextStore(made, context, deadlineMs, name), context, name, options);
  });
}
