import type { RedisClientOptions } from '@redis/client';
import { redisPackage } from './redis-package.js';
import type { RedisConnectionOptions, RedisLayerOptions } from './redis-options.js';
import type { Endpoint } from './redis-single.js';

const DEFAULT_URL = 'redis://localhost:6379';

/** A server with a fixed address. */
export function fixedEndpoint(url: string | undefined, connection: RedisConnectionOptions | undefined): Endpoint {
  const options: RedisClientOptions = { url: url ?? DEFAULT_URL, ...clientOptions(connection) };
  return () => Promise.resolve(options);
}

/** The master of a name, requested from the sentinels one after another, again for each attempt to connect. */
export function sentinelEndpoint(
  sentinel: NonNullable<RedisLayerOptions['sentinel']>,
  connection: RedisConnectionOptions | undefined,
): Endpoint {
  let preferred = 0;
  return async () => {
    let cause: unknown;
    for (let turn = 0; turn < sentinel.rootNodes.length; turn++) {
      const index = (preferred + turn) % sentinel.rootNodes.length;
      try {
        const [host, port] = await askSentinel(sentinel.name, sentinel.rootNodes[index]!, sentinel.connection);
        preferred = index;
        const options = clientOptions(connection);
        return { ...options, socket: { ...options.socket, host, port } as RedisClientOptions['socket'] };
      } catch (error) {
        cause = error;
      }
    }
    throw cause;
  };
}

async function askSentinel(
  name: string,
  node: { host: string; port: number },
  connection: RedisConnectionOptions | undefined,
): Promise<[host: string, port: number]> {
  const options = clientOptions(connection);
  const timeout = connection?.connectTimeout ?? 500;
  const { createClient } = await redisPackage();
  const client = createClient({
    ...options,
    disableOfflineQueue: true,
    socket: {
      ...options.socket,
      ...node,
      connectTimeout: timeout,
      socketTimeout: timeout,
      reconnectStrategy: false,
    } as never,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const answer = (await client.sendCommand(['SENTINEL', 'get-master-addr-by-name', name])) as unknown;
    if (!Array.isArray(answer)) throw new Error(`No sentinel knows a master named '${name}'.`);
    return [String(answer[0]), Number(answer[1])];
  } finally {
    if (client.isOpen) client.destroy();
  }
}

/** Converts connection options to those of node-redis. */
export function clientOptions(connection: RedisConnectionOptions = {}): RedisClientOptions {
  const { connectTimeout, tls, ...rest } = connection;
  const secured = tls === undefined || tls === false ? {} : { tls: true, ...(tls === true ? {} : tls) };
  return {
    ...rest,
    socket: {
      ...(connectTimeout === undefined ? {} : { connectTimeout }),
      ...secured,
    } as RedisClientOptions['socket'],
  };
}
