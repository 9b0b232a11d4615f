import { type RankedKey, SpaceSaving } from '../metrics/space-saving.js';

const COUNTERS = 128;
/** A hot key has the weight of so many samples of today, or was sampled so often: in a burst a sample weighs far more. */
const LEAST = 3;
/** Sampled hits between two rankings: at first, and at most. */
const FIRST_RANKING = 64;
const LAST_RANKING = 1_024;
/** Sampled hits after which counts are halved, so that keys that are no longer hot leave. */
const HALVED_AFTER = 65_536;

/** Ranks the keys of a pattern by a sample of the hits. */
export class HottestKeys {
  readonly #counts = new SpaceSaving(COUNTERS);
  /** Hits counted so far, halved with the counts. */
  #counted = 0;
  #hits = 0;
  /** How many hits the last sample represents. */
  #weight = 1;
  #sinceRanked = 0;
  #rankedAfter = FIRST_RANKING;

  /** Counts one sampled hit. @param of how many hits it represents. @returns true if the ranking is due. */
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

  /** Estimated hits of all keys, halved whenever the counts of the keys are. */
  get hits(): number {
    return this.#hits;
  }

  /** The keys with enough hits, the hottest first. */
  ranked(): string[] {
    return this.ranking(COUNTERS).map(({ key }) => key);
  }

  /** The hottest keys with their estimated hits, of which up to `overcount` may belong to other keys. */
  ranking(limit: number): RankedKey[] {
    return this.#counts.ranking(limit, { count: LEAST * this.#weight, adds: LEAST });
  }
}
