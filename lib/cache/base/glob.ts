/**
 * Compiles globs. A glob has the meaning of Redis' MATCH in every layer, by Unicode code point: `*` matches any text, `?` one character, `[abc]` one
 * of the set, `[^abc]` one character that is not in the set, `[a-z]` a range, and `\` makes the next character literal. A set that is not closed
 * extends to the end of the glob.
 *
 * The stars divide a glob into segments. The first segment must match at the start of the key and the last at its end. Each segment between them is
 * searched from the end of the previous match, and its leftmost match is always right. So a match never returns to an earlier star. `indexOf`
 * searches literal segments; the bit-parallel Shift-And automaton (Baeza-Yates and Gonnet 1992) searches segments with `?` or sets. So the time is
 * linear in the key for every glob.
 */

/** Returns whether a key matches. */
export type GlobMatcher = (key: string) => boolean;

/** Compiles a glob in time linear in the glob. A match takes time linear in the key. */
export function globMatcher(glob: string): GlobMatcher {
  const segments = segmentsOf(glob);
  const first = segments[0]!;
  const last = segments.at(-1)!;
  if (segments.length === 1) return (key) => first.endFrom(key, 0) === key.length;
  const between = segments.slice(1, -1).filter(({ empty }) => !empty);
  if (between.length === 0 && last.empty) return (key) => first.endFrom(key, 0) !== -1;
  return (key) => {
    let at = first.endFrom(key, 0);
    if (at === -1) return false;
    const end = last.startBefore(key, key.length);
    if (end < at) return false;
    for (const segment of between) {
      at = segment.search(key, at, end);
      if (at === -1) return false;
    }
    return true;
  };
}

/** Returns a glob that matches only this text. */
export function literalGlob(text: string): string {
  return text.replace(/[\\*?[\]^-]/g, '\\$&');
}

/**
 * Returns a glob for Redis' own MATCH, which compares bytes. It matches every key that the given glob matches, and may match more: `?` and sets,
 * which can match several bytes, become `*`.
 */
export function coarseGlob(glob: string): string {
  const characters = Array.from(glob);
  let coarse = '';
  let star = false;
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at]!;
    const wild = character === '*' || character === '?' || character === '[';
    if (!wild) coarse += literalGlob(character === '\\' && at + 1 < characters.length ? characters[++at]! : character);
    else if (!star) coarse += '*';
    if (character === '[') at = setOf(characters, at + 1).end;
    star = wild;
  }
  return coarse;
}

/** The number of `*`, `?` and sets in a glob. */
export function wildcardsIn(glob: string): number {
  const segments = segmentsOf(glob);
  return segments.reduce((count, { wildcards }) => count + wildcards, segments.length - 1);
}

/** The part of a glob between two stars. Positions in a key count code units. */
interface Segment {
  readonly empty: boolean;
  readonly wildcards: number;
  /** Returns the end of the match that begins at `at`, or -1. */
  endFrom(key: string, at: number): number;
  /** Returns the start of the match that ends at `end`, or -1. */
  startBefore(key: string, end: number): number;
  /** Returns the end of the leftmost match between `from` and `end`, or -1. */
  search(key: string, from: number, end: number): number;
}

class LiteralSegment implements Segment {
  readonly wildcards = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  get empty(): boolean {
    return this.#text === '';
  }

