import { RecencyMap } from '../entries/recency-map.js';
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

/** Entries in the order of their use. Times are the entries' own: the map reads no clock. */
export class MemoryLayer implements NearLayer {
  readonly shared = false;
  readonly #map = new RecencyMap();
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  readonly #context: LayerContext;
  readonly #invalidations: Invalidations;
  #stopSweep: (() => void) | undefined;
  #sweep: Iterator<string> | undefined;
  #closed = false;

  constructor(
    readonly name: string,
    maxEntries: number | undefined,
    maxBytes: number | undefined,
    context: LayerContext,
  ) {
    this.#context = context;
    this.#maxEntries = maxEntries ?? Infinity;
    this.#maxBytes = maxBytes ?? Infinity;
    this.#invalidations = context.invalidations ?? new Invalidations();
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
    if (entry.size > this.#maxBytes) {
      this.#map.delete(key);
      this.#context.events.evicted(EvictionReason.size, 1, key);
      return;
    }
    this.#map.set(key, entry);
    while (this.#map.size > this.#maxEntries || this.#map.bytes > this.#maxBytes) this.#evict();
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
      bytes: this.#map.bytes,
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

  /** Lets the least recently used go. */
  #evict(): void {
    const { key, goneAt } = this.#map.oldest!;
    this.#map.delete(key!);
    const gone = goneAt <= this.#context.clock.now();
    this.#context.events.evicted(gone ? EvictionReason.expired : EvictionReason.capacity, 1, key);
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

  /** Removes what nobody asks for any more, a slice at a time from the first that came on. */
  #sweepSome(): void {
    const now = this.#context.clock.now();
    const sweep = (this.#sweep ??= this.#map.keys());
    for (let visited = 0; visited < SWEPT_AT_ONCE; visited++) {
      const { done, value: key } = sweep.next();
      if (done === true) {
        this.#sweep = undefined;
        return;
      }
      if ((this.#map.peek(key)?.goneAt ?? Infinity) <= now) this.#expire(key);
    }
  }
}
