/** The salt of a namespace's hashes: instances with the same namespace sample the same keys. */
export function saltOf(namespace: string): number {
  return mixed(codeUnits(namespace, 0x9747b28c));
}

/**
 * A salted hash of a key, 32 bits, never 0: FNV-1a over UTF-16 code units with the finaliser of MurmurHash3 (Appleby), so that keys
 * that differ in one digit are far apart. Without a salt the finaliser maps 0 to 0, and a sample below a threshold would always
 * contain that key.
 */
export function keyHash(key: string, salt: number): number {
  return mixed(codeUnits(key, salt)) || 1;
}

function codeUnits(text: string, start: number): number {
  let hash = start;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash;
}

/** Spreads a hash over all 32 bits. */
export function mixed(hash: number): number {
  let mix = hash ^ (hash >>> 16);
  mix = Math.imul(mix, 0x85ebca6b);
  mix ^= mix >>> 13;
  mix = Math.imul(mix, 0xc2b2ae35);
  return mix ^ (mix >>> 16);
}
