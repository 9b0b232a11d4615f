import type { Eviction, MemoryBounds } from '../cache/layers/memory/eviction-policy.js';
import { GROUPS, LadderSums, Sum, tooFew } from './ladder-sums.js';
import { type SimulatedEntry, SimulatedMemory } from './simulated-memory.js';

/*
 * Simulates more and less memory.
 *
 * Six memory layers without values are simulated next to the real one, with a quarter to eight times its bounds and its eviction
 * policy. They contain a sample of the keys (mini-simulation: Waldspurger, Saemundsson, Ahmad and Park, Cache Modeling and Optimization
 * using Miniature Simulations, USENIX ATC 2017). Layers that never evict are equal, and are simulated once. A sampled key takes the room
 * of all keys that it represents. The hottest keys of each pattern represent only themselves: if a sample omits or weights one of
 * them, its figures are far off.
 *
 * If the sample is biased, all six layers are biased in the same way. The hit rate with today's bounds is counted, so only the
 * differences between the sizes come from the simulations.
 */

/** The simulated sizes, as multiples of today's bounds. */
export const FACTORS = [1 / 4, 1 / 2, 1, 2, 4, 8] as const;
const TODAY = 2;
/** The index of the counts of the real layer, after those of the simulated ones. */
const REAL = FACTORS.length;

/** The effect of another size of a memory layer. */
export interface MemoryRung {
  /** The multiple of today's bounds. */
  readonly factor: number;
  /** Null if there is no bound; the same for bytes. */
  readonly maxEntries: number | null;
  readonly maxBytes: number | null;
  /** The share of accesses that the layer answers with a fresh value, 0–1; null if it is withheld. */
  readonly hitRate: number | null;
  /** Half of the 95 % interval of `hitRate`. */
  readonly hitRateError: number | null;
  /** The reason, with the required and the current amount. */
  readonly withheld?: string;
}

/** How the hit rate of a memory layer depends on its bounds. */
export interface MemoryLadder {
  readonly layer: string;
  readonly eviction: Eviction;
  /** The estimated number of accesses that the ladder represents. */
  readonly accesses: number;
  readonly observedMs: number;
  readonly withheld?: string;
  /** Six sizes, smallest first: ¼ ½ 1 2 4 8 times today's. */
  readonly ladder: readonly MemoryRung[];
}

/** The layer that is simulated. */
export interface MemoryLayerFacts {
  readonly name: string;
  readonly eviction: Eviction;
  readonly bounds: MemoryBounds;
}

/** An access of a followed key. */
export interface MemoryAccess {
  readonly hash: number;
  readonly count: number;
  readonly at: number;
  /** True if the real layer answered. */
  readonly hit: boolean;
}

const ALL = 2 ** 32;
const LOWERED = 7 / 8;
/** The maximum number of keys in the largest simulated layer. */
const MOST_KEYS = 768;
/** The maximum number of keys that represent only themselves; further keys are sampled like the others. */
const MOST_HOT = 256;
const SWEEP_EVERY_MS = 5_000;
/** Hits of a key are counted together for at most this share of the time that entries stay in the smallest layer. */
const COUNTED_PART = 1 / 16;
/** The shortest such time, because shorter ones cost more than they show: new entries of a full layer may be evicted at once. */
const LEAST_COUNTED_MS = 1_000;
const MOST_ERROR = 0.03;
const STEP_ERROR = 0.005;
const DAY_MS = 86_400_000;

/** The simulations of one memory layer. */
export class MemorySimulation {
  /** One layer per factor, smallest first. Larger layers are not created before the last one has to evict an entry: they are equal to it. */
  readonly #layers: SimulatedMemory[];
  readonly #sums = new LadderSums();
  #threshold = ALL;
  /** Keys that represent only themselves. */
  readonly #hot = new Set<number>();
  #observedFrom: number;
  #sweepAt: number;
  /** Means of all loads, for keys without an observed load. */
  #bytes = 0;
  #costMs = 0;
  #ttlMs = Infinity;
  /** The last loads of the sampled keys; bounded like them. */
  readonly #loads = new Map<number, SimulatedEntry>();

  constructor(
    readonly layer: MemoryLayerFacts,
    private readonly startedAt: number,
  ) {
    this.#observedFrom = startedAt;
    this.#sweepAt = startedAt + SWEEP_EVERY_MS;
    this.#layers = [new SimulatedMemory(layer.eviction, this.#boundsAt(FACTORS[0]), 1)];
  }

