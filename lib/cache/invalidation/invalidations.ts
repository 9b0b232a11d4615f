import type { Entry } from '../entries/entry.js';
import { globMatcher, type GlobMatcher } from '../base/glob.js';

/**
 * Orders the invalidations of this process. Each invalidation gets the next epoch. A value that was read or loaded since an earlier epoch is not
 * stored if its key or a tag was invalidated in between. A stored entry is refused if one of its tags was invalidated after its epoch.
 *
 * Memory is bounded. The oldest tags are forgotten; then every tag that is not remembered counts as invalidated when the last of them was. Keys and
 * globs are remembered only while a read or load runs.
 */
export class Invalidations {
  #epoch = 0;
  #running = 0;
  readonly #limit: number;
  /** Oldest first. */
  readonly #tags = new Map<string, number>();
  #forgottenTags = 0;
  readonly #keys = new Map<string, number>();
  #forgottenKeys = 0;
  #globs: { readonly matches: GlobMatcher; readonly epoch: number }[] = [];
  #all = 0;

  constructor(limit = 10_000) {
    this.#limit = limit;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Call this before a read or load whose value may be stored, and {@link end} after it. @returns the current epoch. */
  begin(): number {
    this.#running++;
    return this.#epoch;
  }

  end(): void {
    if (--this.#running > 0) return;
    this.#running = 0;
    // Usually nothing was invalidated in between. To clear empty collections would allocate at each load.
    if (this.#keys.size > 0) this.#keys.clear();
    if (this.#globs.length > 0) this.#globs = [];
    this.#forgottenKeys = 0;
  }

  key(key: string): void {
    const epoch = ++this.#epoch;
    if (this.#running > 0) this.#noteKey(key, epoch);
  }

  keys(keys: readonly string[]): void {
    const epoch = ++this.#epoch;
    if (this.#running > 0) for (const key of keys) this.#noteKey(key, epoch);
  }

  glob(glob: string): void {
    const epoch = ++this.#epoch;
    if (this.#running === 0) return;
    this.#globs.push({ matches: globMatcher(glob), epoch });
    if (this.#globs.length > 1_000) this.#forgottenKeys = Math.max(this.#forgottenKeys, this.#globs.shift()!.epoch);
  }

  tags(tags: readonly string[]): void {
    const epoch = ++this.#epoch;
    for (const tag of tags) {
      this.#tags.delete(tag);
      this.#tags.set(tag, epoch);
    }
    while (this.#tags.size > this.#limit) {
      const [oldest, when] = this.#tags.entries().next().value!;
      this.#tags.delete(oldest);
      this.#forgottenTags = Math.max(this.#forgottenTags, when);
    }
  }

  all(): void {
    this.#all = ++this.#epoch;
  }

  /** Returns true if an invalidation after `since` concerns this key or one of these tags. */
  concernedSince(since: number, key: string, tags: readonly string[]): boolean {
    if (this.#epoch === since) return false;
    if (this.#all > since || (this.#keys.get(key) ?? this.#forgottenKeys) > since) return true;
    return this.#newerTag(since, tags) || this.#globs.some(({ matches, epoch }) => epoch > since && matches(key));
  }

  /** Returns false if one of the entry's tags was invalidated after the entry's load began. */
  current(entry: Entry): boolean {
    return entry.epoch === this.#epoch || !this.#newerTag(entry.epoch, entry.tags);
  }

  #newerTag(since: number, tags: readonly string[]): boolean {
    for (const tag of tags) if ((this.#tags.get(tag) ?? this.#forgottenTags) > since) return true;
    return false;
  }

  #noteKey(key: string, epoch: number): void {
    this.#keys.delete(key);
    this.#keys.set(key, epoch);
    if (this.#keys.size <= this.#limit) return;
    const [oldest, when] = this.#keys.entries().next().value!;
    this.#keys.delete(oldest);
    this.#forgottenKeys = Math.max(this.#forgottenKeys, when);
  }
}
