import { type GlobMatcher, globMatcher } from '../cache/base/glob.js';
import { keyHash } from './stream/key-hash.js';

const MOST_TAGS = 4_096;
const MOST_GLOBS = 64;

/** An invalidation, with its number in their order. */
interface Note {
  readonly order: number;
  readonly at: number;
}

const NEVER: Note = { order: 0, at: 0 };

/**
 * Stores invalidations by tag, by glob and of everything. A key is compared with them at its next access, instead of at each
 * invalidation. Tags are stored as 16-bit hashes. The number is bounded: the oldest are dropped.
 */
export class InvalidationNotes {
  /** The number of invalidations so far. */
  order = 0;
  readonly #tags = new Map<number, Note>();
  #globs: { readonly matches: GlobMatcher; readonly note: Note }[] = [];
  #all = NEVER;

  tags(tags: readonly string[], at: number): void {
    const note = { order: ++this.order, at };
    for (const tag of tags) {
      const hash = tagHash(tag);
      this.#tags.delete(hash);
      this.#tags.set(hash, note);
    }
    while (this.#tags.size > MOST_TAGS) this.#tags.delete(this.#tags.keys().next().value!);
  }

  glob(glob: string, at: number): void {
    this.#globs.push({ matches: globMatcher(glob), note: { order: ++this.order, at } });
    if (this.#globs.length > MOST_GLOBS) this.#globs.shift();
  }

  all(at: number): void {
    this.#all = { order: ++this.order, at };
    this.#globs = [];
    this.#tags.clear();
  }

  /**
   * Returns the time of the last invalidation after `since` that concerns a key; 0 if there was none.
   * @param tags the tags' hashes begin at `from`; 0 stands for no tag.
   */
  last(since: number, key: string, tags: Uint16Array | undefined, from: number, count: number): number {
    let last = this.#all.order > since ? this.#all.at : 0;
    if (tags !== undefined) {
      for (let at = from; at < from + count; at++) {
        if (tags[at] === 0) break;
        const note = this.#tags.get(tags[at]!);
        if (note !== undefined && note.order > since) last = Math.max(last, note.at);
      }
    }
    for (const { matches, note } of this.#globs) {
      if (note.order > since && matches(key)) last = Math.max(last, note.at);
    }
    return last;
  }
}

/** Returns the hash of a tag, 16 bits, never 0. */
export function tagHash(tag: string): number {
  return keyHash(tag, 0x51ed270b) & 0xffff || 1;
}
