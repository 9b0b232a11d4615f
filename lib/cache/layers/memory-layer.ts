import { getHeapStatistics } from 'node:v8';
import { type Bytes, bytesIn, inMegabytes } from '../base/bytes.js';
import { type EntryHolder, KeptEntry, ownEntry } from '../entries/kept-entry.js';
import type { Derived, Entry } from '../entries/entry.js';
import { type GlobMatcher, globMatcher } from '../base/glob.js';
import { checkGlob, checkKey, checkTags } from '../base/keys.js';
import { Invalidations } from '../invalidation/invalidations.js';
import { CircuitState, EvictionReason } from '../base/observer.js';
import { runInSlices, startInSlices } from '../base/slices.js';
import { bytes, integer, oneOf, shape, text } from '../options/option-rules.js';
import { layerFactory } from './layer-options.js';
import type { LayerContext, LayerFactory, LayerStatus, LocalLayer } from './layer.js';
import type { LoadTicket } from './load-ticket.js';
import type { Eviction, EvictionPolicy, MemoryBounds } from './memory/eviction-policy.js';
import { ExpiryWheel } from './memory/expiry-wheel.js';
import { LruPolicy } from './memory/lru-policy.js';
import { WorthPolicy } from './memory/worth-policy.js';

export interface MemoryLayerOptions {
  /** The most entries. Above it, entries are evicted. @default 10000; no limit if only `maxBytes` is given */
  maxEntries?: number;
  /**
   * The most bytes, or a text such as `'64mb'`. The bytes of keys, values, encoded answers, tags and bookkeeping are estimated. A value
   * larger than a tenth of this limit is not stored in memory, and is counted, unless `maxEntrySize` sets a limit for values.
   * @default the smaller of 64 MB and a tenth of the heap's limit
   */
  maxBytes?: Bytes;
  /**
   * Which entry is evicted. `'worth'`: the entry that saves the least time for its size, by its number of requests, its load time and its
   * size. `'lru'`: the least recently used entry. Both remove expired entries first.
   * @default 'worth'
   */
  eviction?: Eviction;
  /** @default 'memory' */
  name?: string;
}

const rule = shape({ maxEntries: integer(1), maxBytes: bytes, eviction: oneOf('worth', 'lru'), name: text });

/**
 * Creates a layer in this process's memory, with limits for entries and bytes. A fault in its options stops the boot: `INVALID_OPTIONS`.
 */
export function memoryLayer(options: MemoryLayerOptions = {}): LayerFactory {
  return layerFactory({
    maker: 'memoryLayer',
    kind: 'memory',
    options,
    rule,
    shared: false,
    address: 'this process',
    create: (context, name) => {
      const maxEntries = options.maxEntries ?? (options.maxBytes === undefined ? 10_000 : Infinity);
      const maxBytes = options.maxBytes === undefined ? defaultMaxBytes() : bytesIn(options.maxBytes);
      const bounds = { maxEntries, maxBytes };
      const policy = options.eviction === 'lru' ? new LruPolicy() : new WorthPolicy(bounds);
      return new MemoryLayer(name, bounds, policy, context);
    },
  });
}

const MOST_BYTES = 64 * 1_024 * 1_024;

/** Returns the default limit: a share of the heap that leaves most of a small heap to the application. */
function defaultMaxBytes(): number {
  return Math.min(MOST_BYTES, Math.floor(getHeapStatistics().heap_size_limit / 10));
}

/** The largest value, as a share of the limit in bytes. A larger value would evict too many others. */
const LARGEST_SHARE = 1 / 10;
const SWEEP_EVERY_MS = 5_000;
/** The time until the next sweep if expired entries are left, milliseconds. */
const SWEEP_AGAIN_MS = 50;
const SWEPT_AT_ONCE = 1_000;
/** After this many characters of keys were compared with a glob, the elapsed time is checked. */
const LOOKED_AT_ONCE = 16_384;

/** Holds entries by key, in the order of an eviction policy. Each entry carries its own times. */
export class MemoryLayer implements LocalLayer, EntryHolder {
  readonly shared = false;
  readonly #entries = new Map<string, KeptEntry>();
  #bytes = 0;
  /** Created with the first entry that expires. */
  #ends: ExpiryWheel | undefined;
  readonly #invalidations: Invalidations;
  #stopSweep: (() => void) | undefined;
  #closed = false;
  #warned = false;
  /** For each running deletion by glob, the keys written since it began. */
  readonly #writtenMeanwhile: Set<string>[] = [];

  constructor(
    readonly name: string,
    private readonly bounds: MemoryBounds,
    private readonly policy: EvictionPolicy,
    private readonly context: LayerContext,
  ) {
    this.#invalidations = context.invalidations ?? new Invalidations();
  }

