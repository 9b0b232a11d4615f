import { randomUUID } from 'node:crypto';
import type { Lease } from '../layer.js';
import type { RedisConnection } from './redis-connection.js';
import type { RedisKeys } from './redis-keys.js';
import { scripts } from './redis-scripts.js';

/**
 * Leases on names. A lease is a token that is set if there is none. Only its holder prolongs and removes it, and it expires if its holder
 * is gone. It depends on one server (Redis, "Distributed Locks with Redis", single instance). That is enough to avoid calls of an origin,
 * but not for work that must never happen twice.
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
