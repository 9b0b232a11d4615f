import type { Clock } from '../clock.js';
import type { Entry } from '../entry.js';
import type { Invalidations } from '../invalidations.js';
import type { CircuitState, EvictionReason, Result } from '../observer.js';

/**
 * Where entries are kept. Memory answers in the same turn, everything else by a promise; an absent entry is `undefined`.
 * A layer never answers an entry whose `goneAt` has passed. It may reject: the chain counts that and goes on without it.
 */
export interface Layer {
  readonly name: string;
  /** True where other processes read it too. */
  readonly shared: boolean;
  /** True where it keeps bytes and never an entry itself, so that what is written to it has no other reader. */
  readonly encodes?: boolean | undefined;
  /**
   * @param ticket what a read tells about the moment it was made, for a later `set` of what was loaded meanwhile:
   *   a layer that orders invalidations across processes refuses that set when one came between.
   */
  get(key: string, ticket?: LoadTicket): Entry | undefined | Promise<Entry | undefined>;
  /** In the order of the keys, in one round trip. */
  getMany(
    keys: readonly string[],
    tickets?: readonly LoadTicket[],
  ): (Entry | undefined)[] | Promise<(Entry | undefined)[]>;
  set(key: string, entry: Entry, ticket?: LoadTicket): void | Promise<void>;
  /** In one round trip; what is large may leave in pieces that do not wait for each other. */
  setMany(entries: readonly LayerWrite[]): void | Promise<void>;
  /** True where there was one. */
  delete(key: string): boolean | Promise<boolean>;
  /** How many there were; in one round trip. */
  deleteMany(keys: readonly string[]): number | Promise<number>;
  /** How many were removed. Glob: `*` any text, `?` one character, `[abc]` one of, `\` escapes; like Redis' MATCH. */
  deleteByPattern(glob: string): number | Promise<number>;
  /** Makes every entry with one of these tags, written before now, unreadable; constant time a tag. */
  invalidateTags(tags: readonly string[]): void | Promise<void>;
  /** Keys that match, in batches. */
  keys(glob: string): AsyncIterable<readonly string[]> | Iterable<readonly string[]>;
  /** Removes every entry of this cache's namespace and nothing else. */
  clear(): void | Promise<void>;
  /** Resolves when it can serve, rejects where it cannot be reached now (it goes on trying). */
  connect?(): Promise<void>;
  disconnect(): void | Promise<void>;
  /** What it holds and how it is, as far as it knows without asking anybody. */
  status(): LayerStatus;
  /** What its server says of itself, or undefined where there is none to ask. */
  serverInfo?(): Promise<ServerInfo>;
  /** Locks and messages between processes, where the layer can carry them. */
  readonly coordination?: Coordination;
  /** Notes that processes leave for each other under a common name, where the layer can keep them. */
  board?(name: string): Board;
}

/** A layer in this process' memory: answers in the same turn. */
export interface NearLayer extends Layer {
  /** What is kept under the key, whatever its times and tags say. */
  lookup(key: string): Entry | undefined;
  get(key: string): Entry | undefined;
  set(key: string, entry: Entry): void;
  delete(key: string): boolean;
}

/** One entry of a batch write. */
export type LayerWrite = readonly [key: string, entry: Entry, ticket?: LoadTicket];

/** Filled by the layers a load's read passed, each under its own name; opaque to everybody else. */
export type LoadTicket = Map<string, unknown>;

export interface LayerStatus {
  readonly entries: number | null;
  readonly bytes: number | null;
  readonly connected: boolean;
  readonly circuitState: CircuitState;
  readonly queueDepth: number;
  readonly writesDropped: number;
}

/** Server-wide figures of a Redis' INFO. */
export interface ServerInfo {
  readonly redisVersion: string;
  readonly usedMemoryHuman: string;
  readonly usedMemory: number;
  readonly connectedClients: number;
  readonly totalKeys: number;
  readonly uptimeInSeconds: number;
  /** keyspace hits over hits and misses, 0–1; null before the first. */
  readonly hitRate: number | null;
  readonly evictedKeys: number;
  readonly maxMemory: number;
}

/** What a layer may say about itself while it works; indices and names are added by who listens. */
export interface LayerEvents {
  evicted(reason: EvictionReason, count: number, key?: string): void;
  circuit(state: CircuitState): void;
  queueDepth(depth: number): void;
  writeDropped(count: number): void;
  asyncWrite(result: Result, durationMs: number, keys: number): void;
  /** Something a person should read once: connection lost, restored, a value that could not be decoded. Never a key. */
  log(level: 'log' | 'warn' | 'error', code: string, message: string, cause?: unknown): void;
}

/** What a layer is built with. */
export interface LayerContext {
  readonly clock: Clock;
  readonly events: LayerEvents;
  /** Prefix of its keys, `namespace` or `namespace:version`, without the separating colon. */
  readonly prefix: string;
  /** The cache's own order of invalidations: a layer of this process reads its tags' epochs there. */
  readonly invalidations?: Invalidations;
}

/** What `memoryLayer()`, `redisLayer()` and the others return: a layer that is made once its cache is. */
export interface LayerFactory {
  readonly name: string;
  /** The boot fails when it cannot be reached. */
  readonly required: boolean;
  create(context: LayerContext): Layer;
}

/** What a layer shared between processes offers beside its entries. */
export interface Coordination {
  /** A lease on a name, or undefined while somebody else holds it. Rejects where the layer cannot be reached. */
  acquire(name: string, leaseMs: number): Promise<Lease | undefined>;
  /**
   * Sends to every other process; resolves when handed over. Rejects when it could not be yet, without waiting where the layer
   * is known to be away: it is kept and sent later.
   */
  publish(message: BusMessage): Promise<void>;
  /** Other processes' messages. `onGap` is called after a lost connection: what was sent meanwhile is unknown. */
  subscribe(listener: { onMessage(message: BusMessage): void; onGap(): void }): Promise<() => Promise<void>>;
}

/**
 * Notes of processes, each under a slot of its own: written again it takes the place of the last, and it is gone when it is not
 * renewed. Everything rejects where the layer cannot be reached.
 */
export interface Board {
  publish(slot: string, bytes: Uint8Array, keepMs: number): Promise<void>;
  read(slot: string): Promise<Uint8Array | undefined>;
  /** Every note there is, by its slot. */
  readAll(): Promise<ReadonlyMap<string, Uint8Array>>;
  withdraw(slot: string): Promise<void>;
}

export interface Lease {
  /** Prolongs it; false where it was lost. */
  renew(leaseMs: number): Promise<boolean>;
  release(): Promise<void>;
}

/** What memory layers of other processes must forget. */
export interface BusMessage {
  readonly keys?: readonly string[];
  readonly patterns?: readonly string[];
  readonly tags?: readonly string[];
  readonly all?: boolean;
}
