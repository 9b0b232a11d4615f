import type * as RedisPackage from '@redis/client';

/** The Redis client, loaded with the first connection: loading it takes longer than the rest of a start. */
export function redisPackage(): Promise<typeof RedisPackage> {
  return import('@redis/client');
}