  /** Whether a key is simulated. @param share the followed share of the keys of its pattern */
  follows(hash: number, isHot: boolean, share: number): boolean {
    if (share * ALL < this.#threshold) this.#lower(share * ALL);
    if (!isHot) this.#hot.delete(hash);
    else if (this.#hot.size < MOST_HOT) this.#hot.add(hash);
    return this.#hot.has(hash) || hash >>> 0 < this.#threshold;
  }

  /** How long hits of a key may be counted together. */
  get countedMs(): number {
    return Math.max(LEAST_COUNTED_MS, this.#layers[0]!.evictedAgeMs * COUNTED_PART);
  }

  access({ hash, count, at, hit }: MemoryAccess): void {
    const isHot = this.#hot.has(hash);
    if (at >= this.#sweepAt) this.#sweep(at);
    const time = this.#timeOf(at);
    const group = isHot ? GROUPS : hash & (GROUPS - 1);
    const weight = isHot ? 1 : ALL / this.#threshold;
    const loaded = this.#loads.get(hash) ?? {
      bytes: Math.round(this.#bytes),
      costMs: this.#costMs,
      ttlMs: this.#ttlMs,
    };
    this.#sums.access(group, count * weight);
    this.#separate(isHot, loaded);
    let hits = 0;
    for (let rung = 0; rung < FACTORS.length; rung++) {
      const layer = this.#layers[rung];
      if (layer !== undefined) hits = layer.access(hash, isHot, count, time, loaded);
      this.#sums.add(group, rung, Sum.hits, hits * weight);
    }
    if (hit) this.#sums.add(group, REAL, Sum.hits, count * weight);
    if (this.#layers.at(-1)!.size > MOST_KEYS || this.#loads.size > 2 * MOST_KEYS)
      this.#lower(this.#threshold * LOWERED);
  }

  /** Stores the entry of a load. */
  loaded(hash: number, entry: SimulatedEntry): void {
    this.#loads.delete(hash);
    this.#loads.set(hash, entry);
    this.#bytes += (entry.bytes - this.#bytes) / (this.#bytes === 0 ? 1 : 64);
    this.#costMs += (entry.costMs - this.#costMs) / 64;
    this.#ttlMs = entry.ttlMs;
    if (this.#loads.size > MOST_KEYS) this.#loads.delete(this.#loads.keys().next().value!);
  }

  /** Stores an entry that a caller wrote, in every layer. */
  written(hash: number, at: number, entry: SimulatedEntry): void {
    this.loaded(hash, entry);
    const isHot = this.#hot.has(hash);
    const time = this.#timeOf(at);
    this.#separate(isHot, entry);
    for (const layer of this.#layers) layer.store(hash, isHot, time, entry);
  }

  removed(hash: number): void {
    for (const layer of this.#layers) layer.remove(hash);
  }

  /** @param counted today's hit rate from the metrics; null if it is not known. */
  report(now: number, counted: number | null): MemoryLadder {
    const { name, eviction } = this.layer;
    const accesses = Math.round(this.#sums.accesses);
    const withheld = tooFew(accesses);
    const share = this.#threshold / ALL;
    const today = counted ?? this.#sums.hitRate(REAL, share).value;
    const ladder = FACTORS.map((factor, rung): MemoryRung => {
      const { maxEntries, maxBytes } = this.#boundsAt(factor);
      const size = { factor, maxEntries: finite(maxEntries), maxBytes: finite(maxBytes) };
      const { value, error } = this.#sums.gain(rung, TODAY, share);
      const hitRateError = Math.hypot(error, STEP_ERROR);
      const why =
        withheld ??
        (hitRateError > MOST_ERROR
          ? `error: the hit rate is only known to ${(hitRateError * 100).toFixed(1)} points`
          : undefined);
      if (why !== undefined) return { ...size, hitRate: null, hitRateError: null, withheld: why };
      return { ...size, hitRate: Math.min(1, Math.max(0, today + value)), hitRateError };
    });
    const observedMs = Math.max(0, now - this.#observedFrom);
    return { layer: name, eviction, accesses, observedMs, ...(withheld !== undefined && { withheld }), ladder };
  }

  /** If the largest simulated layer has no room for an entry, creates the next larger ones: from now on they differ. */
  #separate(isHot: boolean, { bytes }: SimulatedEntry): void {
    for (;;) {
      const next = FACTORS[this.#layers.length];
      const largest = this.#layers.at(-1)!;
      if (next === undefined || largest.fits(isHot, bytes)) return;
      this.#layers.push(largest.copy(this.#boundsAt(next)));
    }
  }

  #boundsAt(factor: number): MemoryBounds {
    const { maxEntries, maxBytes } = this.layer.bounds;
    return { maxEntries: Math.max(1, Math.floor(maxEntries * factor)), maxBytes: Math.floor(maxBytes * factor) };
  }

  #lower(threshold: number): void {
    this.#threshold = threshold;
    const belongs = (hash: number) => hash >>> 0 < threshold;
    for (const layer of this.#layers) layer.lower(belongs, ALL / threshold);
    for (const hash of this.#loads.keys()) if (!belongs(hash)) this.#loads.delete(hash);
  }

  /** Returns the time in the unit of the simulated layers. */
  #timeOf(at: number): number {
    return Math.round(at - this.startedAt);
  }

  #sweep(now: number): void {
    this.#sweepAt = now + SWEEP_EVERY_MS;
    for (const layer of this.#layers) layer.sweep(this.#timeOf(now));
    const observed = now - this.#observedFrom;
    if (observed < DAY_MS) return;
    this.#observedFrom = now - observed / 2;
    this.#sums.halve();
  }
}

function finite(bound: number): number | null {
  return Number.isFinite(bound) ? bound : null;
}
