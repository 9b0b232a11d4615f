import type { Clock } from '../base/clock.js';
import type { LogCode } from '../base/log-codes.js';
import type { Entry } from '../entries/entry.js';
import type { Coordination } from '../invalidation/coordination.js';
import type { Invalidations } from '../invalidation/invalidations.js';
import type { OptionFault } from '../options/option-rules.js';
import type { CircuitState, EvictionReason, Result } from '../base/observer.js';
import type { LoadTicket } from './load-ticket.js';

export type { BusMessage, Coordination, Lease } from '../invalidation/coordination.js';

/**
 * Where entries are kept. Memory answers in the same turn, everything else by a promise; an absent entry is `undefined`.
 * A layer never answers an entry whose `goneAt` has passed. It may reject: the chain counts that and goes on without it.
 */
export interface Layer {
  readonly name: string;
  /** True if other processes read it too. */
  readonly shared: boolean;
  /** True if it keeps bytes and never an entry itself, so that what is written to it has no other reader. */
  readonly encodes?: boolean | undefined;
  /** True if keys lie on several servers, of which one may be lost: a key's answer must not wait for another's. */
  readonly spread?: boolean | undefined;
  /**
   * True while writes without a ticket, deletions and invalidations that succeed inform the other processes themselves, in the same
   * round trip; else they are published by {@link Coordination}.
   */
  readonly announces?: boolean | undefined;
  /** @param ticket notes the moment of the read, for a later `set` of what was loaded meanwhile. */
  get(key: string, ticket?: LoadTicket): Entry | undefined | Promise<Entry | undefined>;
  /**
   * In the order of the keys, in one round trip.
   * @param unanswered gets the keys that a part of the layer was not there to answer for: nothing is known of them.
   * @param calls how many calls of others this one stands for, where those of one turn are made together. @default 1
   */
  getMany(
    keys: readonly string[],
    tickets?: readonly LoadTicket[],
    unanswered?: Set<string>,
    calls?: number,
  ): (Entry | undefined)[] | Promise<(Entry | undefined)[]>;
  /** @param ticket of a loaded value; without one the value is made now, and newer than whatever is there. */
  set(key: string, entry: Entry, ticket?: LoadTicket): void | Promise<void>;
  /**
   * In one round trip; what is large may leave in pieces that do not wait for each other.
   * @param calls as for {@link getMany}
   */
  setMany(entries: readonly LayerWrite[], calls?: number): void | Promise<void>;
  /** True if there was one. */
  delete(key: string): boolean | Promise<boolean>;
  /** How many there were; in one round trip. */
  deleteMany(keys: readonly string[]): number | Promise<number>;
  /**
   * How many were removed. Glob: `*` any text, `?` one character, `[abc]` one of, `\` escapes; like Redis' MATCH.
   * @param madeUntil this process' time, milliseconds: a removal that failed is tried again, and must not remove what was made since.
   *   A layer that keeps an order of its own ignores it.
   */
  deleteByPattern(glob: string, madeUntil?: number): number | Promise<number>;
  /** Makes every entry with one of these tags, written before now, unreadable; constant time a tag. */
  invalidateTags(tags: readonly string[]): void | Promise<void>;
  /** Keys that match, in batches. */
  keys(glob: string): AsyncIterable<readonly string[]> | Iterable<readonly string[]>;
  /** Removes every entry of this cache's namespace and nothing else. @param madeUntil as for {@link deleteByPattern} */
  clear(madeUntil?: number): void | Promise<void>;
  /** Resolves when it can serve, rejects where it cannot be reached now (it goes on trying). */
  connect?(): Promise<void>;
  disconnect(): void | Promise<void>;
  /** How many answers have come so far from where it keeps its entries: a sign of life. Undefined if it cannot count them. */
  readonly replies?: number;
  /** What it holds and how it is, as far as it knows without asking anybody. */
  status(): LayerStatus;
  /** What its server reports of itself; null if it turns out that there is none to ask. */
  serverInfo?(): Promise<ServerInfo | null>;
  /** The keys that were asked for most, these first; of a layer that knows. */
  hottestKeys?(limit: number): Promise<readonly string[]>;
  /** Each key with the bytes that its entry takes, of a layer in this process' memory. Entries may come and go meanwhile. */
  entrySizes?(): Iterable<readonly [key: string, bytes: number]>;
  /** Locks and messages between processes, where the layer can carry them. */
  readonly coordination?: Coordination;
  /** Notes that processes leave for each other under a common name, where the layer can keep them. */
  /** @param everyVersion true for notes that a deploy with another version reads too. @default false */
  sharedMap?(name: string, everyVersion?: boolean): SharedMap;
}

