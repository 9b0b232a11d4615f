import { milliseconds } from '../../base/duration.js';
import { CacheError } from '../../base/errors.js';
import { shape } from '../../options/option-rules.js';
import { refuseOpenHashTags } from '../redis/redis-keys.js';
import type { LayerContext, LayerFactory } from '../layer.js';
import { listenMeanwhile } from '../listen-meanwhile.js';
import { isNodeRedis } from '../redis/redis-client-facts.js';
import { DEFAULT_DEADLINE_MS, type RemoteLayerOptions } from '../resilience/remote-layer-options.js';
import { remoteFields } from '../resilience/remote-layer-rules.js';
import { remoteLayer } from '../resilience/remote-layer.js';
import { adapterOf, keyvServerOf, type KeyvStoreLike } from './keyv-adapter.js';
import { classNameOf, storeFaults } from './store-rules.js';

export type { KeyvStoreLike } from './keyv-adapter.js';

export type KeyvLayerOptions = RemoteLayerOptions;

const WANTED = 'a storage adapter of Keyv 5, a Keyv instance, or a function that makes one';

/**
 * Creates a layer in any store of Keyv 5: an adapter such as `new KeyvRedis(url)`, a Keyv instance (its store is used without its
 * serialisation), or a function that returns one of these. It reads and removes only keys in the cache's own namespace. Errors that the
 * adapter only emits count as failures. The store is disconnected with the cache. A fault in the arguments stops the boot:
 * `INVALID_OPTIONS`.
 */
export function keyvLayer(store: KeyvStoreLike | (() => KeyvStoreLike), options: KeyvLayerOptions = {}): LayerFactory {
  const create = (context: LayerContext, name: string) => {
    const deadlineMs = milliseconds(options.deadline ?? DEFAULT_DEADLINE_MS, 'deadline');
    const made = typeof store === 'function' ? store() : store;
    const [fault] = storeFaults('keyvLayer', made, ['get', 'set'], WANTED);
    if (fault !== undefined) throw new CacheError(fault.code, `${fault.text}.`);
    refuseOpenHashTags(context.prefix);
    const adapter = adapterOf(made);
    const listens = listenMeanwhile(adapter);
    return {
      serverInfo: isNodeRedis(adapter.client),
      server: () => keyvServerOf(adapter),
      load: async () => {
        const { KeyvTextStore, StoreLayer } = await import('./text-layers.js');
        const layer = new StoreLayer(new KeyvTextStore(made, context, deadlineMs, name), context, name, options);
        listens();
        return layer;
      },
    };
  };
  const given = typeof store === 'object' && store !== null ? adapterOf(store) : undefined;
  return remoteLayer('keyv', options, create, {
    maker: 'keyvLayer',
    rule: shape(remoteFields),
    faults: typeof store === 'function' ? [] : storeFaults('keyvLayer', store, ['get', 'set'], WANTED),
    // A Map belongs to this process; any other store may be shared.
    shared: !(given instanceof Map),
    address: given === undefined ? 'a store of Keyv' : classNameOf(given),
  });
}
