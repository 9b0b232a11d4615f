import type { ServerInfo } from '../layer.js';
import type { RedisConnection } from './redis-connection.js';

/** INFO of the server, or of all masters of a cluster taken together. */
export async function serverInfo(connection: RedisConnection): Promise<ServerInfo> {
  const nodes = await connection.nodes();
  const infos = await Promise.all(nodes.map(async (node) => parse(String(await node(['INFO'])))));
  const first = infos[0] ?? new Map<string, string>();
  const sum = (field: string) => infos.reduce((total, info) => total + (Number(info.get(field)) || 0), 0);
  const hits = sum('keyspace_hits');
  const asked = hits + sum('keyspace_misses');
  const usedMemory = sum('used_memory');
  return {
    redisVersion: first.get('redis_version') ?? '',
    usedMemoryHuman: infos.length === 1 ? (first.get('used_memory_human') ?? '') : human(usedMemory),
    usedMemory,
    connectedClients: sum('connected_clients'),
    totalKeys: infos.reduce((total, info) => total + keysOf(info), 0),
    uptimeInSeconds: Number(first.get('uptime_in_seconds')) || 0,
    hitRate: asked === 0 ? null : hits / asked,
    evictedKeys: sum('evicted_keys'),
    maxMemory: sum('maxmemory'),
  };
}

function parse(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return fields;
}

/** `db0:keys=12,expires=3,avg_ttl=…`, one line a database. */
function keysOf(info: ReadonlyMap<string, string>): number {
  let keys = 0;
  for (const [field, value] of info) {
    if (/^db\d+$/.test(field)) keys += Number(/keys=(\d+)/.exec(value)?.[1]) || 0;
  }
  return keys;
}

/** As Redis itself writes it: two decimals, binary units. */
function human(bytes: number): string {
  const units = ['B', 'K', 'M', 'G', 'T'];
  const power = Math.min(bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10), units.length - 1);
  return power === 0 ? `${bytes}B` : `${(bytes / 1024 ** power).toFixed(2)}${units[power]}`;
}
