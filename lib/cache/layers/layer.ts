import type { Clock } from '../base/clock.js';
import type { LogCode } from '../base/log-codes.js';
import type { Entry } from '../entries/entry.js';
import type { Coordination } from '../invalidation/coordination.js';
import type { Invalidations } from '../invalidation/invalidations.js';
import type { OptionFault } from '../options/option-rules.js';
import { CircuitState, type EvictionReason, type Result } from '../base/observer.js';
import type { LoadTicket } from './load-ticket.js';

export type { BusMessage, Coordination, Lease } from '../invalidation/coordination.js';

/**
 * A store of entries. Memory answers in the same turn, other layers by a promise. An absent entry is `undefined`. A layer never returns an
 * entry whose `removeAt` has passed. It may reject: the chain counts the error and continues without the layer.
 */
export interface Layer {
  readonly name: string;
  /** True if other processes also use the layer. */
  readonly shared: boolean;
  /**
   * Identifies the server that holds the entries. Layers with the same server fail together. It contains no credentials. Undefined if the
   * layer has no server, or does not know it yet.
   */
  readonly server?: unknown;
  /** True if the layer stores bytes and never an entry object. Then entries written to it have no other reader. */
  readonly encodes?: boolean | undefined;
  /** True if the keys are on several servers, of which one may fail. The answer for one key must then not wait for that of another. */
  readonly spread?: boolean | undefined;
  /**
   * True while a successful deletion, invalidation or write without a ticket notifies the other processes in the same round trip. Otherwise
   * {@link Coordination} publishes it.
   */
  readonly announces?: boolean | undefined;
  /** @param ticket records the time of the read, for a later `set` of the value that is loaded meanwhile. */
  get(key: string, ticket?: LoadTicket): Entry | undefined | Promise<Entry | undefined>;
  /**
   * Returns the entries in the order of the keys, in one round trip.
   * @param unanswered receives the keys whose part of the layer did not answer. They may exist.
   * @param calls the number of calls that were combined into this one. @default 1
   */
  getMany(
    keys: readonly string[],
    tickets?: readonly LoadTicket[],
    unanswered?: Set<string>,
    calls?: number,
  ): (Entry | undefined)[] | Promise<(Entry | undefined)[]>;
  /** @param ticket the ticket of a loaded value. A value without a ticket is new, and newer than every stored one. */
  set(key: string, entry: Entry, ticket?: LoadTicket): void | Promise<void>;
  /**
   * Writes entries in one round trip. A large write may be split into parts that do not wait for each other.
   * @param calls as for {@link getMany}
   */
  setMany(entries: readonly LayerWrite[], calls?: number): void | Promise<void>;
  /** Returns true if the key existed. */
  delete(key: string): boolean | Promise<boolean>;
  /** Returns how many keys existed. Takes one round trip. */
  deleteMany(keys: readonly string[]): number | Promise<number>;
  /**
   * Returns how many entries were removed. A glob is like Redis' MATCH: `*` any text, `?` one character, `[abc]` one of the set, `\`
   * escapes.
   * @param madeUntil given when a failed removal is retried: entries created after this time of this process, milliseconds, must stay. A
   * layer with its own order of invalidations ignores it.
   */
  deleteByPattern(glob: string, madeUntil?: number): number | Promise<number>;
  /** Makes every entry with one of these tags that was written before unreadable. Takes constant time per tag. */
  invalidateTags(tags: readonly string[]): void | Promise<void>;
  /** Returns the keys that match, in batches. */
  keys(glob: string): AsyncIterable<readonly string[]> | Iterable<readonly string[]>;
  /** Removes every entry in this cache's namespace, and nothing else. @param madeUntil as for {@link deleteByPattern} */
  clear(madeUntil?: number): void | Promise<void>;
  /** Resolves when the layer is ready. Rejects if it cannot be reached now; the layer then keeps trying. */
  connect?(): Promise<void>;
  disconnect(): void | Promise<void>;
  /** How often the store of the entries has answered so far, as a sign of life. Undefined if the layer cannot count this. */
  readonly replies?: number;
  /** Returns contents and state, as far as they are known without a request. */
  status(): LayerStatus;
  /** Returns the figures of the layer's server; null if it has no server. */
  serverInfo?(): Promise<ServerInfo | null>;
  /** Returns the keys with the most requests, most first. Only for layers that count requests. */
  hottestKeys?(limit: number): Promise<readonly string[]>;
  /** Returns each key with the bytes of its entry. Only for layers in this process's memory. Entries may change during the iteration. */
  entrySizes?(): Iterable<readonly [key: string, bytes: number]>;
  /** Locks and messages between processes, if the layer supports them. */
  readonly coordination?: Coordination;
  /**
   * Notes that processes share under a common name, if the layer supports them.
   * @param everyVersion true for notes that deploys with another version read too. @default false
   */
  sharedMap?(name: string, everyVersion?: boolean): SharedMap;
}

/** A layer in this process's memory, which answers in the same turn. */
export interface LocalLayer extends Layer {
  /** Returns the entry of the key, even if it is stale, expired or invalidated. */
  lookup(key: string): Entry | undefined;
  /** Returns the same as {@link lookup}, without counting a use. */
  peek(key: string): Entry | undefined;
  get(key: string): Entry | undefined;
  /** @param now the time of the clock. Without it, the layer reads the clock if it must evict. */
  set(key: string, entry: Entry, ticket?: LoadTicket, now?: number): void;
  delete(key: string): boolean;
}

