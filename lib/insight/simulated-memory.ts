import type { Evictable, Eviction, EvictionPolicy, MemoryBounds } from '../cache/layers/memory/eviction-policy.js';
import { LruPolicy } from '../cache/layers/memory/lru-policy.js';
import { WorthPolicy } from '../cache/layers/memory/worth-policy.js';

/** The facts about a key's entry that determine its size and worth. */
export interface SimulatedEntry {
  readonly bytes: number;
  /** The duration of its load, milliseconds. */
  readonly costMs: number;
  /** `Infinity` if it does not expire. */
  readonly ttlMs: number;
}

/** A key in a simulated layer. It has only the fields that the policy and the simulation read: a third of the bytes of an entry. */
class SimulatedKey implements Evictable<SimulatedKey> {
  tally = 0;
  older: SimulatedKey | undefined;
  newer: SimulatedKey | undefined;
  queuedAt = 0;
  fingerprint = 0;

  constructor(
    readonly hash: number,
    readonly bytes: number,
    public cost: number,
    readonly createdAt: number,
    readonly freshUntil: number,
  ) {}

  get key(): string {
    return String(this.hash);
  }
}

/** Weight of one age in the mean age of evicted entries. */
const WEIGHT_OF_ONE = 1 / 16;

/**
 * A memory layer without values, for a sample of its keys. The cache's real eviction policy decides which keys are evicted. A key takes
 * the room of all keys that it represents, so the bounds and the decisions of the policy are those of a real layer. Times are whole
 * milliseconds since the start of the simulation: V8 stores small integers without a heap object.
 */
export class SimulatedMemory {
  readonly #entries = new Map<number, SimulatedKey>();
  readonly #policy: EvictionPolicy<SimulatedKey>;
  /** Keys that represent only themselves. */
  readonly #hot = new Set<number>();
  #count = 0;
  #bytes = 0;
  /** The mean time that the last evicted entries had been stored; Infinity before the first eviction. */
  evictedAgeMs = Infinity;

  constructor(
    private readonly eviction: Eviction,
    private readonly bounds: MemoryBounds,
    /** The number of keys that a sampled one represents. */
    private tailWeight: number,
  ) {
    // The hottest keys are not evicted. The policy remembers as many evicted keys as there are other keys.
    const remembered = () => Math.max(LEAST_REMEMBERED / this.tailWeight, this.#entries.size - this.#hot.size, 4);
    this.#policy = eviction === 'lru' ? new LruPolicy() : new WorthPolicy(bounds, remembered);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Whether an entry can be stored without an eviction. */
  fits(isHot: boolean, bytes: number): boolean {
    const weight = isHot ? 1 : this.tailWeight;
    return this.#takes(bytes) && this.#hasRoom(weight, bytes);
  }

  /** Returns a layer with the same entries and other bounds. Call it only if no entry has been evicted. */
  copy(bounds: MemoryBounds): SimulatedMemory {
    const copy = new SimulatedMemory(this.eviction, bounds, this.tailWeight);
    copy.#count = this.#count;
    copy.#bytes = this.#bytes;
    for (const hash of this.#hot) copy.#hot.add(hash);
    for (const entry of this.#policy.inOrder()) {
      const { hash, bytes, cost, createdAt, freshUntil, tally } = entry;
      const copied = new SimulatedKey(hash, bytes, cost, createdAt, freshUntil);
      copy.#entries.set(hash, copied);
      copy.#policy.recall(copied, undefined);
      copied.tally = tally;
      copy.#policy.add(copied);
    }
    return copy;
  }

  /** Counts accesses to a key, and stores the loaded entry after a miss. @returns the number of hits. */
  access(hash: number, isHot: boolean, count: number, now: number, loaded: SimulatedEntry): number {
    const known = this.#entries.get(hash);
    if (known !== undefined) this.#reweigh(known, hash, isHot);
    if (known !== undefined && known.freshUntil > now) {
      this.#policy.useOften(known, count);
      return count;
    }
    this.store(hash, isHot, now, loaded);
    return count - 1;
  }

  store(hash: number, isHot: boolean, now: number, { bytes, costMs, ttlMs }: SimulatedEntry): void {
    const known = this.#entries.get(hash);
    const entry = new SimulatedKey(hash, bytes, costMs, now, now + ttlMs);
    this.#policy.recall(entry, known);
    if (known !== undefined) this.#forget(known, hash, true);
    if (!this.#takes(bytes)) return;
    this.#flag(hash, isHot);
    this.#makeRoom(now, this.#weightOf(hash), bytes);
    this.#flag(hash, isHot);
    this.#entries.set(hash, entry);
    this.#weigh(entry, hash, 1);
    this.#policy.add(entry);
  }

  remove(hash: number): void {
    const known = this.#entries.get(hash);
    if (known !== undefined) this.#forget(known, hash, true);
  }

  /** Removes expired entries. */
  sweep(now: number): void {
    for (const [hash, entry] of this.#entries) {
      if (entry.freshUntil > now) continue;
      this.#policy.expire(entry);
      this.#forget(entry, hash, false);
    }
  }

  /** Reduces the sample: removes the keys that no longer belong to it. */
  lower(belongs: (hash: number) => boolean, tailWeight: number): void {
    for (const [hash, entry] of this.#entries) {
      if (!this.#hot.has(hash) && !belongs(hash)) this.#forget(entry, hash, true);
    }
    this.tailWeight = tailWeight;
    this.#count = this.#bytes = 0;
    for (const [hash, entry] of this.#entries) this.#weigh(entry, hash, 1);
  }

  /** Changes the weight of a key that has become one of the hottest, or no longer is one. */
  #reweigh(entry: SimulatedKey, hash: number, isHot: boolean): void {
    if (this.#hot.has(hash) === isHot) return;
    this.#weigh(entry, hash, -1);
    this.#flag(hash, isHot);
    this.#weigh(entry, hash, 1);
  }

  #flag(hash: number, isHot: boolean): void {
    if (isHot) this.#hot.add(hash);
    else this.#hot.delete(hash);
  }

  #forget(entry: SimulatedKey, hash: number, isInOrder: boolean): void {
    if (isInOrder) this.#policy.remove(entry);
    this.#entries.delete(hash);
    this.#weigh(entry, hash, -1);
    this.#hot.delete(hash);
  }

  #makeRoom(now: number, weight: number, bytes: number): void {
    while (this.#entries.size > 0 && !this.#hasRoom(weight, bytes)) {
      const gone = this.#policy.evict(now);
      this.#forget(gone, gone.hash, false);
      const ageMs = now - gone.createdAt;
      this.evictedAgeMs =
        this.evictedAgeMs === Infinity ? ageMs : this.evictedAgeMs + (ageMs - this.evictedAgeMs) * WEIGHT_OF_ONE;
    }
  }

  /** Whether an entry is small enough to be stored in a memory layer. */
  #takes(bytes: number): boolean {
    return bytes <= this.bounds.maxBytes / 10;
  }

  #hasRoom(weight: number, bytes: number): boolean {
    const { maxEntries, maxBytes } = this.bounds;
    return this.#count + weight <= maxEntries && this.#bytes + weight * bytes <= maxBytes;
  }

  #weigh(entry: SimulatedKey, hash: number, sign: 1 | -1): void {
    const weight = sign * this.#weightOf(hash);
    this.#count += weight;
    this.#bytes += weight * entry.bytes;
  }

  #weightOf(hash: number): number {
    return this.#hot.has(hash) ? 1 : this.tailWeight;
  }
}

/** The same number as in the policy. */
const LEAST_REMEMBERED = 64;