  lookup(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.policy.use(entry);
    return entry;
  }

  peek(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  get(key: string): Entry | undefined {
    checkKey(key);
    const entry = this.#readable(key);
    if (entry !== undefined) this.policy.use(entry);
    return entry;
  }

  getMany(keys: readonly string[]): (Entry | undefined)[] {
    return keys.map((key) => this.get(key));
  }

  set(key: string, entry: Entry, _ticket?: LoadTicket, now?: number): void {
    checkKey(key);
    if (entry.tags.length > 0) checkTags(entry.tags);
    const known = this.#entries.get(key);
    if (known === entry) return this.policy.use(known);
    if (this.#isTooLarge(entry)) {
      if (known !== undefined) this.#remove(known);
      this.context.events.evicted(EvictionReason.size, 1, key);
      this.#warnOfSize(entry);
      return;
    }
    this.#add(key, ownEntry(entry), known, now);
    if (this.#writtenMeanwhile.length > 0) for (const written of this.#writtenMeanwhile) written.add(key);
  }

  setMany(entries: readonly (readonly [key: string, entry: Entry])[]): void {
    for (const [key, entry] of entries) this.set(key, entry);
  }

  delete(key: string): boolean {
    checkKey(key);
    const present = this.#readable(key);
    if (present === undefined) return false;
    this.#remove(present);
    return true;
  }

  deleteMany(keys: readonly string[]): number {
    let removed = 0;
    for (const key of keys) if (this.delete(key)) removed++;
    return removed;
  }

  /** Removes matching entries, in slices if there are many. Entries written after the call stay. */
  deleteByPattern(glob: string): number | Promise<number> {
    checkGlob(glob);
    return startInSlices(this.#removeMatching(globMatcher(glob)));
  }

  /** Takes constant time, because each read compares the entry with the epochs of its tags. */
  invalidateTags(tags: readonly string[]): void {
    checkTags(tags);
    if (this.context.invalidations === undefined) this.#invalidations.tags(tags);
  }

  *keys(glob: string): Iterable<readonly string[]> {
    const now = this.context.clock.now();
    yield this.#matching(glob).filter((key) => {
      const entry = this.#entries.get(key);
      return entry !== undefined && entry.removeAt > now && this.#invalidations.current(entry);
    });
  }

  /** Runs in slices. */
  hottestKeys(limit: number): Promise<readonly string[]> {
    return runInSlices(this.policy.hottest(this.#entries.values(), limit));
  }

  *entrySizes(): Iterable<readonly [key: string, bytes: number]> {
    for (const [key, entry] of this.#entries) yield [key, entry.bytes];
  }

  clear(): void {
    for (const entry of this.#entries.values()) this.#release(entry);
    this.#entries.clear();
    this.#bytes = 0;
    this.#ends = undefined;
    this.policy.clear();
  }

  disconnect(): void {
    this.#closed = true;
    this.#stopSweep?.();
    this.#stopSweep = undefined;
    this.clear();
  }

  status(): LayerStatus {
    const { evictedWorth } = this.policy;
    return {
      entries: this.#entries.size,
      bytes: this.#bytes,
      connected: !this.#closed,
      circuitState: CircuitState.closed,
      queueDepth: 0,
      writesDropped: 0,
      bounds: { entries: this.bounds.maxEntries, bytes: this.bounds.maxBytes },
      eviction: this.policy.name,
      ...(evictedWorth !== undefined && { evictedWorth }),
    };
  }

  hold(entry: KeptEntry, derived: Derived): void {
    const more = derived.size - (entry.derived?.size ?? 0);
    if (entry.bytes + more > this.bounds.maxBytes) return;
    entry.derived = derived;
    this.#bytes += more;
    this.#makeRoom(0, 0, undefined);
  }

  /** Returns the entry of a key if it may be served; otherwise removes the entry. */
  #readable(key: string): KeptEntry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const now = this.context.clock.now();
    if (entry.removeAt <= now) {
      this.#expire(entry, now);
      return undefined;
    }
    if (entry.tags.length === 0 || this.#invalidations.current(entry)) return entry;
    this.policy.expire(entry);
    this.#forget(entry);
    return undefined;
  }

  #add(key: string, entry: KeptEntry, known: KeptEntry | undefined, now: number | undefined): void {
    entry.key = key;
    entry.holder = this;
    this.policy.recall(entry, known);
    if (known !== undefined) this.#unlink(known);
    this.#makeRoom(known === undefined ? 1 : 0, entry.bytes, now);
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes;
    this.policy.add(entry);
    if (entry.track !== 0) this.context.events.held?.(key, entry);
    if (entry.removeAt === Infinity) return;
    this.#ends ??= new ExpiryWheel(now ?? this.context.clock.now());
    this.#ends.add(entry);
    this.#scheduleSweep(SWEEP_EVERY_MS);
  }

  #remove(entry: KeptEntry): void {
    const { key } = entry;
    this.#unlink(entry);
    this.#entries.delete(key!);
  }

  /** Removes an entry from everything but the map. */
  #unlink(entry: KeptEntry): void {
    this.policy.remove(entry);
    this.#ends?.remove(entry);
    this.#bytes -= entry.bytes;
    this.#release(entry);
  }

  /** Removes an entry that the policy no longer holds. */
  #forget(entry: KeptEntry): void {
    this.#ends?.remove(entry);
    this.#entries.delete(entry.key!);
    this.#bytes -= entry.bytes;
    this.#release(entry);
  }

  #expire(entry: KeptEntry, now: number): void {
    const { key, track } = entry;
    this.policy.expire(entry);
    this.#forget(entry);
    this.context.events.evicted(EvictionReason.expired, 1, key, track, now);
  }

