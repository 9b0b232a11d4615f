import type { Clock } from '../../base/clock.js';
import { CacheError } from '../../base/errors.js';
import { IoRedisConnection, type IoRedis } from './ioredis-connection.js';
import { isClientPool, poolEndpoint } from './node-redis-pool.js';
import { NodeRedisConnection, type NodeRedis } from './node-redis-connection.js';
import type { ConnectionEvents, RedisConnection } from './redis-connection.js';
import type { RedisClientLike } from './redis-options.js';
import { SingleConnection } from './redis-single.js';

/**
 * The application's own client as a connection; it is opened if necessary, and never closed.
 * @throws CacheError `INVALID_OPTIONS` for anything but node-redis and ioredis, and for a client that cannot keep the order of commands.
 */
export function clientConnection(client: RedisClientLike, events: ConnectionEvents, clock: Clock): RedisConnection {
  if ('createBuiltinCommand' in client) return new IoRedisConnection(client as unknown as IoRedis, events);
  if (isClientPool(client)) return new SingleConnection(poolEndpoint(client), events, clock);
  if ('sendCommand' in client) return new NodeRedisConnection(client as unknown as NodeRedis, events);
  throw new CacheError(
    'INVALID_OPTIONS',
    "redisLayer: client is neither a client of node-redis nor of ioredis. Give one made by 'redis', '@redis/client' or 'ioredis'.",
  );
}
