import { isRecord } from '../../options/option-rules.js';
import type { RedisLayerOptions } from './redis-options.js';

const DEFAULT_PORT = 6379;

/**
 * Identifies the server of a `redisLayer()`: layers with equal results are lost together. User, database and TLS make no difference. Where
 * the address of a client cannot be read, the client itself is the identity.
 */
export function redisServerOf({ url, sentinel, cluster, client }: RedisLayerOptions): unknown {
  if (client !== undefined) return serverOfClient(client);
  if (sentinel !== undefined) return sentinelName(sentinel.name, sentinel.rootNodes);
  if (cluster !== undefined) return `cluster ${sorted(cluster.rootNodes.map((node) => ofUrl(node.url)))}`;
  return ofUrl(url);
}

/** As {@link redisServerOf}, of a client of the application: node-redis or ioredis. */
export function serverOfClient(client: object): unknown {
  const options: unknown = (client as { readonly options?: unknown }).options;
  if (!isRecord(options)) return client;
  const { name, sentinels, socket } = options;
  if (Array.isArray(sentinels) && typeof name === 'string') return sentinelName(name, sentinels as Place[]);
  const isSingle =
    'createBuiltinCommand' in client ? !('isCluster' in client && client.isCluster) : isSingleNode(client);
  if (!isSingle) return client;
  if (typeof options['url'] === 'string') return ofUrl(options['url']);
  return ofPlace(isRecord(socket) ? socket : options);
}

/** Whether a client of node-redis is neither a pool, nor of Sentinel or Cluster. */
function isSingleNode(client: object): boolean {
  return !['execute', 'nodeClient', 'getSentinelNode'].some((method) => method in client);
}

interface Place {
  readonly host?: unknown;
  readonly port?: unknown;
  readonly path?: unknown;
}

function ofPlace({ host, port, path }: Place): string {
  if (typeof path === 'string') return `redis ${path}`;
  return `redis ${String(host ?? 'localhost').toLowerCase()}:${String(port ?? DEFAULT_PORT)}`;
}

function ofUrl(url: string | undefined): string | undefined {
  if (url === undefined) return ofPlace({});
  try {
    const { hostname, port } = new URL(url);
    return ofPlace({ host: hostname === '' ? undefined : hostname, port: port === '' ? undefined : port });
  } catch {
    return undefined;
  }
}

function sentinelName(name: string, nodes: readonly Place[]): string {
  return `sentinel ${name} ${sorted(nodes.map(ofPlace))}`;
}

function sorted(places: readonly (string | undefined)[]): string {
  return [...places].sort().join(' ');
}
