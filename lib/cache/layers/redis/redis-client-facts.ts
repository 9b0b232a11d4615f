import { CacheError } from '../../base/errors.js';
import type { RedisClientLike, RedisLayerOptions } from './redis-options.js';

/** The options of a client of ioredis that matter to a layer. */
interface IoRedisOptions {
  readonly options?: { readonly keyPrefix?: unknown; readonly scaleReads?: unknown };
  readonly isCluster?: unknown;
}

/** True if the keys of a `redisLayer()` are on several servers. */
export function isCluster({ cluster, client }: RedisLayerOptions): boolean {
  if (client === undefined) return cluster !== undefined;
  return isIoRedis(client) ? client.isCluster === true : (client as { nodeClient?: unknown }).nodeClient !== undefined;
}

/**
 * The prefix that a client of the application adds to every key.
 * @throws CacheError `INVALID_OPTIONS` for a client of ioredis whose reads may come from replicas, or whose `keyPrefix` is not text.
 */
export function keyPrefixOf(client: object | undefined): string {
  if (client === undefined || !isIoRedis(client)) return '';
  const { keyPrefix = '', scaleReads = 'master' } = client.options ?? {};
  if (typeof keyPrefix !== 'string') {
    throw new CacheError('INVALID_OPTIONS', "redisLayer: the client's keyPrefix is not text. Give it as a string.");
  }
  if (scaleReads !== 'master') {
    throw new CacheError(
      'INVALID_OPTIONS',
      "redisLayer: the client's scaleReads lets it read from replicas, which may not have the last invalidation. Give a client with scaleReads: 'master'.",
    );
  }
  return keyPrefix;
}

/** A client of node-redis: single, Sentinel, Cluster or pool. */
export function isNodeRedis(client: unknown): client is RedisClientLike {
  return typeof client === 'object' && client !== null && 'sendCommand' in client && 'isOpen' in client;
}

function isIoRedis(client: object): client is IoRedisOptions {
  return 'createBuiltinCommand' in client;
}
