import { CacheError } from '../../base/errors.js';
import { coarseGlob, literalGlob } from '../../base/glob.js';

/**
 * Refuses a namespace or prefix of a client whose opening brace begins no hash tag.
 * @throws CacheError `INVALID_OPTIONS`
 */
export function refuseOpenHashTags(prefix: string, keyPrefix = ''): void {
  for (const [what, text] of [
    ['namespace', prefix],
    ["the client's keyPrefix", keyPrefix],
  ] as const) {
    if (text.includes('{') && hashTagOf(text) === undefined) {
      throw new CacheError(
        'INVALID_OPTIONS',
        `${what} '${text}': its opening brace does not begin a hash tag. Close it, as in {name}, or leave it out: Redis Cluster keeps an entry and its fence together by it.`,
      );
    }
  }
}

/**
 * The names of a namespace in Redis. The name of an entry is `prefix:key`. It is readable, and one ACL pattern (`~prefix:*`) covers all
 * names of the namespace. Other names begin with `prefix:~`. If the key of an entry begins with `~`, its name gets a second `~`.
 *
 * An application's own client may add a `keyPrefix` to every key. The names here are without it, because the client adds it. Hash slots,
 * the channel, and the patterns and results of SCAN include it.
 */
export class RedisKeys {
  readonly #prefix: string;
  readonly #keyPrefix: string;
  /** True if the namespace has a hash tag, which determines the slot of all its keys. */
  readonly #isTagged: boolean;
  /** Caches one text per slot. */
  readonly #slotTexts = new Map<number, string>();
  /** The state of the namespace's order of invalidations. */
  readonly state: string;
  /** Sorted set: tag by the epoch of its invalidation. */
  readonly tags: string;
  /** Sorted set: glob by the epoch of its invalidation. */
  readonly globs: string;
  /** Sorted set: the globs whose sweep has not finished, by the epoch of their invalidation. */
  readonly sweeps: string;
  readonly channel: string;

  /** @param keyPrefix the prefix that the client adds to every key. */
  constructor(prefix: string, keyPrefix = '') {
    refuseOpenHashTags(prefix, keyPrefix);
    this.#prefix = `${prefix}:`;
    this.#keyPrefix = keyPrefix;
    // All of these are in one slot for any namespace, because a script changes them together.
    this.#isTagged = hashTagOf(keyPrefix + prefix) !== undefined;
    const shared = this.#isTagged ? `${prefix}:~` : `${prefix}:~{${slotSafe(prefix)}}`;
    this.state = `${shared}state`;
    this.tags = `${shared}tags`;
    this.globs = `${shared}globs`;
    this.sweeps = `${shared}sweeps`;
    this.channel = `${keyPrefix}${prefix}:~bus`;
  }

  entry(key: string): string {
    return key.charCodeAt(0) === TILDE ? `${this.#prefix}~${key}` : this.#prefix + key;
  }

  /** The key of an entry, from the name that SCAN returns; undefined for other names. */
  keyOf(found: string): string | undefined {
    const key = found.slice(this.#keyPrefix.length + this.#prefix.length);
    if (key.charCodeAt(0) !== TILDE) return key;
    return key.charCodeAt(1) === TILDE ? key.slice(1) : undefined;
  }

  /** The name under which the epoch of an entry's last deletion is stored, in the entry's own hash slot. */
  fence(entryName: string): string {
    if (this.#isTagged) return `${this.#prefix}~fence:${entryName}`;
    const tag = hashTagOf(entryName);
    if (tag !== undefined) return `${this.#prefix}~fence:{${tag}}${entryName}`;
    // The whole name, with the client's prefix, determines the slot.
    const name = this.#keyPrefix + entryName;
    if (!name.includes('}')) return `${this.#prefix}~fence:{${name}}`;
    return `${this.#prefix}~fence:{${this.#textOf(hashSlot(name))}}${entryName}`;
  }

  #textOf(slot: number): string {
    const text = this.#slotTexts.get(slot) ?? textOfSlot(slot);
    this.#slotTexts.set(slot, text);
    return text;
  }

  lock(name: string): string {
    return `${this.#prefix}~lock:${name}`;
  }

  /** The pattern for SCAN: it matches every entry whose key the glob matches, and perhaps others. */
  scanPattern(glob: string): string {
    const pattern = coarseGlob(glob);
    // Only a key that begins with `~` has a second one.
    const escape = pattern.startsWith('~') ? '~' : '';
    return literalGlob(this.#keyPrefix + this.#prefix) + escape + pattern;
  }
}

const TILDE = 126;

/** The part of a key that determines its slot, if it is not the whole key (Redis Cluster specification, "Hash tags"). */
export function hashTagOf(key: string): string | undefined {
  const open = key.indexOf('{');
  if (open === -1) return undefined;
  const close = key.indexOf('}', open + 1);
  return close === -1 || close === open + 1 ? undefined : key.slice(open + 1, close);
}

/** CRC16 (XMODEM) of the key's hash tag or of the key, modulo 16,384. */
export function hashSlot(key: string): number {
  return crc16(Buffer.from(hashTagOf(key) ?? key)) & 0x3fff;
}

function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc;
}

/**
 * Three letters that hash to this slot, for keys that cannot be a hash tag themselves: 62³ texts cover the 2¹⁴ slots.
 */
function textOfSlot(slot: number): string {
  const bytes = new Uint8Array(3);
  for (const first of LETTERS) {
    bytes[0] = first;
    for (const second of LETTERS) {
      bytes[1] = second;
      for (const third of LETTERS) {
        bytes[2] = third;
        if ((crc16(bytes) & 0x3fff) === slot) return String.fromCharCode(first, second, third);
      }
    }
  }
  throw new Error(`No text of three letters has the slot ${slot}.`);
}

const LETTERS = Buffer.from('0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ');

function slotSafe(prefix: string): string {
  return prefix.replace(/[{}]/g, '');
}
