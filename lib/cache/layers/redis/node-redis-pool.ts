import type { RedisClientOptions } from '@redis/client';
import { unavailable } from './redis-connection.js';
import type { Endpoint } from './redis-single.js';

/** The part of a node-redis 5 pool (`createClientPool()`) that is used. */
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
 * The server and options of a pool's clients. The layer opens its own connections with them: a pool runs consecutive commands
 * on different connections, in any order, and has no connection for messages.
 */
export function poolEndpoint(pool: ClientPool): Endpoint {
  let options: RedisClientOptions | undefined;
  // Without a listener an 'error' would end the process.
  if (pool.listenerCount('error') === 0) pool.on('error', () => undefined);
  return async () => {
    if (options !== undefined) return options;
    if (!pool.isOpen) await pool.connect();
    // Without an idle client the pool would connect another one and leave its failure unhandled.
    if (pool.idleClients === 0) throw unavailable();
    const { clientSideCache: _, ...others } = await pool.execute((client) => client.options);
    return (options = others);
  };
}