/** A layer in this process' memory: answers in the same turn. */
export interface LocalLayer extends Layer {
  /** What is kept under the key, whatever its times and tags say. */
  lookup(key: string): Entry | undefined;
  /** The same, which counts as no use. */
  peek(key: string): Entry | undefined;
  get(key: string): Entry | undefined;
  set(key: string, entry: Entry): void;
  delete(key: string): boolean;
}

/** One entry of a batch write. */
export type LayerWrite = readonly [key: string, entry: Entry, ticket?: LoadTicket];

export interface LayerStatus {
  readonly entries: number | null;
  readonly bytes: number | null;
  readonly connected: boolean;
  readonly circuitState: CircuitState;
  readonly queueDepth: number;
  readonly writesDropped: number;
  /** Values that could not be read so far: of another version, or of somebody else. Undefined if that cannot be. */
  readonly undecodable?: number;
  /** Invalidations whose entries could not be removed yet; nobody reads them. Undefined counts as 0. */
  readonly sweepsPending?: number;
  /** Invalidations that the layer has not taken yet: this process repeats them, and hides what they concern. Undefined counts as 0. */
  readonly invalidationsPending?: number;
  /** True while the last message to the other processes could not be sent. */
  readonly busNotSent?: boolean;
  /** True while messages of the other processes cannot be received. */
  readonly busUnreachable?: boolean;
  /**
   * Milliseconds of load time that entries which were evicted for want of room saved per megabyte and minute, the mean of the last
   * ones: what more room would bring. Undefined before the first, and where it is not known.
   */
  readonly evictedWorth?: number;
  /** How much it may keep. Undefined if it has no bound of its own. */
  readonly bounds?: LayerBounds;
  /** Which entry goes where there is no room; undefined if it is not this process' own memory. */
  readonly eviction?: 'worth' | 'lru';
}

/** Infinity or undefined for none. */
export interface LayerBounds {
  readonly entries?: number;
  readonly bytes?: number;
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
  /** @param track of the entry, where the stream of accesses follows its key. */
  evicted(reason: EvictionReason, count: number, key?: string, track?: number): void;
  /** A layer of this process removed an entry because a glob matched its key. */
  invalidated?(key: string): void;
  circuit(state: CircuitState): void;
  queueDepth(depth: number): void;
  writeDropped(count: number): void;
  asyncWrite(result: Result, durationMs: number, keys: number): void;
  /** Something a person should read once: connection lost, restored, a value that could not be decoded. Never a key. */
  log(level: 'log' | 'warn' | 'error', code: LogCode, message: string, cause?: unknown): void;
}

/** What a layer is built with. */
export interface LayerContext {
  readonly clock: Clock;
  readonly events: LayerEvents;
  /** Prefix of its keys, without the colon behind it: `sharedPrefix()` of the namespace and version. */
  readonly prefix: string;
  /** The cache's own order of invalidations: a layer of this process reads its tags' epochs there. */
  readonly invalidations?: Invalidations;
}

/** What `memoryLayer()`, `redisLayer()` and the others return: a layer that is made once its cache is. */
export interface LayerFactory {
  readonly name: string;
  /** The boot fails when it cannot be reached. */
  readonly required: boolean;
  /** True if other processes may use the same store, so that the cache needs a namespace of its own. @default false */
  readonly shared?: boolean;
  /** Where its data is, for logs: without credentials. */
  readonly address?: string;
  /** What is wrong with its options: the boot lists it, and `create` throws it. */
  readonly faults?: readonly OptionFault[];
  /** @throws CacheError `INVALID_OPTIONS`, `INVALID_DURATION` where there are faults. */
  create(context: LayerContext): Layer;
}

/**
 * Notes of processes, each under a slot of its own: written again it takes the place of the last, and it is gone when it is not
 * renewed. Everything rejects where the layer cannot be reached.
 */
export interface SharedMap {
  publish(slot: string, bytes: Uint8Array, keepMs: number): Promise<void>;
  read(slot: string): Promise<Uint8Array | undefined>;
  /** Every note there is, by its slot. */
  readAll(): Promise<ReadonlyMap<string, Uint8Array>>;
  withdraw(slot: string): Promise<void>;
}
