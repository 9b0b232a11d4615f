import { type KeyScanner, MAX_SEGMENTS, SegmentKind } from './key-scanner.js';

/**
 * Detects the patterns of undeclared keys. Any segment of a key may hold a name, an e-mail address or a token, which must not become a
 * label. So a word is shown only if the keys prove that it is part of their structure:
 *
 * - the first segment, if a separator follows it;
 * - a later word that follows different identifiers: `user:1:cart` and `user:2:cart` make `user:*:cart`;
 * - a later word that {@link ENOUGH_KEYS} distinct keys have in common.
 *
 * Everything else is `*`. The tree holds the shown segments, words and stars, with one node per segment. A word that is not shown yet is a
 * candidate of the node before it. The last word of a key is distinguished from the same word inside keys. Words are compared by seeded
 * hashes, so that finding the pattern of a key allocates nothing.
 */

/** The number of distinct keys that prove a word. */
const ENOUGH_KEYS = 20;

const PRIME = 0x01000193;
const STAR = 0x2a;
/** Distinguishes the last word of a key from the same word inside keys. */
const LAST = 0x5bd1e995;

/** Returns the hash of a segment after a node. It has 30 bits, which V8 stores without allocation. */
function hashOf(separator: number, text: number): number {
  return (Math.imul(separator ^ text, PRIME) ^ (text >>> 15)) >>> 2;
}

/** A sequence of shown segments at the beginning of keys. */
export class PatternNode<T> {
  /** The object of the tree's owner for the pattern that ends here. */
  owned: T | undefined;
  readonly children = new Map<number, PatternNode<T>>();
  readonly candidates = new Map<number, Candidate<T>>();

  /**
   * @param pattern the pattern of a key that ends here.
   * @param text the last segment with the separators before it.
   * @param masked true if a segment up to here is `*`.
   */
  constructor(
    readonly pattern: string,
    readonly text: string,
    readonly masked: boolean,
  ) {}
}

/** A word that is not shown yet, with the evidence for it. */
export class Candidate<T> {
  /** The number of stored forms with this word. At zero the candidate is dropped. */
  uses = 0;
  #identifiers = 0;
  readonly #keys: number[] = [];

  constructor(
    readonly context: PatternNode<T>,
    readonly segment: FormSegment,
  ) {}

