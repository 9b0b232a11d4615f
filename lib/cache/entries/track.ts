/*
 * The track of an entry: what the stream of accesses notes in an entry of memory, in one small integer. A hit of a followed key changes
 * this number and nothing else, so that it touches no memory besides the entry, which it has read anyway.
 *
 * From the lowest bit on: the number of the key (16 bits; 0: not followed), hits that are counted but not reported (13 bits), and
 * whether the next hit is to be reported (one bit). 30 bits are small integers in every build of the engine.
 */
const KEY_BITS = 16;
const HIT_BITS = 13;

export const Track = {
  /** The bits of the number of the key. */
  key: 2 ** KEY_BITS - 1,
  /** One counted hit. */
  hit: 2 ** KEY_BITS,
  /** From here on, the next hit is reported instead of counted. */
  full: (2 ** HIT_BITS - 1) * 2 ** KEY_BITS,
  /** The next hit is to be reported. */
  due: 2 ** (KEY_BITS + HIT_BITS),
} as const;

/** The hits counted in a track. */
export function hitsOf(track: number): number {
  return (track & (Track.due - 1)) >>> KEY_BITS;
}
