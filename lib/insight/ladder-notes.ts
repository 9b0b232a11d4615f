import { RUNG_COUNT, RUNGS } from './ladder-sums.js';
import { MOST_HOT, MOST_PATTERNS, MOST_TAIL } from './pattern-sample.js';
import type { Fill } from './ttl-replay.js';

/*
 * Encodes the notes that instances exchange about their followed keys. Bytes from a shared layer are untrusted: lengths are checked,
 * and bytes in another format are refused as a whole.
 *
 *   mark u32, time f64; then for each pattern: length of the name u16, name, TTL f64, room f64, number of keys u16;
 *   for each key: hash u32, rungs with a copy u8 (one bit each), rungs with an outdated copy u8, hot u8, digest of the value u32,
 *   age of the last check u32; for each rung with a copy: age of the copy u32.
 */

const MARK = 0x4c41_3032;
const HEAD = 12;
const PATTERN = 20;
const KEY = 15;
const MOST_NAME = 1_024;
const MOST_KEYS = MOST_HOT + MOST_TAIL;
/** A pattern has one section of new keys, and possibly one of older keys. */
const MOST_SECTIONS = 2 * MOST_PATTERNS;
const MOST_AGE = 2 ** 32 - 1;
const ROOM = 2 ** 32;

/** A key that another instance follows. */
export interface NotedKey {
  readonly hash: number;
  /** Whether the key is among the hottest of that instance. */
  readonly isHot: boolean;
  /** The digest of the value at the last check of that instance; 0 if unknown. */
  readonly digest: number;
  /** The time of that check, milliseconds since the epoch. */
  readonly checkedAt: number;
  readonly fills: readonly Fill[];
}

export interface NotedPattern {
  readonly name: string;
  readonly ttlMs: number;
  /** The threshold of hashes below which that instance has room to follow keys. */
  readonly room: number;
  readonly keys: readonly NotedKey[];
}

/** The notes of an instance, and their time. */
export interface LadderNotes {
  readonly at: number;
  readonly patterns: readonly NotedPattern[];
}

/** Writes notes into a limited number of bytes. */
export class LadderNotesWriter {
  readonly #bytes: Buffer;
  #length = HEAD;
  #keysAt = -1;
  #keys = 0;

  constructor(
    mostBytes: number,
    private readonly at: number,
  ) {
    this.#bytes = Buffer.allocUnsafe(mostBytes);
    this.#bytes.writeUInt32BE(MARK, 0);
    this.#bytes.writeDoubleBE(at, 4);
  }

  /** Begins the section of a pattern. @returns false if there is no room for it. */
  pattern(name: string, ttlMs: number, room: number): boolean {
    const length = Buffer.byteLength(name);
    if (length > MOST_NAME || this.#length + PATTERN + length > this.#bytes.length) return false;
    let at = this.#bytes.writeUInt16BE(length, this.#length);
    at += this.#bytes.write(name, at);
    at = this.#bytes.writeDoubleBE(ttlMs, at);
    this.#keysAt = this.#bytes.writeDoubleBE(room, at);
    this.#length = this.#bytes.writeUInt16BE(0, this.#keysAt);
    this.#keys = 0;
    return true;
  }

  /** Adds a key. @returns false if there is no room for it. */
  key({ hash, isHot, digest, checkedAt, fills }: NotedKey): boolean {
    const noted = fills.filter(({ at }) => this.at - at <= MOST_AGE && at <= this.at);
    if (noted.length === 0) return true;
    if (this.#length + KEY + 4 * noted.length > this.#bytes.length || this.#keys >= MOST_KEYS) return false;
    let rungs = 0;
    let outdated = 0;
    for (const fill of noted) {
      rungs |= 1 << fill.rung;
      if (fill.outdated) outdated |= 1 << fill.rung;
    }
    let at = this.#bytes.writeInt32BE(hash, this.#length);
    at = this.#bytes.writeUInt8(rungs, at);
    at = this.#bytes.writeUInt8(outdated, at);
    at = this.#bytes.writeUInt8(isHot ? 1 : 0, at);
    const checkedMs = Math.round(this.at - checkedAt);
    const isChecked = checkedMs >= 0 && checkedMs <= MOST_AGE;
    at = this.#bytes.writeInt32BE(isChecked ? digest : 0, at);
    at = this.#bytes.writeUInt32BE(isChecked ? checkedMs : 0, at);
    for (const fill of noted) at = this.#bytes.writeUInt32BE(Math.round(this.at - fill.at), at);
    this.#length = at;
    this.#bytes.writeUInt16BE(++this.#keys, this.#keysAt);
    return true;
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
}

/** Reads the result of {@link LadderNotesWriter}; undefined for any other bytes. */
export function readLadderNotes(bytes: Uint8Array): LadderNotes | undefined {
  try {
    return new Reader(bytes).notes();
  } catch (error) {
    if (error instanceof TooShort) return undefined;
    throw error;
  }
}

/** Thrown if the bytes end before their contents. */
class TooShort extends Error {}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  notes(): LadderNotes | undefined {
    if (this.#number(4) !== MARK) return undefined;
    const at = this.#double();
    if (!Number.isFinite(at)) return undefined;
    const patterns: NotedPattern[] = [];
    while (this.#at < this.#bytes.length) {
      const pattern = patterns.length < MOST_SECTIONS ? this.#pattern(at) : undefined;
      if (pattern === undefined) return undefined;
      patterns.push(pattern);
    }
    return { at, patterns };
  }

  #pattern(notedAt: number): NotedPattern | undefined {
    const length = this.#number(2);
    if (length > MOST_NAME) return undefined;
    const name = this.#bytes.toString('utf8', this.#take(length), this.#at);
    const [ttlMs, room] = [this.#double(), this.#double()];
    const count = this.#number(2);
    if (!(ttlMs > 0 && ttlMs < Infinity) || !(room > 0 && room <= ROOM) || count > MOST_KEYS) return undefined;
    const keys: NotedKey[] = [];
    for (let left = count; left > 0; left--) {
      const hash = this.#number(4) | 0;
      const rungs = this.#number(1);
      const outdated = this.#number(1);
      const isHot = this.#number(1) === 1;
      const digest = this.#number(4) | 0;
      const checkedAt = notedAt - this.#number(4);
      const fills: Fill[] = [];
      for (let rung = 0; rung < RUNG_COUNT; rung++) {
        if ((rungs & (1 << rung)) === 0) continue;
        const ageMs = this.#number(4);
        if (ageMs > ttlMs * RUNGS[rung]!) return undefined;
        fills.push({ rung, at: notedAt - ageMs, outdated: (outdated & (1 << rung)) !== 0 });
      }
      if (hash === 0) return undefined;
      keys.push({ hash, isHot, digest, checkedAt, fills });
    }
    return { name, ttlMs, room, keys };
  }

  #number(length: number): number {
    return this.#bytes.readUIntBE(this.#take(length), length);
  }

  #double(): number {
    return this.#bytes.readDoubleBE(this.#take(8));
  }

  /** Moves past a number of bytes. @returns the position of the first. */
  #take(length: number): number {
    const at = this.#at;
    if (at + length > this.#bytes.length) throw new TooShort();
    this.#at = at + length;
    return at;
  }
}
