import { createRequire } from 'node:module';
import type * as RedisPackage from '@redis/client';

/** The Redis client, loaded with the first connection: loading it takes longer than all the rest of a start. */
export function redisPackage(): typeof RedisPackage {
  return createRequire(import.meta.url)('@redis/client') as typeof RedisPackage;
}
