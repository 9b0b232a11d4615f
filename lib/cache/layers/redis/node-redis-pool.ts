import type { RedisClientOptions } from '@redis/client';
import { unavailable } from './redis-connection.js';
import type { Endpoint } from './redis-single.js';

/** A pool of node-redis 5 (`createClientPool()`), as far as it is used here. */
interface ClientPool {
  readonly isOpen: boolean;
  readonly idleClients: number;
  connect(): Promise<unknown>;
  execute<T>(task: (client: { readonly options: RedisClientOptions }) => T): Promise<T>;
  on(event: 'error', listener: () => void): unknown;
  listenerCount(event: 'error'): number;
}

export function isClientPool(client: object): client is ClientPool {
  return 'execute' in client && 'idleClients' in client;
}

/**
 * Where the clients of a pool connect to, and how. The layer makes connections of its own from that: a pool runs commands that are
 * sent one after another on different connections, in any order, and has none that messages could be received on.
 */
export function poolEndpoint(pool: ClientPool): Endpoint {
  let options: RedisClientOptions | undefined;
  // Without a listener an 'error' would end the process.
  if (pool.listenerCount('error') === 0) pool.on('error', () => undefined);
  return async () => {
    if (options !== undefined) return options;
    if (!pool.isOpen) await pool.connect();
    // With no client at hand the pool would connect another one, whose failure it leaves unhandled.
    if (pool.idleClients === 0) throw unavailable();
    const { clientSideCache: _, ...others } = await pool.execute((client) => client.options);
    return (options = others);
  };
}
