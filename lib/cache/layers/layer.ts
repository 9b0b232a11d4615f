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
 * A store of entries. Memory answers in the same turn, other layers by a promise; an absent entry is `undefined`.
 * A layer never returns an entry whose `removeAt` has passed. It may reject: the chain counts the error and continues without the layer.
 */
export interface Layer {
  readonly name: string;
  /** True if other processes read it too. */
  readonly shared: boolean;
  /**
   * Identifies the server that holds its entries: layers with the same one are lost together. It contains no credentials. Undefined if the
   * layer has no server, or does not know it yet.
   */
  readonly server?: unknown;
  /** True if it stores bytes and never an entry object, so that entries written to it have no other reader. */
  readonly encodes?: boolean | undefined;
  /** True if its keys are on several servers, of which one may be lost: the answer for a key must not wait for another's. */
  readonly spread?: boolean | undefined;
  /**
   * True while writes without a ticket, deletions and invalidations that succeed notify the other processes in the same
   * round trip; otherwise they are published by {@link Coordination}.
   */
  readonly announces?: boolean | undefined;
  /** @param ticket notes the time of the read, for a later `set` of the value that was loaded meanwhile. */
  get(key: string, ticket?: LoadTicket): Entry | undefined | Promise<Entry | undefined>;
  /**
   * In the order of the keys, in one round trip.
   * @param unanswered gets the keys for which a part of the layer did not answer: nothing is known about them.
   * @param calls the number of calls that were combined into this one. @default 1
   */
  getMany(
    keys: readonly string[],
    tickets?: readonly LoadTicket[],
    unanswered?: Set<string>,
    calls?: number,
  ): (Entry | undefined)[] | Promise<(Entry | undefined)[]>;
  /** @param ticket of a loaded value; a value without a ticket is written now, and is newer than every stored one. */
  set(key: string, entry: Entry, ticket?: LoadTicket): void | Promise<void>;
  /**
   * In one round trip; a large write may be sent in pieces that do not wait for each other.
   * @param calls as for {@link getMany}
   */
  setMany(entries: readonly LayerWrite[], calls?: number): void | Promise<void>;
  /** True if there was one. */
  delete(key: string): boolean | Promise<boolean>;
  /** Returns how many existed; in one round trip. */
  deleteMany(keys: readonly string[]): number | Promise<number>;
  /**
   * Returns how many were removed. Glob: `*` any text, `?` one character, `[abc]` one of, `\` escapes; like Redis' MATCH.
   * @param madeUntil time of this process, milliseconds: a failed removal is retried, and must not remove entries created after this time.
   *   A layer with its own order of invalidations ignores it.
   */
  deleteByPattern(glob: string, madeUntil?: number): number | Promise<number>;
  /** Makes every entry with one of these tags, written before now, unreadable; takes constant time per tag. */
  invalidateTags(tags: readonly string[]): void | Promise<void>;
  /** Keys that match, in batches. */
  keys(glob: string): AsyncIterable<readonly string[]> | Iterable<readonly string[]>;
  /** Removes every entry of this cache's namespace and nothing else. @param madeUntil as for {@link deleteByPattern} */
  clear(madeUntil?: number): void | Promise<void>;
  /** Resolves when it can serve, rejects if it cannot be reached now (it keeps trying). */
  connect?(): Promise<void>;
  disconnect(): void | Promise<void>;
  /** The number of answers so far from the store of its entries: a sign of life. Undefined if it cannot count them. */
  readonly replies?: number;
  /** Its contents and state, as far as it can report them without a request. */
  status(): LayerStatus;
  /** The figures that its server reports; null if it has no server. */
  serverInfo?(): Promise<ServerInfo | null>;
  /** The keys with the most requests, most first; only of a layer that counts them. */
  hottestKeys?(limit: number): Promise<readonly string[]>;
  /** Each key with the bytes that its entry takes, of a layer in this process' memory. Entries may come and go meanwhile. */
  entrySizes?(): Iterable<readonly [key: string, bytes: number]>;
  /** Locks and messages between processes, if the layer supports them. */
  readonly coordination?: Coordination;
  /** Notes that processes share under a common name, if the layer supports them. */
  /** @param everyVersion true for notes that a deploy with another version reads too. @default false */
  sharedMap?(name: string, everyVersion?: boolean): SharedMap;
}

