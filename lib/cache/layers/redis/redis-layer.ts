import { listenMeanwhile } from '../listen-meanwhile.js';
import type { LayerFactory } from '../layer.js';
import { remoteLayer } from '../resilience/remote-layer.js';
import { isCluster, keyPrefixOf } from './redis-client-facts.js';
import { refuseOpenHashTags } from './redis-keys.js';
import { redisAddress, redisLayerRule } from './redis-layer-rules.js';
import type { RedisLayerOptions } from './redis-options.js';
import { redisServerOf } from './redis-server.js';

/**
 * A layer in Redis: single, Sentinel or Cluster. A read takes one round trip, a batch one per node; large writes are sent in pieces
 * that do not wait for each other, and later requests arrive later. Invalidations are ordered across processes. It
 * connects in the background, and a caller never waits for a server that is down.
 * A fault in its options stops the boot: `INVALID_OPTIONS`, `INVALID_DURATION`.
 */
export function redisLayer(options: RedisLayerOptions = {}): LayerFactory {
  return remoteLayer(
    'redis',
    options,
    (context, name) => {
      refuseOpenHashTags(context.prefix, keyPrefixOf(options.client));
      const server = redisServerOf(options);
      const listens = listenMeanwhile(options.client);
      return {
        encodes: true,
        spread: isCluster(options),
        coordinates: true,
        serverInfo: true,
        server: () => server,
        load: async () => {
          const { BareRedisLayer } = await import('./bare-redis-layer.js');
          const layer = new BareRedisLayer(context, name, options);
          listens();
          return layer;
        },
      };
    },
    { maker: 'redisLayer', rule: redisLayerRule, address: redisAddress(options) },
  );
}