  /**
   * Records a key with this word.
   * @param identifiers a hash of the identifiers before the word; 0 if there are none.
   * @param key a hash of the whole key.
   * @returns true if the word is proved.
   */
  seen(identifiers: number, key: number): boolean {
    if (identifiers !== 0 && this.#identifiers !== 0 && this.#identifiers !== identifiers) return true;
    if (identifiers !== 0) this.#identifiers = identifiers;
    if (!this.#keys.includes(key)) this.#keys.push(key);
    return this.#keys.length >= ENOUGH_KEYS;
  }
}

/** One segment of a form: a word, or the place of an identifier. */
export interface FormSegment {
  /** The separators and the text; undefined for an identifier, which is never shown. */
  readonly word: string | undefined;
  readonly wordHash: number;
  /** The separators and `*`. */
  readonly star: string;
  readonly starHash: number;
  readonly last: boolean;
}

/** The words of a key that are not shown, in their order. */
class HiddenWords<T> {
  count = 0;
  readonly places = new Uint8Array(MAX_SEGMENTS + 1);
  readonly hashes = new Int32Array(MAX_SEGMENTS + 1);
  /** The hash of the identifiers before each word; 0 if there are none. */
  readonly identifiers = new Int32Array(MAX_SEGMENTS + 1);
  readonly contexts: PatternNode<T>[] = [];

  add(place: number, context: PatternNode<T>, hash: number, identifiers: number): void {
    const at = this.count++;
    this.places[at] = place;
    this.hashes[at] = hash;
    this.identifiers[at] = identifiers;
    this.contexts[at] = context;
  }
}

export class PatternTree<T> {
  /** The hidden words of the key that was resolved last. */
  readonly hidden = new HiddenWords<T>();
  /**
   * The hash of the form of the key that was resolved last. Keys have the same form if they have equal words in equal places, with any
   * identifiers.
   */
  formHash = 0;
  /** A second hash of the form. Forms are equal if both hashes are. */
  formCheck = 0;
  readonly #root = new PatternNode<T>('', '', false);
  #nodes = 0;

  /** @param maxNodes the most nodes. */
  constructor(
    private readonly scanner: KeyScanner,
    private readonly maxNodes: number,
  ) {}

  /** True if one more word can be shown. */
  get hasRoom(): boolean {
    return this.#nodes < this.maxNodes;
  }

  /** Returns the pattern of the key that was scanned last; undefined if the tree is full. */
  resolve(key: string): PatternNode<T> | undefined {
    const { count, kinds, hashes, separatorHashes } = this.scanner;
    const { hidden } = this;
    hidden.count = 0;
    let node = this.#root;
    let identifiers = 0;
    let form = 0;
    let check = 0;
    for (let place = 0; place < count; place++) {
      const kind = kinds[place]!;
      const separator = separatorHashes[place]!;
      const last = place === count - 1;
      const hash = kind === SegmentKind.identifier ? STAR : last ? hashes[place]! ^ LAST : hashes[place]!;
      let segment = hashOf(separator, hash);
      let next = node.children.get(segment);
      if (next === undefined) {
        if (kind === SegmentKind.word && (place > 0 || last)) {
          // A last word without an identifier before it is never shown.
          if (last && !node.masked) segment = hashOf(separator, STAR);
          else hidden.add(place, node, segment, identifiers);
          next = this.#star(node, key, place, separator);
        } else if (kind === SegmentKind.identifier) next = this.#star(node, key, place, separator);
        else next = this.#add(node, segment, this.scanner.shownOf(key, place), node.masked);
        if (next === undefined) return undefined;
      }
      if (kind === SegmentKind.identifier) identifiers = Math.imul(identifiers ^ hashes[place]!, PRIME) | 1;
      form = Math.imul(form ^ segment, PRIME);
      check = Math.imul(check ^ segment, 0x2c1b3c6d) ^ (check >>> 13);
      node = next;
    }
    this.formHash = form >>> 2;
    this.formCheck = check;
    return node;
  }

  /** Returns the form of the key that was resolved last. */
  form(key: string): readonly FormSegment[] {
    const scanner = this.scanner;
    const { count, kinds, hashes, separatorHashes } = scanner;
    return Array.from({ length: count }, (_, place) => {
      const last = place === count - 1;
      const separator = separatorHashes[place]!;
      const text = scanner.separatorOf(key, place);
      return {
        word: kinds[place] === SegmentKind.identifier ? undefined : scanner.shownOf(key, place),
        wordHash: hashOf(separator, last ? hashes[place]! ^ LAST : hashes[place]!),
        star: `${text}*`,
        starHash: hashOf(separator, STAR),
        last,
      };
    });
  }

  /** Resolves a form as {@link resolve} does a key. @returns also the candidates of its hidden words. */
  resolveForm(form: readonly FormSegment[]): { node: PatternNode<T> | undefined; candidates: Candidate<T>[] } {
    const candidates: Candidate<T>[] = [];
    let node: PatternNode<T> = this.#root;
    for (const segment of form) {
      const shown = segment.word === undefined ? undefined : node.children.get(segment.wordHash);
      if (shown === undefined && segment.word !== undefined && (!segment.last || node.masked)) {
        candidates.push(this.#candidate(node, segment));
      }
      const next =
        shown ?? node.children.get(segment.starHash) ?? this.#add(node, segment.starHash, segment.star, true);
      if (next === undefined) return { node: undefined, candidates };
      node = next;
    }
    return { node, candidates };
  }

  /** Returns the candidate of a hidden word of the key that was resolved last, if there is one. */
  candidateOf(key: string, at: number): Candidate<T> | undefined {
    const { hidden } = this;
    const candidate = hidden.contexts[at]!.candidates.get(hidden.hashes[at]!);
    if (candidate === undefined) return undefined;
    const known = candidate.segment.word === this.scanner.shownOf(key, hidden.places[at]!);
    return known ? candidate : undefined;
  }

  /** Shows a word from now on. After it, the segments are shown that were shown after the `*` in its place. */
  show({ context, segment }: Candidate<T>): void {
    context.candidates.delete(segment.wordHash);
    const node = this.#add(context, segment.wordHash, segment.word!, context.masked);
    const star = context.children.get(segment.starHash);
    if (node !== undefined && star !== undefined) this.#inherit(node, star);
  }

  /** Call this when a form with these candidates is dropped. */
  release(candidates: readonly Candidate<T>[]): void {
    for (const candidate of candidates) {
      const { context, segment } = candidate;
      if (--candidate.uses === 0 && context.candidates.get(segment.wordHash) === candidate) {
        context.candidates.delete(segment.wordHash);
      }
    }
  }

  #candidate(context: PatternNode<T>, segment: FormSegment): Candidate<T> {
    const known = context.candidates.get(segment.wordHash);
    if (known !== undefined) return known;
    const made = new Candidate(context, segment);
    context.candidates.set(segment.wordHash, made);
    return made;
  }

  #star(node: PatternNode<T>, key: string, place: number, separator: number): PatternNode<T> | undefined {
    const hash = hashOf(separator, STAR);
    return node.children.get(hash) ?? this.#add(node, hash, `${this.scanner.separatorOf(key, place)}*`, true);
  }

  #add(parent: PatternNode<T>, hash: number, text: string, masked: boolean): PatternNode<T> | undefined {
    if (this.#nodes >= this.maxNodes) return undefined;
    this.#nodes++;
    const node = new PatternNode<T>(parent.pattern + text, text, masked);
    parent.children.set(hash, node);
    return node;
  }

  #inherit(node: PatternNode<T>, other: PatternNode<T>): void {
    for (const [hash, { text, children }] of other.children) {
      const shown = node.children.get(hash) ?? this.#add(node, hash, text, node.masked || text.endsWith('*'));
      if (shown !== undefined && children.size > 0) this.#inherit(shown, other.children.get(hash)!);
    }
  }
}
