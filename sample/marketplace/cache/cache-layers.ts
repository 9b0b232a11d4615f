import { keyvLayer, legacyStoreLayer, memoryLayer, redisLayer } from 'nestjs-cache-observability';
import type { RedisStore, Settings } from '../settings.js';

type LayerFactory = ReturnType<typeof memoryLayer>;

/** Memory first; behind it Redis, where there is one, through the client that was asked for. */
export async function cacheLayers({ redisUrl, redisStore }: Settings): Promise<LayerFactory[]> {
  const memory = memoryLayer({ maxEntries: 20_000 });
  return redisUrl === undefined ? [memory] : [memory, await redis[redisStore](redisUrl)];
}

/** The three ways to Redis. Only the packages of the one in use are loaded. */
const redis: Record<RedisStore, (url: string) => LayerFactory | Promise<LayerFactory>> = {
  // Nobody waits for a write: they go out behind the answers, in batches.
  redis: (url) => redisLayer({ url, writes: 'behind' }),

  keyv: async (url) => {
    const { default: KeyvRedis } = await import('@keyv/redis');
    return keyvLayer(() => new KeyvRedis(url), { name: 'redis' });
  },

  'redis-yet': async (url) => {
    const { redisStore } = await import('cache-manager-redis-yet');
    return legacyStoreLayer(() => redisStore({ url }), { name: 'redis' });
  },
};
