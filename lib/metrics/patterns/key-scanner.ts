/** How many segments of a key are examined separately. The rest of the key is one more segment. */
export const MAX_SEGMENTS = 8;
/** The most characters of a run of separators that a pattern shows. */
const MAX_SEPARATOR = 3;
/** The most characters of a word, and of a part of a word between hyphens. */
const MAX_WORD = 32;
const MAX_PART = 24;

/** The kind of a segment. */
export const SegmentKind = { empty: 0, identifier: 1, word: 2 } as const;
export type SegmentKind = (typeof SegmentKind)[keyof typeof SegmentKind];

const CharKind = { other: 0, lower: 1, upper: 2, digit: 3, hyphen: 4, separator: 5 } as const;

const CHAR_KINDS = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  if (/[a-z]/.test(character)) return CharKind.lower;
  if (/[A-Z]/.test(character)) return CharKind.upper;
  if (/[0-9]/.test(character)) return CharKind.digit;
  if (/[-_.]/.test(character)) return CharKind.hyphen;
  return /[:/|?&#,;= ]/.test(character) ? CharKind.separator : CharKind.other;
});

const PRIME = 0x01000193;

/**
 * Splits a key into the segments between its separators `: / | ? & # , ; =` and blanks, and distinguishes words from identifiers. A segment
 * is an identifier if it holds a digit or a sign, is long, or changes its case like a token. `v1` and similar segments are words. A scan
 * allocates nothing: the arrays are reused and describe the last key.
 */
export class KeyScanner {
  /** The number of segments in the key, at most one more than {@link MAX_SEGMENTS}. */
  count = 0;
  readonly kinds = new Uint8Array(MAX_SEGMENTS + 1);
  /** For each segment: where the separators before it begin, where its text begins and where it ends. */
  readonly separators = new Int32Array(MAX_SEGMENTS + 1);
  readonly starts = new Int32Array(MAX_SEGMENTS + 1);
  readonly ends = new Int32Array(MAX_SEGMENTS + 1);
  /** The hash of each segment's text. */
  readonly hashes = new Int32Array(MAX_SEGMENTS + 1);
  /** The hash of the separators before each segment, as far as patterns show them. */
  readonly separatorHashes = new Int32Array(MAX_SEGMENTS + 1);
  /** The hash of the whole key. */
  hash = 0;
  readonly #seed: number;

  /** @param seed any whole number. Without the seed, nobody can construct keys with equal hashes. */
  constructor(seed: number) {
    this.#seed = seed | 0;
  }

  scan(key: string): void {
    const seed = this.#seed;
    const { length } = key;
    let count = 0;
    let at = 0;
    let keyHash = seed;
    for (;;) {
      this.separators[count] = at;
      let separatorHash = seed;
      let start = at;
      while (start < length && kindOf(key.charCodeAt(start)) === CharKind.separator) {
        if (start - at < MAX_SEPARATOR) separatorHash = Math.imul(separatorHash ^ key.charCodeAt(start), PRIME);
        start++;
      }
      this.separatorHashes[count] = separatorHash;
      this.starts[count] = start;
      at = this.#segment(key, start, count);
      keyHash = Math.imul(keyHash ^ this.hashes[count]! ^ separatorHash, PRIME);
      count++;
      if (at >= length) break;
      if (count === MAX_SEGMENTS) {
        this.#rest(at, length, count);
        for (; at < length; at++) keyHash = Math.imul(keyHash ^ key.charCodeAt(at), PRIME);
        count++;
        break;
      }
    }
    this.count = count;
    this.hash = keyHash;
  }

  /** Scans the segment that begins at `start`. @returns the end of the segment. */
  #segment(key: string, start: number, place: number): number {
    const { length } = key;
    let hash = this.#seed;
    let at = start;
    let letters = 0;
    let digits = 0;
    let humps = 0;
    let others = 0;
    let part = 0;
    let longestPart = 0;
    let before: number = CharKind.separator;
    for (; at < length; at++) {
      const code = key.charCodeAt(at);
      const kind = kindOf(code);
      if (kind === CharKind.separator) break;
      hash = Math.imul(hash ^ code, PRIME);
      if (kind === CharKind.hyphen) part = 0;
      else if (++part > longestPart) longestPart = part;
      if (kind === CharKind.lower) letters++;
      else if (kind === CharKind.upper) {
        letters++;
        if (before === CharKind.lower) humps++;
      } else if (kind === CharKind.digit) digits++;
      else if (kind === CharKind.other) others++;
      before = kind;
    }
    this.ends[place] = at;
    this.hashes[place] = hash;
    const size = at - start;
    if (size === 0) this.kinds[place] = SegmentKind.empty;
    else if (letters === 0 || others > 0 || size > MAX_WORD || longestPart > MAX_PART || humps * 3 > letters) {
      this.kinds[place] = SegmentKind.identifier;
    } else if (
      digits === 0 ||
      (letters === 1 && digits === size - 1 && size <= 3 && isVersionMark(key.charCodeAt(start)))
    )
      this.kinds[place] = SegmentKind.word;
    else this.kinds[place] = SegmentKind.identifier;
    return at;
  }

  #rest(at: number, length: number, place: number): void {
    this.separators[place] = at;
    this.starts[place] = at;
    this.ends[place] = length;
    this.hashes[place] = this.separatorHashes[place] = this.#seed;
    this.kinds[place] = SegmentKind.identifier;
  }

  /** Returns the separators before a segment, as patterns show them. */
  separatorOf(key: string, place: number): string {
    const from = this.separators[place]!;
    return key.slice(from, Math.min(this.starts[place]!, from + MAX_SEPARATOR));
  }

  /** Returns a segment with its separators, as patterns show it. */
  shownOf(key: string, place: number): string {
    return this.separatorOf(key, place) + key.slice(this.starts[place]!, this.ends[place]!);
  }
}

/** Characters outside ASCII count as letters. */
function kindOf(code: number): number {
  return code < 128 ? CHAR_KINDS[code]! : CharKind.lower;
}

/** Returns true for the first letter of `v1` or `v12`. */
function isVersionMark(code: number): boolean {
  return code === 0x76 || code === 0x56;
}
