import { CacheError } from '../../errors.js';
import { literalGlob } from '../../glob.js';

/**
 * The names under which a namespace lives in Redis. An entry's is `prefix:key`, readable and under one ACL pattern
 * (`~prefix:*`) with everything else: what is no entry begins with `prefix:~`, and an entry's key that begins with `~`
 * gets a second one.
 */
export class RedisKeys {
  readonly #prefix: string;
  /** At most one a slot. */
  readonly #slotTexts = new Map<number, string>();
  /** Epoch, ledger version, birth and floor of the namespace. */
  readonly state: string;
  /** Sorted set: tag by the epoch of its invalidation. */
  readonly tags: string;
  /** Sorted set: glob by the epoch of its invalidation. */
  readonly globs: string;
  readonly channel: string;

  constructor(prefix: string) {
    if (prefix.includes('{') && hashTagOf(prefix) === undefined) {
      throw new CacheError(
        'INVALID_OPTIONS',
        `namespace '${prefix}': an opening brace must begin a hash tag such as {name}, or Redis Cluster cannot keep an entry and its fence together.`,
      );
    }
    this.#prefix = `${prefix}:`;
    // One slot for the three, whatever the namespace: a script changes them together.
    const shared = hashTagOf(prefix) === undefined ? `${prefix}:~{${slotSafe(prefix)}}` : `${prefix}:~`;
    this.state = `${shared}state`;
    this.tags = `${shared}tags`;
    this.globs = `${shared}globs`;
    this.channel = `${prefix}:~bus`;
  }

  entry(key: string): string {
    return key.charCodeAt(0) === TILDE ? `${this.#prefix}~${key}` : this.#prefix + key;
  }

  /** The key of an entry's name, or undefined for what is no entry. */
  keyOf(name: string): string | undefined {
    const key = name.slice(this.#prefix.length);
    if (key.charCodeAt(0) !== TILDE) return key;
    return key.charCodeAt(1) === TILDE ? key.slice(1) : undefined;
  }

  /** Where the epoch of an entry's last deletion stands, in the entry's own hash slot. */
  fence(entryName: string): string {
    if (hashTagOf(this.#prefix) !== undefined) return `${this.#prefix}~fence:${entryName}`;
    const tag = hashTagOf(entryName);
    if (tag !== undefined) return `${this.#prefix}~fence:{${tag}}${entryName}`;
    if (!entryName.includes('}')) return `${this.#prefix}~fence:{${entryName}}`;
    return `${this.#prefix}~fence:{${this.#textOf(hashSlot(entryName))}}${entryName}`;
  }

  #textOf(slot: number): string {
    const text = this.#slotTexts.get(slot) ?? textOfSlot(slot);
    this.#slotTexts.set(slot, text);
    return text;
  }

  lock(name: string): string {
    return `${this.#prefix}~lock:${name}`;
  }

  /** What to SCAN for, and whether the answers still have to be matched here. */
  match(glob: string): { readonly pattern: string; readonly exact: boolean } {
    const prefix = literalGlob(this.#prefix);
    // Only the escaped `~` needs care: a first element that could stand for it is matched here.
    if (/^[?[\\~]/.test(glob)) return { pattern: `${prefix}*`, exact: false };
    return { pattern: prefix + glob, exact: true };
  }
}

const TILDE = 126;

/** The part of a key that decides its slot, where not the whole does (Redis Cluster specification, "Hash tags"). */
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
