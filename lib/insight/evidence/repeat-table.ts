import { columns } from '../stream/columns.js';

/** The number of slots in a new table and in the largest one: a table grows with its keys. */
const FEWEST_SLOTS = 16;
const MOST_SLOTS = 256;
/** The maximum share of used slots. */
const FILLED = 3 / 4;
const WHOLE = 2 ** 32;
/** Values are compared in one of this number of adds, because digests of large values take longer than the rest. */
const COMPARED_EVERY = 32;
const ALWAYS_COMPARED = 256;

/** The figures of a {@link RepeatTable}. */
export interface Repeats {
  readonly adds: number;
  /** The share of adds that came within the TTL after the last one of the same key, 0–1. */
  readonly share: number;
  readonly error: number;
  /** The estimated number of distinct keys. */
  readonly distinct: number;
  /** The share of distinct keys that were added once, 0–1. */
  readonly once: number;
  /** The share of equal values among the compared repeats; null if none was compared. */
  readonly sameValue: number | null;
}

/**
 * Measures how often keys repeat within a TTL. It simulates a cache that stores every key, for a sample of the keys by hash. Its memory
 * grows with the keys up to a fixed size; beyond it the sample shrinks (SHARDS with a fixed size: Waldspurger et al., FAST 2015). If the
 * sample has fewer references than expected, hot keys are missing in it, so the difference is added as repeats (SHARDS-adj).
 */
export class RepeatTable {
  #hashes: Uint32Array;
  /** Milliseconds after {@link #from}. A slot takes 13 bytes in all three arrays and {@link #values}. */
  #times: Float32Array;
  /** Digests of the last values; allocated for the first one. */
  #values: Uint32Array | undefined;
  #counts: Uint8Array;
  #size = 0;
  /** Keys with larger hashes are not in the sample. */
  #limit = WHOLE;
  #adds = 0;
  /** The number of adds in the sample, for each half of it. */
  readonly #sampled = [0, 0];
  readonly #repeats = [0, 0];
  #same = 0;
  #compared = 0;

