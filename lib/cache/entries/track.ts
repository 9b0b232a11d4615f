/*
 * The track of an entry in memory: the data that the stream of accesses needs at a hit, in one small integer. A hit of a followed key
 * changes only this number, so that it touches no memory besides the entry, which it reads anyway.
 *
 * From the lowest bit on: the number of the key (16 bits; 0 if not followed), the hits that are counted but not reported (13 bits), and
 * whether the next hit must be reported (one bit). Every build of the engine stores 30 bits as a small integer.
 */
const KEY_BITS = 16;
const HIT_BITS = 13;

export const Track = {
  /** The bits that hold the number of the key. */
  key: 2 ** KEY_BITS - 1,
  /** One counted hit. */
  hit: 2 ** KEY_BITS,
  /** From this value on, the next hit is reported instead of counted. */
  full: (2 ** HIT_BITS - 1) * 2 ** KEY_BITS,
  /** The bit that requires a report of the next hit. */
  due: 2 ** (KEY_BITS + HIT_BITS),
} as const;

/** Returns the hits counted in a track. */
export function hitsOf(track: number): number {
  return (track & (Track.due - 1)) >>> KEY_BITS;
}
