import { type RankedKey, SpaceSaving } from '../metrics/space-saving.js';

const COUNTERS = 128;
/** A key is hot if its count is at least this many times the current weight of a sample, and it was sampled this often. */
const LEAST = 3;
/** The number of sampled hits between two rankings: at first, and at most. */
const FIRST_RANKING = 64;
const LAST_RANKING = 1_024;
/** Counts are halved after this number of sampled hits, so that keys that are no longer hot are dropped. */
const HALVED_AFTER = 65_536;

/** Ranks the keys of a pattern by a sample of the hits. */
export class HottestKeys {
  readonly #counts = new SpaceSaving(COUNTERS);
  /** The number of hits so far, halved with the counts. */
  #counted = 0;
  #hits = 0;
  /** The number of hits that the last sample represents. */
  #weight = 1;
  #sinceRanked = 0;
  #rankedAfter = FIRST_RANKING;

  /** Counts one sampled hit. @param of the number of hits it represents. @returns true if the ranking is due. */
  add(key: string, of: number): boolean {
    this.#counts.add(key, of);
    this.#weight = of;
    this.#counted++;
    this.#hits += of;
    if (this.#counted >= HALVED_AFTER) {
      this.#counts.halve();
      this.#counted /= 2;
      this.#hits /= 2;
    }
    if (++this.#sinceRanked < this.#rankedAfter) return false;
    this.#sinceRanked = 0;
    this.#rankedAfter = Math.min(LAST_RANKING, this.#rankedAfter * 2);
    return true;
  }

  /** The estimated hits of all keys, halved with the counts of the keys. */
  get hits(): number {
    return this.#hits;
  }

  /** Returns the keys with enough hits, hottest first. */
  ranked(): string[] {
    return this.ranking(COUNTERS).map(({ key }) => key);
  }

  /** Returns the hottest keys with their estimated hits, of which up to `overcount` may belong to other keys. */
  ranking(limit: number): RankedKey[] {
    return this.#counts.ranking(limit, { count: LEAST * this.#weight, adds: LEAST });
  }
}