  /** @param from the origin of the times, so that they are small numbers. */
  constructor(private readonly from: number) {
    [this.#hashes, this.#times, this.#counts] = columnsOf(FEWEST_SLOTS);
  }

  /** @param valueOf computes a digest of the value, 0 for none. Called only if the value is compared. */
  add(hash: number, at: number, ttlMs: number, valueOf?: () => number): void {
    const now = at - this.from;
    this.#adds += 1;
    // 0 is an empty slot.
    const key = hash === 0 ? 1 : hash;
    if (key >= this.#limit) return;
    const half = (key >>> 3) & 1;
    this.#sampled[half]! += 1;
    let slot = this.#slotOf(key);
    const compares = this.#adds <= ALWAYS_COMPARED || this.#adds % COMPARED_EVERY < 1;
    const value = compares ? (valueOf?.() ?? 0) >>> 0 : 0;
    if (this.#hashes[slot] === 0) {
      if (this.#size >= this.#hashes.length * FILLED) {
        if (this.#hashes.length < MOST_SLOTS) this.#rebuild(this.#hashes.length * 2);
        else this.#shrink();
        if (key >= this.#limit) return;
        slot = this.#slotOf(key);
      }
      this.#hashes[slot] = key;
      this.#size += 1;
      this.#counts[slot] = 0;
      if (this.#values !== undefined) this.#values[slot] = 0;
    } else {
      if (now - this.#times[slot]! < ttlMs) this.#repeats[half]! += 1;
      const before = value === 0 || this.#values === undefined ? 0 : this.#values[slot]!;
      if (before !== 0) {
        this.#compared += 1;
        if (value === before) this.#same += 1;
      }
    }
    if (this.#counts[slot] === 0 || now - this.#times[slot]! >= ttlMs) this.#times[slot] = now;
    if (value !== 0) (this.#values ??= new Uint32Array(this.#hashes.length))[slot] = value;
    if (this.#counts[slot]! < 255) this.#counts[slot]! += 1;
  }

  get adds(): number {
    return this.#adds;
  }

  read(): Repeats {
    const rate = this.#limit / WHOLE;
    const halves = [0, 1].map((half) => (this.#sampled[half] === 0 ? 0 : this.#repeats[half]! / this.#sampled[half]!));
    const sampled = this.#sampled[0]! + this.#sampled[1]!;
    const repeats = (this.#repeats[0]! + this.#repeats[1]!) / rate + (this.#adds - sampled / rate);
    const share = this.#adds === 0 ? 0 : Math.min(1, Math.max(0, repeats / this.#adds));
    let once = 0;
    for (let slot = 0; slot < this.#hashes.length; slot++)
      if (this.#hashes[slot] !== 0 && this.#counts[slot] === 1) once += 1;
    return {
      adds: this.#adds,
      share,
      error: sampled === 0 ? 1 : Math.abs(halves[0]! - halves[1]!) / 2 + 1 / Math.sqrt(sampled),
      distinct: Math.round(this.#size / rate),
      once: this.#size === 0 ? 0 : once / this.#size,
      sameValue: this.#compared === 0 ? null : this.#same / this.#compared,
    };
  }

  /** Halves the counts and empties the table, so that old traffic counts less. */
  fade(): void {
    this.#hashes.fill(0);
    this.#size = 0;
    this.#limit = WHOLE;
    const [first = 0, second = 0] = this.#sampled;
    const sampled = first + second;
    // The sample contains all keys again: scale the counts to all adds.
    const scale = sampled === 0 ? 0 : (this.#adds / sampled) * 0.5;
    for (const half of [0, 1]) {
      this.#repeats[half]! *= scale;
      this.#sampled[half]! *= scale;
    }
    this.#adds *= 0.5;
    this.#same *= 0.5;
    this.#compared *= 0.5;
  }

  #slotOf(key: number): number {
    const mask = this.#hashes.length - 1;
    let slot = key & mask;
    while (this.#hashes[slot] !== 0 && this.#hashes[slot] !== key) slot = (slot + 1) & mask;
    return slot;
  }

  /** Halves the sample. */
  #shrink(): void {
    const before = this.#limit;
    this.#limit /= 2;
    this.#rebuild(this.#hashes.length);
    const scale = this.#limit / before;
    for (const half of [0, 1]) {
      this.#sampled[half]! *= scale;
      this.#repeats[half]! *= scale;
    }
  }

  /** Moves the keys of the sample to a new table. */
  #rebuild(slots: number): void {
    const [hashes, times, values, counts] = [this.#hashes, this.#times, this.#values, this.#counts];
    [this.#hashes, this.#times, this.#counts] = columnsOf(slots);
    if (values !== undefined) this.#values = new Uint32Array(slots);
    this.#size = 0;
    for (const [from, key] of hashes.entries()) {
      if (key === 0 || key >= this.#limit) continue;
      const to = this.#slotOf(key);
      this.#hashes[to] = key;
      this.#times[to] = times[from]!;
      if (values !== undefined) this.#values![to] = values[from]!;
      this.#counts[to] = counts[from]!;
      this.#size += 1;
    }
  }
}

function columnsOf(slots: number) {
  return columns([Uint32Array, slots], [Float32Array, slots], [Uint8Array, slots]);
}

/** Estimates the number of distinct values from the smallest hashes (KMV: Bar-Yossef et al., 2002). Exact up to 64 values. */
export class DistinctCount {
  readonly #smallest: number[] = [];
  #more = false;

  add(hash: number): void {
    const list = this.#smallest;
    if (list.length === KEPT && hash > list[KEPT - 1]!) this.#more = true;
    if (list.length === KEPT && hash >= list[KEPT - 1]!) return;
    let at = list.length;
    while (at > 0 && list[at - 1]! > hash) at -= 1;
    if (at > 0 && list[at - 1] === hash) return;
    list.splice(at, 0, hash);
    if (list.length <= KEPT) return;
    list.pop();
    this.#more = true;
  }

  get estimate(): number {
    const { length } = this.#smallest;
    if (!this.#more) return length;
    return Math.round(((KEPT - 1) * WHOLE) / Math.max(1, this.#smallest[KEPT - 1]!));
  }
}

const KEPT = 64;
