import type { ServerInfo } from '../layer.js';

/** A store of texts by key: the interface that every kind of store can implement. */
export interface TextStore {
  /** Values in the order of the keys; a value that is not text counts as absent. */
  getMany(keys: readonly string[]): Promise<readonly unknown[]>;
  /** @param ttlMs a whole number of milliseconds, 1 or more; undefined: forever. */
  setMany(entries: readonly TextWrite[]): Promise<void>;
  /** Returns how many existed. */
  deleteMany(keys: readonly string[]): Promise<number>;
  /** Undefined if the store cannot list its keys, or it is not known yet whether it can. */
  readonly listing: StoreListing | undefined;
  /** Resolves when it can serve. */
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  readonly connected: boolean;
  /** As that of a layer. */
  readonly server?: unknown;
  /** The figures that its server reports; null if there is no server. */
  readonly serverInfo?: (() => Promise<ServerInfo | null>) | undefined;
}

export interface TextWrite {
  readonly key: string;
  readonly text: string;
  readonly ttlMs: number | undefined;
}

/** Scans a namespace by a glob of keys, as {@link RedisScan} does. */
export interface StoreListing {
  find(glob: string): AsyncIterable<readonly string[]>;
  remove(glob: string): Promise<number>;
}
