import { randomUUID } from 'node:crypto';
import type { Lease } from '../layer.js';
import type { RedisConnection } from './redis-connection.js';
import type { RedisKeys } from './redis-keys.js';
import { scripts } from './redis-scripts.js';

/**
 * Leases on names: a token set where none is, prolonged and removed only by its holder, gone by itself when its
 * holder is. One server's word (Redis, "Distributed Locks with Redis", single instance): enough to spare an origin, not to
 * guard what must never happen twice.
 */
export class RedisLock {
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;

  constructor(connection: RedisConnection, keys: RedisKeys) {
    this.#connection = connection;
    this.#keys = keys;
  }

  async acquire(name: string, leaseMs: number): Promise<Lease | undefined> {
    const key = this.#keys.lock(name);
    const token = randomUUID();
    const taken = await this.#connection.send(key, ['SET', key, token, 'NX', 'PX', wholeMs(leaseMs)]);
    if (taken === null) return undefined;
    return {
      renew: async (renewedMs) => (await scripts.renew.run(this.#connection, [key], [token, wholeMs(renewedMs)])) === 1,
      release: async () => {
        await scripts.release.run(this.#connection, [key], [token]);
      },
    };
  }
}

function wholeMs(ms: number): string {
  return String(Math.max(1, Math.ceil(ms)));
}