  endFrom(key: string, at: number): number {
    return key.startsWith(this.#text, at) ? at + this.#text.length : -1;
  }

  startBefore(key: string, end: number): number {
    return key.endsWith(this.#text, end) ? end - this.#text.length : -1;
  }

  search(key: string, from: number, end: number): number {
    const at = key.indexOf(this.#text, from);
    return at === -1 || at + this.#text.length > end ? -1 : at + this.#text.length;
  }
}

/** One character of a glob. Returns true if it matches a code point. */
type Taken = (codePoint: number) => boolean;

const ANY: Taken = () => true;
const WORD_BITS = 32;
/** The most code points whose masks a segment caches. */
const MAX_MASKS = 1_024;

/** A segment with `?` or sets. */
class WildSegment implements Segment {
  readonly empty = false;
  readonly wildcards: number;
  readonly #characters: readonly Taken[];
  readonly #words: number;
  /** Bit `i` is set if the last `i + 1` code points match the first `i + 1` characters. */
  readonly #state: Uint32Array;
  /** By code point: bit `i` is set if character `i` matches it. */
  readonly #masks = new Map<number, Uint32Array>();

  constructor(characters: readonly Taken[], wildcards: number) {
    this.#characters = characters;
    this.wildcards = wildcards;
    this.#words = Math.ceil(characters.length / WORD_BITS);
    this.#state = new Uint32Array(this.#words);
  }

  endFrom(key: string, at: number): number {
    for (const takes of this.#characters) {
      const codePoint = key.codePointAt(at);
      if (codePoint === undefined || !takes(codePoint)) return -1;
      at += unitsOf(codePoint);
    }
    return at;
  }

  startBefore(key: string, end: number): number {
    // Every character matches one code point: go back by as many code points.
    let start = end;
    for (let left = this.#characters.length; left > 0; left--) {
      if (start === 0) return -1;
      start -= start > 1 && unitsOf(key.codePointAt(start - 2)!) === 2 ? 2 : 1;
    }
    return this.endFrom(key, start) === end ? start : -1;
  }

  search(key: string, from: number, end: number): number {
    const state = this.#state.fill(0);
    const last = this.#words - 1;
    const matched = (1 << ((this.#characters.length - 1) % WORD_BITS)) >>> 0;
    for (let at = from; at < end;) {
      const codePoint = key.codePointAt(at)!;
      at += unitsOf(codePoint);
      const mask = this.#maskOf(codePoint);
      let carry = 1;
      for (let word = 0; word <= last; word++) {
        const before = state[word]!;
        state[word] = ((before << 1) | carry) & mask[word]!;
        carry = before >>> (WORD_BITS - 1);
      }
      if ((state[last]! & matched) !== 0) return at;
    }
    return -1;
  }

  #maskOf(codePoint: number): Uint32Array {
    const known = this.#masks.get(codePoint);
    if (known !== undefined) return known;
    const mask = new Uint32Array(this.#words);
    this.#characters.forEach((takes, at) => {
      if (takes(codePoint)) mask[Math.floor(at / WORD_BITS)]! |= 1 << (at % WORD_BITS);
    });
    if (this.#masks.size < MAX_MASKS) this.#masks.set(codePoint, mask);
    return mask;
  }
}

function unitsOf(codePoint: number): 1 | 2 {
  return codePoint > 0xffff ? 2 : 1;
}

/** Splits a glob at its runs of stars. The first and the last segment may be empty. */
function segmentsOf(glob: string): readonly Segment[] {
  const characters = Array.from(glob);
  const segments: Segment[] = [];
  let taken: Taken[] = [];
  let literal = '';
  let wildcards = 0;
  const close = (): void => {
    segments.push(wildcards === 0 ? new LiteralSegment(literal) : new WildSegment(taken, wildcards));
    taken = [];
    literal = '';
    wildcards = 0;
  };
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at]!;
    if (character === '*') {
      while (characters[at + 1] === '*') at++;
      close();
    } else if (character === '?') {
      taken.push(ANY);
      wildcards++;
    } else if (character === '[') {
      const set = setOf(characters, at + 1);
      taken.push(set.takes);
      wildcards++;
      at = set.end;
    } else {
      const text = character === '\\' && at + 1 < characters.length ? characters[++at]! : character;
      const wanted = text.codePointAt(0)!;
      taken.push((codePoint) => codePoint === wanted);
      literal += text;
    }
  }
  close();
  return segments;
}

/** @returns the test of the set, and the position of its `]`. */
function setOf(characters: readonly string[], start: number): { readonly takes: Taken; readonly end: number } {
  let at = start;
  const negated = characters[at] === '^';
  if (negated) at++;
  const ranges: (readonly [from: number, to: number])[] = [];
  const codeAt = (place: number): number => characters[place]!.codePointAt(0)!;
  for (; at < characters.length && characters[at] !== ']'; at++) {
    if (characters[at] === '\\' && at + 1 < characters.length) {
      at++;
      ranges.push([codeAt(at), codeAt(at)]);
    } else if (characters[at + 1] === '-' && at + 2 < characters.length) {
      const [one, other] = [codeAt(at), codeAt(at + 2)];
      ranges.push(one <= other ? [one, other] : [other, one]);
      at += 2;
    } else ranges.push([codeAt(at), codeAt(at)]);
  }
  const within = (codePoint: number): boolean => ranges.some(([from, to]) => codePoint >= from && codePoint <= to);
  return { takes: (codePoint) => within(codePoint) !== negated, end: at };
}
