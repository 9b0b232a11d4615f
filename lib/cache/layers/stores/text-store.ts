import type { ServerInfo } from '../layer.js';

/** A store of texts by key, which every kind of store can implement. */
export interface TextStore {
  /** Returns the values in the order of the keys. A value that is not text counts as absent. */
  getMany(keys: readonly string[]): Promise<readonly unknown[]>;
  /** @param entries with `ttlMs` as a whole number of milliseconds, 1 or more; undefined: forever. */
  setMany(entries: readonly TextWrite[]): Promise<void>;
  /** Returns how many keys existed. */
  deleteMany(keys: readonly string[]): Promise<number>;
  /** Undefined if the store cannot list its keys, or if this is not known yet. */
  readonly listing: StoreListing | undefined;
  /** Resolves when the store is ready. */
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  readonly connected: boolean;
  /** Identifies the server, as the field of a layer does. */
  readonly server?: unknown;
  /** Returns the figures of the store's server; null if there is no server. */
  readonly serverInfo?: (() => Promise<ServerInfo | null>) | undefined;
}

export interface TextWrite {
  readonly key: string;
  readonly text: string;
  readonly ttlMs: number | undefined;
}

/** Finds and removes keys in a namespace by a glob, as {@link RedisScan} does. */
export interface StoreListing {
  find(glob: string): AsyncIterable<readonly string[]>;
  remove(glob: string): Promise<number>;
}
