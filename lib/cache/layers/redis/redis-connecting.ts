import type { LayerContext } from '../layer.js';
import { clientConnection } from './redis-client-adapter.js';
import { ClusterConnection } from './redis-cluster.js';
import type { ConnectionEvents, RedisConnection } from './redis-connection.js';
import { fixedEndpoint, sentinelEndpoint } from './redis-endpoint.js';
import type { RedisLayerOptions } from './redis-options.js';
import { SingleConnection } from './redis-single.js';

/** The connection for the options: the application's own client, a cluster, or one server, found through Sentinel or not. */
export function connectionOf(
  options: RedisLayerOptions,
  context: LayerContext,
  events: ConnectionEvents,
): RedisConnection {
  const { url, client, cluster, sentinel, connection } = options;
  if (client !== undefined) return clientConnection(client, events, context.clock);
  if (cluster !== undefined) return new ClusterConnection(cluster, connection, events, context.clock);
  const endpoint = sentinel === undefined ? fixedEndpoint(url, connection) : sentinelEndpoint(sentinel, connection);
  const fixed = sentinel === undefined;
  return new SingleConnection(endpoint, events, context.clock, connection?.connectTimeout, undefined, fixed);
}
