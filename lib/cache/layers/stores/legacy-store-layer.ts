import { milliseconds } from '../../base/duration.js';
import { shape } from '../../options/option-rules.js';
import { isThenable } from '../../base/thenable.js';
import type { LayerContext, LayerFactory } from '../layer.js';
import { refuseOpenHashTags } from '../redis/redis-keys.js';
import { DEFAULT_DEADLINE_MS, type RemoteLayerOptions } from '../resilience/remote-layer-options.js';
import { remoteFields } from '../resilience/remote-layer-rules.js';
import { remoteLayer } from '../resilience/remote-layer.js';
import type { LegacyStoreLike } from './legacy-text-store.js';
import { storeFaults } from './store-rules.js';

export type { LegacyStoreLike } from './legacy-text-store.js';

export type LegacyStoreLayerOptions = RemoteLayerOptions;

const WANTED = 'a store of cache-manager 5, a promise of one, or a function that makes one';

/**
 * Creates a layer in a store made for cache-manager 5, such as `legacyStoreLayer(() => redisStore({ url }))`. A function is called again
 * after a failure, so that the layer finds a server that is down at boot later. A store or promise is used as given. A store with a
 * `keyPrefix` is refused, because its batches ignore the prefix; use the cache's namespace instead. If the store has a client, the client
 * is closed with the cache. A fault in the arguments stops the boot: `INVALID_OPTIONS`.
 */
export function legacyStoreLayer(
  store: LegacyStoreLike | Promise<LegacyStoreLike> | (() => LegacyStoreLike | Promise<LegacyStoreLike>),
  options: LegacyStoreLayerOptions = {},
): LayerFactory {
  const later = typeof store === 'function' || isThenable(store);
  // A promise that fails before the layer uses it must not end the process.
  if (isThenable(store)) store.then(undefined, () => undefined);
  const make = typeof store === 'function' ? store : () => store;
  const create = (context: LayerContext, name: string) => {
    const deadlineMs = milliseconds(options.deadline ?? DEFAULT_DEADLINE_MS, 'deadline');
    refuseOpenHashTags(context.prefix);
    return {
      serverInfo: true,
      server: () => undefined,
      load: async () => {
        const { LegacyTextStore, StoreLayer } = await import('./text-layers.js');
        return new StoreLayer(new LegacyTextStore(make, context, deadlineMs, name), context, name, options);
      },
    };
  };
  return remoteLayer('store', options, create, {
    maker: 'legacyStoreLayer',
    rule: shape(remoteFields),
    faults: later ? [] : storeFaults('legacyStoreLayer', store, ['get', 'set', 'del'], WANTED),
    address: 'a store of cache-manager 5',
  });
}
