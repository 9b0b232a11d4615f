import { LRUCache } from 'lru-cache';
import type { Entry } from '../entry.js';
import { CacheError } from '../errors.js';
import { globMatcher } from '../glob.js';
import { Invalidations } from '../invalidations.js';
import { CircuitState, EvictionReason } from '../observer.js';
import type { LayerContext, LayerFactory, LayerStatus, NearLayer } from './layer.js';

export interface MemoryLayerOptions {
  /** Entries kept; past it the least recently used goes. @default 10000, without a bound where only `maxBytes` is given */
  maxEntries?: number;
  /** Bytes kept, estimated, keys and bookkeeping included. @default none */
  maxBytes?: number;
  /** @default 'memory' */
  name?: string;
}

/**
 * A layer in this process' memory, bounded by entries and bytes.
 * @throws CacheError `INVALID_OPTIONS` where a bound is not a whole number above zero.
 */
export function memoryLayer(options: MemoryLayerOptions = {}): LayerFactory {
  const { name = 'memory', maxBytes } = options;
  const maxEntries = options.maxEntries ?? (maxBytes === undefined ? 10_000 : undefined);
  for (const [option, bound] of Object.entries({ maxEntries, maxBytes })) {
    if (bound !== undefined && !(Number.isSafeInteger(bound) && bound > 0)) {
      throw new CacheError('INVALID_OPTIONS', `memoryLayer: ${option}: ${bound} is not a whole number above zero.`);
    }
  }
  return { name, required: false, create: (context) => new MemoryLayer(name, maxEntries, maxBytes, context) };
}

const SWEEP_EVERY_MS = 5_000;
const SWEPT_AT_ONCE = 5_000;

/** Entries in an LRU map. Times are the entries' own: the map reads no clock. */
export class MemoryLayer implements NearLayer {
  readonly shared = false;
  readonly #map: LRUCache<string, Entry>;
  readonly #maxBytes: number | undefined;
  readonly #context: LayerContext;
  readonly #invalidations: Invalidations;
  #stopSweep: (() => void) | undefined;
  #sweep: Iterator<string> | undefined;
  #bytes = 0;
  #closed = false;

  constructor(
    readonly name: string,
    maxEntries: number | undefined,
    maxBytes: number | undefined,
    context: LayerContext,
  ) {
    this.#context = context;
    this.#maxBytes = maxBytes;
    this.#invalidations = context.invalidations ?? new Invalidations();
    const dispose = (entry: Entry, key: string, reason: LRUCache.DisposeReason) => {
      this.#bytes -= entry.size;
      if (reason !== 'evict') return;
      const gone = entry.goneAt <= context.clock.now();
      context.events.evicted(gone ? EvictionReason.expired : EvictionReason.capacity, 1, key);
    };
    const bytes =
      maxBytes === undefined
        ? {}
        : { maxSize: maxBytes, sizeCalculation: (entry: Entry) => Math.ceil(entry.size) || 1 };
    this.#map = new LRUCache<string, Entry>(
      maxEntries === undefined ? { maxSize: maxBytes!, ...bytes, dispose } : { max: maxEntries, ...bytes, dispose },
    );
  }

  lookup(key: string): Entry | undefined {
    return this.#map.get(key);
  }

  get(key: string): Entry | undefined {
    const entry = this.#map.get(key);
    if (entry === undefined) return undefined;
    if (entry.goneAt <= this.#context.clock.now()) {
      this.#expire(key);
      return undefined;
    }
    if (entry.tags.length === 0 || this.#invalidations.current(entry)) return entry;
    this.#map.delete(key);
    return undefined;
  }

  getMany(keys: readonly string[]): (Entry | undefined)[] {
    return keys.map((key) => this.get(key));
  }

  set(key: string, entry: Entry): void {
    if (this.#maxBytes !== undefined && entry.size > this.#maxBytes) {
      this.#map.delete(key);
      this.#context.events.evicted(EvictionReason.size, 1, key);
      return;
    }
    this.#bytes += entry.size;
    this.#map.set(key, entry);
    if (entry.goneAt !== Infinity) this.#scheduleSweep();
  }

  setMany(entries: readonly (readonly [key: string, entry: Entry])[]): void {
    for (const [key, entry] of entries) this.set(key, entry);
  }

  delete(key: string): boolean {
    const present = this.get(key) !== undefined;
    this.#map.delete(key);
    return present;
  }

  deleteMany(keys: readonly string[]): number {
    let removed = 0;
    for (const key of keys) if (this.delete(key)) removed++;
    return removed;
  }

  deleteByPattern(glob: string): number {
    return this.deleteMany(this.#matching(glob));
  }

  /** Constant time: entries are compared with their tags' epochs when they are read. */
  invalidateTags(tags: readonly string[]): void {
    if (this.#context.invalidations === undefined) this.#invalidations.tags(tags);
  }

  *keys(glob: string): Iterable<readonly string[]> {
    const now = this.#context.clock.now();
    yield this.#matching(glob).filter((key) => {
      const entry = this.#map.peek(key);
      return entry !== undefined && entry.goneAt > now && this.#invalidations.current(entry);
    });
  }

  clear(): void {
    this.#map.clear();
  }

  disconnect(): void {
    this.#closed = true;
    this.#stopSweep?.();
    this.#stopSweep = undefined;
    this.#sweep = undefined;
    this.#map.clear();
  }

  status(): LayerStatus {
    return {
      entries: this.#map.size,
      bytes: this.#bytes,
      connected: !this.#closed,
      circuitState: CircuitState.closed,
      queueDepth: 0,
      writesDropped: 0,
    };
  }

  #matching(glob: string): string[] {
    const matches = globMatcher(glob);
    const keys: string[] = [];
    for (const key of this.#map.keys()) if (matches(key)) keys.push(key);
    return keys;
  }

  #expire(key: string): void {
    this.#map.delete(key);
    this.#context.events.evicted(EvictionReason.expired, 1, key);
  }

  #scheduleSweep(): void {
    if (this.#stopSweep !== undefined || this.#closed) return;
    this.#stopSweep = this.#context.clock.after(SWEEP_EVERY_MS, () => {
      this.#stopSweep = undefined;
      this.#sweepSome();
      if (this.#map.size > 0) this.#scheduleSweep();
    });
  }

  /** Removes what nobody asks for any more, a slice at a time from the least recently used on. */
  #sweepSome(): void {
    const now = this.#context.clock.now();
    const sweep = (this.#sweep ??= this.#map.rkeys());
    let last: string | undefined;
    for (let visited = 0; visited < SWEPT_AT_ONCE; visited++) {
      const next = sweep.next();
      // The walk stands on the last key and would end with it: a key goes once the walk has left it.
      if (last !== undefined && (this.#map.peek(last)?.goneAt ?? Infinity) <= now) this.#expire(last);
      if (next.done === true) {
        this.#sweep = undefined;
        return;
      }
      last = next.value;
    }
  }
}