/** One entry of a batch write. */
export type LayerWrite = readonly [key: string, entry: Entry, ticket?: LoadTicket];

/**
 * Returns true if the cache uses a layer. A half-open circuit closes the layer to all calls but one probe in the background, so the layer
 * is not in use.
 */
export function isInUse(layer: {
  readonly connected: boolean;
  readonly circuitState: CircuitState | 'closed' | 'open' | 'half_open';
}): boolean {
  return layer.connected && (layer.circuitState === CircuitState.closed || layer.circuitState === 'closed');
}

export interface LayerStatus {
  readonly entries: number | null;
  readonly bytes: number | null;
  readonly connected: boolean;
  readonly circuitState: CircuitState;
  /**
   * Why the layer cannot be used now and what to do, as text for people, without keys and credentials. Undefined if it can be used or the
   * reason is unknown.
   */
  readonly failure?: string;
  readonly queueDepth: number;
  readonly writesDropped: number;
  /** The number of unreadable values so far, because they are foreign or of another version. Undefined if the layer cannot have any. */
  readonly undecodable?: number;
  /** The number of invalidations whose entries are not removed yet. Such entries are never returned. Undefined counts as 0. */
  readonly sweepsPending?: number;
  /**
   * The number of invalidations that the layer has not accepted yet. This process repeats them and hides the entries concerned. Undefined
   * counts as 0.
   */
  readonly invalidationsPending?: number;
  /** True if the last message to the other processes could not be sent. */
  readonly busNotSent?: boolean;
  /** True while messages of the other processes cannot be received. */
  readonly busUnreachable?: boolean;
  /**
   * The benefit of more room: the milliseconds of load time that entries saved per megabyte and minute before they were evicted for lack of
   * room, as the mean of the last evictions. Undefined before the first eviction, or if unknown.
   */
  readonly evictedWorth?: number;
  /** The limits of the layer; undefined if it sets none. */
  readonly bounds?: LayerBounds;
  /** How entries are chosen for eviction; undefined if the layer is not in this process's memory. */
  readonly eviction?: 'worth' | 'lru';
}

/** The limits of a layer. Infinity or undefined: no limit. */
export interface LayerBounds {
  readonly entries?: number;
  readonly bytes?: number;
}

/** The figures of a whole server, from Redis' INFO. */
export interface ServerInfo {
  readonly redisVersion: string;
  readonly usedMemoryHuman: string;
  readonly usedMemory: number;
  readonly connectedClients: number;
  readonly totalKeys: number;
  readonly uptimeInSeconds: number;
  /** Hits over hits and misses of the keyspace, 0–1; null before the first. */
  readonly hitRate: number | null;
  readonly evictedKeys: number;
  readonly maxMemory: number;
}

/** The events that a layer reports. The listener knows the layer's index and name. */
export interface LayerEvents {
  /**
   * Reports that the layer removed entries without a request to do so.
   * @param track the entry's track, if the stream of accesses follows its key.
   * @param at the time of the clock. Without it, the listener reads the clock.
   */
  evicted(reason: EvictionReason, count: number, key?: string, track?: number, at?: number): void;
  /** Reports that a layer of this process stores an entry with a track. */
  held?(key: string, entry: Entry): void;
  /** Reports that the layer no longer holds such an entry, because it was replaced or removed. Comes before {@link evicted}. */
  released?(entry: Entry): void;
  /** Reports that a layer of this process removed an entry because its key matched a glob. */
  invalidated?(key: string): void;
  circuit(state: CircuitState): void;
  /** Reports that the layer answers again after a call that it did not answer. */
  answered?(): void;
  queueDepth(depth: number): void;
  writeDropped(count: number): void;
  asyncWrite(result: Result, durationMs: number, keys: number): void;
  /** Logs a message for people once: a connection was lost or restored, or a value could not be decoded. The message never holds a key. */
  log(level: 'log' | 'warn' | 'error', code: LogCode, message: string, cause?: unknown): void;
}

/** What a layer is created with. */
export interface LayerContext {
  readonly clock: Clock;
  readonly events: LayerEvents;
  /** Prefix of the layer's keys, without the colon after it: `sharedPrefix()` of the namespace and version. */
  readonly prefix: string;
  /** The cache's own order of invalidations, from which a memory layer reads the epochs of tags. */
  readonly invalidations?: Invalidations;
}

/** Creates a layer when its cache is created. `memoryLayer()`, `redisLayer()` and similar functions return it. */
export interface LayerFactory {
  readonly name: string;
  /** True if the boot fails when the layer cannot be reached. */
  readonly required: boolean;
  /** True if other processes may use the same store. Then the cache needs its own namespace. @default false */
  readonly shared?: boolean;
  /** Where the layer stores its data, for logs, without credentials. */
  readonly address?: string;
  /** The faults of the options. The boot lists them, and `create` throws them. */
  readonly faults?: readonly OptionFault[];
  /** @throws CacheError `INVALID_OPTIONS`, `INVALID_DURATION` if there are faults. */
  create(context: LayerContext): Layer;
}

/**
 * Notes of processes, each in its own slot. A new note replaces the last one in its slot. A note that is not renewed expires. Every method
 * rejects if the layer cannot be reached.
 */
export interface SharedMap {
  publish(slot: string, bytes: Uint8Array, keepMs: number): Promise<void>;
  read(slot: string): Promise<Uint8Array | undefined>;
  /** Returns all notes by slot. */
  readAll(): Promise<ReadonlyMap<string, Uint8Array>>;
  withdraw(slot: string): Promise<void>;
}
