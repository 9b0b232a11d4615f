import type { ServerInfo } from '../layer.js';

/** A store of texts by key, as far as every old and new kind of store can be brought to it. */
export interface TextStore {
  /** In the order of the keys; what is not text counts as absent. */
  getMany(keys: readonly string[]): Promise<readonly unknown[]>;
  /** @param ttlMs a whole number of milliseconds, 1 or more; undefined keeps for ever. */
  setMany(entries: readonly TextWrite[]): Promise<void>;
  /** How many there were. */
  deleteMany(keys: readonly string[]): Promise<number>;
  /** Undefined if the store cannot list what it holds, or does not know yet whether it can. */
  readonly listing: StoreListing | undefined;
  /** Resolves when it can serve. */
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  readonly connected: boolean;
  /** As of a layer: what its server reports of itself; null if there is none to ask. */
  readonly serverInfo?: (() => Promise<ServerInfo | null>) | undefined;
}

export interface TextWrite {
  readonly key: string;
  readonly text: string;
  readonly ttlMs: number | undefined;
}

/** A walk over a namespace by glob of keys, as in {@link RedisScan}. */
export interface StoreListing {
  find(glob: string): AsyncIterable<readonly string[]>;
  remove(glob: string): Promise<number>;
}
