import { redactedMessage } from '../../base/redacted-error.js';
import { CacheError } from '../../base/errors.js';
import type { LayerEvents, ServerInfo } from '../layer.js';
import type { RedisConnection } from './redis-connection.js';
import { explainFailure, isCommandRefused } from './redis-failure.js';

/** The most characters of an answer that are read: INFO of a server has a tenth of it. */
const MAX_TEXT = 100_000;
const MAX_NAME = 40;

/** Asks servers for their figures (INFO); if the user may not, one line is logged until it may. */
export class RedisInfo {
  readonly #connection: RedisConnection;
  readonly #events: LayerEvents;
  readonly #layer: string;
  readonly #address: string;
  #refused = false;

  /** @param address where the server is, without credentials. */
  constructor(connection: RedisConnection, events: LayerEvents, layer: string, address: string) {
    this.#connection = connection;
    this.#events = events;
    this.#layer = layer;
    this.#address = address;
  }

  async read(): Promise<ServerInfo> {
    try {
      const info = await serverInfo(this.#connection);
      this.#refused = false;
      return info;
    } catch (error) {
      if (isCommandRefused(error) && !this.#refused) this.#report(error);
      throw error;
    }
  }

  #report(error: unknown): void {
    this.#refused = true;
    explainFailure(error, this.#address);
    const why = redactedMessage(error);
    this.#events.log('warn', 'NO_SERVER_FIGURES', `Layer '${this.#layer}' has no figures of its server. ${why}`);
  }
}

/** INFO of the server, or of all masters of a cluster together. */
async function serverInfo(connection: RedisConnection): Promise<ServerInfo> {
  const nodes = await connection.nodes();
  const infos = await Promise.all(nodes.map(async (node) => parse(String(await node(['INFO'])).slice(0, MAX_TEXT))));
  const first = infos[0];
  const version = first?.get('redis_version');
  if (first === undefined || version === undefined) {
    throw new CacheError('LAYER_UNAVAILABLE', 'The server does not answer INFO as Redis does.');
  }
  const sum = (field: string) => infos.reduce((total, info) => total + amount(info.get(field)), 0);
  const hits = sum('keyspace_hits');
  const asked = hits + sum('keyspace_misses');
  const usedMemory = sum('used_memory');
  return {
    redisVersion: version.slice(0, MAX_NAME),
    usedMemoryHuman: infos.length === 1 ? (first.get('used_memory_human') ?? '').slice(0, MAX_NAME) : human(usedMemory),
    usedMemory,
    connectedClients: sum('connected_clients'),
    totalKeys: infos.reduce((total, info) => total + keysOf(info), 0),
    uptimeInSeconds: amount(first.get('uptime_in_seconds')),
    hitRate: asked === 0 ? null : hits / asked,
    evictedKeys: sum('evicted_keys'),
    maxMemory: sum('maxmemory'),
  };
}

function amount(text: string | undefined): number {
  const value = Number(text);
  return Number.isFinite(value) && value > 0 ? value : 0;
}

function parse(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return fields;
}

/** Parses `db0:keys=12,expires=3,avg_ttl=…`, one line per database. */
function keysOf(info: ReadonlyMap<string, string>): number {
  let keys = 0;
  for (const [field, value] of info) {
    if (/^db\d+$/.test(field)) keys += amount(/keys=(\d+)/.exec(value)?.[1]);
  }
  return keys;
}

/** Formats bytes like Redis: two decimals, binary units. */
function human(bytes: number): string {
  const units = ['B', 'K', 'M', 'G', 'T'];
  const power = Math.min(bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10), units.length - 1);
  return power === 0 ? `${bytes}B` : `${(bytes / 1024 ** power).toFixed(2)}${units[power]}`;
}