  #matching(glob: string): string[] {
    checkGlob(glob);
    const matches = globMatcher(glob);
    const keys: string[] = [];
    for (const key of this.#entries.keys()) if (matches(key)) keys.push(key);
    return keys;
  }

  *#removeMatching(matches: GlobMatcher): Generator<void, number> {
    const written = new Set<string>();
    this.#writtenMeanwhile.push(written);
    let removed = 0;
    let looked = 0;
    for (const key of this.#entries.keys()) {
      if (matches(key) && !written.has(key)) {
        if (this.delete(key)) {
          removed++;
          this.context.events.invalidated?.(key);
        }
      }
      looked += key.length + 8;
      if (looked < LOOKED_AT_ONCE) continue;
      looked = 0;
      yield;
    }
    this.#writtenMeanwhile.splice(this.#writtenMeanwhile.indexOf(written), 1);
    return removed;
  }

  #isTooLarge(entry: Entry): boolean {
    const { maxBytes } = this.bounds;
    if (entry.size <= maxBytes * LARGEST_SHARE) return false;
    return entry.size > maxBytes || !(entry instanceof KeptEntry && entry.anySize);
  }

  /** Logs the first value that is too large. Later ones are only counted. */
  #warnOfSize({ size }: Entry): void {
    if (this.#warned) return;
    this.#warned = true;
    this.context.events.log(
      'warn',
      'ENTRY_TOO_LARGE',
      `${this.name}: a value of ${inMegabytes(size)} was not stored, because it is larger than a tenth of maxBytes (${inMegabytes(this.bounds.maxBytes)}). Raise maxBytes, or set maxEntrySize where such values are cached.`,
    );
  }

  /** Evicts until there is room for this many more entries and bytes: first expired entries, then those that the policy chooses. */
  #makeRoom(entries: number, size: number, reading: number | undefined): void {
    const most = this.bounds.maxEntries - entries;
    const mostBytes = this.bounds.maxBytes - size;
    if (this.#entries.size <= most && this.#bytes <= mostBytes) return;
    const now = reading ?? this.context.clock.now();
    while (this.#entries.size > most || this.#bytes > mostBytes) {
      const expired = this.#ends?.expired(now);
      if (expired === undefined) this.#evict(now);
      else this.#expire(expired, now);
    }
  }

  #evict(now: number): void {
    const entry = this.policy.evict(now);
    const { key, track } = entry;
    this.#forget(entry);
    this.context.events.evicted(EvictionReason.capacity, 1, key, track, now);
  }

  #scheduleSweep(afterMs: number): void {
    if (this.#stopSweep !== undefined || this.#closed) return;
    this.#stopSweep = this.context.clock.after(afterMs, () => {
      this.#stopSweep = undefined;
      const isDone = this.#sweep();
      if (this.#entries.size > 0) this.#scheduleSweep(isDone ? SWEEP_EVERY_MS : SWEEP_AGAIN_MS);
    });
  }

  /** Removes a limited number of expired entries, which no request would remove. @returns true if none is left. */
  #sweep(): boolean {
    const now = this.context.clock.now();
    for (let removed = 0; removed < SWEPT_AT_ONCE; removed++) {
      const entry = this.#ends?.expired(now);
      if (entry === undefined) return true;
      this.#expire(entry, now);
    }
    return false;
  }

  /** Clears the links of an entry, which would keep other entries in memory. */
  #release(entry: KeptEntry): void {
    if (entry.track !== 0) this.context.events.released?.(entry);
    entry.key = entry.holder = entry.older = entry.newer = entry.sooner = entry.later = undefined;
  }
}
