const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

/**
 * Returns a 32-bit hash of a text: FNV-1a (Fowler, Noll, Vo) over UTF-16 code units with the finaliser of MurmurHash3 (Appleby). The finaliser
 * spreads texts that differ in one digit.
 * @param start seed; different seeds give independent hashes.
 */
export function textHash(text: string, start = OFFSET_BASIS): number {
  let hash = start;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), PRIME);
  return mixed(hash);
}

/** Spreads the bits of a hash over all 32 bits. */
export function mixed(hash: number): number {
  let mix = hash ^ (hash >>> 16);
  mix = Math.imul(mix, 0x85ebca6b);
  mix ^= mix >>> 13;
  mix = Math.imul(mix, 0xc2b2ae35);
  return mix ^ (mix >>> 16);
}
