import type { RemoteLayerOptions } from '../resilience/remote-layer-options.js';

/** How `redisLayer()` reaches its Redis, and the options of every remote layer. Give one of `url`, `sentinel`, `cluster`, `client`. */
export interface RedisLayerOptions extends RemoteLayerOptions {
  /**
   * `redis://[user:password@]host:port[/database]`, `rediss://` for TLS. `url: undefined` stops the boot, because it usually means that
   * an environment variable is not set. @default 'redis://localhost:6379'
   */
  url?: string;
  /** Options that a URL cannot contain: ACL user, TLS, timeouts. */
  connection?: RedisConnectionOptions;
  /** A master found through Sentinel. */
  sentinel?: {
    /** The master's name in the sentinels. */
    name: string;
    rootNodes: { host: string; port: number }[];
    /** ACL user, TLS and timeouts of the connections to the sentinels themselves. */
    connection?: RedisConnectionOptions;
  };
  /** A Redis Cluster, found through any of its nodes. */
  cluster?: {
    rootNodes: { url: string }[];
    /** Where announced addresses can be reached, for clusters behind NAT: `'10.0.0.1:6379'` → host and port. */
    nodeAddressMap?: Record<string, { host: string; port: number }>;
  };
  /**
   * A client of the application, which is not closed on disconnect: node-redis 4 or 5 (single, Sentinel, Cluster, or a pool, whose
   * options the layer uses for its own connections) or ioredis (single, Sentinel, Cluster; its `keyPrefix` precedes the
   * namespace). Refused: ioredis with `scaleReads` other than `'master'`.
   */
  client?: RedisClientLike;
}

export interface RedisConnectionOptions {
  username?: string;
  password?: string;
  database?: number;
  /** How long one attempt to connect may take, milliseconds. @default 1000, and 500 to each sentinel */
  connectTimeout?: number;
  /** TLS with these options of `tls.connect()` (`ca`, `cert`, `key`, `servername`, `rejectUnauthorized` …); `true` for the defaults. */
  tls?: boolean | Readonly<Record<string, unknown>>;
}

/** The properties that distinguish a client of node-redis from one of ioredis. */
export type RedisClientLike =
  | { sendCommand(...args: never[]): unknown; readonly isOpen: boolean; connect(): Promise<unknown> }
  | { createBuiltinCommand(name: string): unknown; readonly status: string; connect(): Promise<unknown> };
