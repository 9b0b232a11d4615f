import type { LayerFactory } from './layer.js';
import type { RedisLayerOptions } from './redis-options.js';
import { remoteLayer } from './remote-layer.js';

/**
 * A layer in Redis: single, Sentinel or Cluster. Reads take one round trip, batches one a node; invalidations are
 * ordered across processes. It connects in the background and never makes a caller wait for a server that is away.
 * @throws CacheError `INVALID_OPTIONS` when more than one of `url`, `sentinel`, `cluster` and `client` is given.
 */
export function redisLayer(options: RedisLayerOptions = {}): LayerFactory {
  return remoteLayer('redis', options, () => {
    throw new Error('not reached');
  });
}