/** A layer in this process' memory: answers in the same turn. */
export interface LocalLayer extends Layer {
  /** The entry of the key, whatever its times and tags. */
  lookup(key: string): Entry | undefined;
  /** As {@link lookup}, without counting as a use. */
  peek(key: string): Entry | undefined;
  get(key: string): Entry | undefined;
  /** @param now the reading of the clock; without it the layer reads it, if it has to evict. */
  set(key: string, entry: Entry, ticket?: LoadTicket, now?: number): void;
  delete(key: string): boolean;
}

/** One entry of a batch write. */
export type LayerWrite = readonly [key: string, entry: Entry, ticket?: LoadTicket];

/** Whether the cache uses a layer. A half-open circuit leaves it out like an open one: only a probe in the background passes. */
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
  /** Why it cannot be used now, and what to do, for people: without keys and credentials. Undefined if it can, or if nothing is known. */
  readonly failure?: string;
  readonly queueDepth: number;
  readonly writesDropped: number;
  /** The number of unreadable values so far: of another version, or foreign. Undefined if there cannot be any. */
  readonly undecodable?: number;
  /** Invalidations whose entries are not removed yet; they are not read. Undefined counts as 0. */
  readonly sweepsPending?: number;
  /** Invalidations that the layer has not accepted yet: this process repeats them, and hides the entries concerned. Undefined counts as 0. */
  readonly invalidationsPending?: number;
  /** True while the last message to the other processes could not be sent. */
  readonly busNotSent?: boolean;
  /** True while messages of the other processes cannot be received. */
  readonly busUnreachable?: boolean;
  /**
   * Milliseconds of load time that entries saved per megabyte and minute before they were evicted for lack of room, the mean of the last
   * ones: the benefit of more room. Undefined before the first eviction, and if it is unknown.
   */
  readonly evictedWorth?: number;
  /** Its bounds. Undefined if it has none of its own. */
  readonly bounds?: LayerBounds;
  /** How entries are chosen for eviction; undefined if it is not in this process's memory. */
  readonly eviction?: 'worth' | 'lru';
}

/** Infinity or undefined: unbounded. */
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

/** The events that a layer reports; the listener adds its index and name. */
export interface LayerEvents {
  /**
   * @param track of the entry, if the stream of accesses follows its key.
   * @param at the reading of the clock; without it the listener reads it.
   */
  evicted(reason: EvictionReason, count: number, key?: string, track?: number, at?: number): void;
  /** A layer of this process stores an entry whose key the stream of accesses follows. */
  held?(key: string, entry: Entry): void;
  /** It no longer has such an entry: replaced or removed for any reason, before {@link evicted} reports it. */
  released?(entry: Entry): void;
  /** A layer of this process removed an entry because a glob matched its key. */
  invalidated?(key: string): void;
  circuit(state: CircuitState): void;
  /** The layer answers again after a call that it did not answer. */
  answered?(): void;
  queueDepth(depth: number): void;
  writeDropped(count: number): void;
  asyncWrite(result: Result, durationMs: number, keys: number): void;
  /** A message for people, logged once: connection lost, restored, a value that could not be decoded. Never a key. */
  log(level: 'log' | 'warn' | 'error', code: LogCode, message: string, cause?: unknown): void;
}

/** The parts that a layer is created with. */
export interface LayerContext {
  readonly clock: Clock;
  readonly events: LayerEvents;
  /** Prefix of its keys, without the colon after it: `sharedPrefix()` of the namespace and version. */
  readonly prefix: string;
  /** The cache's own order of invalidations: a memory layer reads the epochs of its tags there. */
  readonly invalidations?: Invalidations;
}

/** The result of `memoryLayer()`, `redisLayer()` and the others: creates the layer when its cache is created. */
export interface LayerFactory {
  readonly name: string;
  /** The boot fails when it cannot be reached. */
  readonly required: boolean;
  /** True if other processes may use the same store, so that the cache needs its own namespace. @default false */
  readonly shared?: boolean;
  /** The location of its data, for logs: without credentials. */
  readonly address?: string;
  /** Faults of its options: the boot lists them, and `create` throws them. */
  readonly faults?: readonly OptionFault[];
  /** @throws CacheError `INVALID_OPTIONS`, `INVALID_DURATION` if there are faults. */
  create(context: LayerContext): Layer;
}

/**
 * Notes of processes, each in its own slot: a new note replaces the last one, and a note that is not renewed expires.
 * Every method rejects if the layer cannot be reached.
 */
export interface SharedMap {
  publish(slot: string, bytes: Uint8Array, keepMs: number): Promise<void>;
  read(slot: string): Promise<Uint8Array | undefined>;
  /** All notes, by slot. */
  readAll(): Promise<ReadonlyMap<string, Uint8Array>>;
  withdraw(slot: string): Promise<void>;
}
