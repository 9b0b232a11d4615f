import type { Entry } from '../../entries/entry.js';
import { globMatcher, type GlobMatcher } from '../../base/glob.js';
import type { Layer } from '../layer.js';

const MAX_KEYS = 10_000;
const MAX_TAGS = 1_000;
const MAX_GLOBS = 100;
const KEYS_AT_ONCE = 500;

interface NotedGlob {
  readonly turn: number;
  /** A time of this process, milliseconds. Entries created later are newer than the invalidation. */
  readonly madeUntil: number;
  readonly matches: GlobMatcher;
}

/**
 * Invalidations that could not reach a layer. Until they are applied, the entries concerned are hidden from readers, so that no value that
 * was invalidated during an outage is returned. If there are too many invalidations, everything counts as invalidated.
 */
export class InvalidationBacklog {
  /** The turn in which each key was added. A key that is added again while it is applied gets a later turn and stays. */
  readonly #keys = new Map<string, number>();
  readonly #tags = new Map<string, number>();
  readonly #globs = new Map<string, NotedGlob>();
  #all: Omit<NotedGlob, 'matches'> | undefined;
  #turn = 0;

  get empty(): boolean {
    return this.#all === undefined && this.#keys.size + this.#tags.size + this.#globs.size === 0;
  }

  get size(): number {
    return this.#keys.size + this.#tags.size + this.#globs.size + (this.#all === undefined ? 0 : 1);
  }

  addKeys(keys: Iterable<string>, now: number): void {
    for (const key of keys) this.#keys.set(key, this.#turn);
    this.#bound(now);
  }

  addTags(tags: Iterable<string>, now: number): void {
    for (const tag of tags) this.#tags.set(tag, this.#turn);
    this.#bound(now);
  }

  addGlob(glob: string, now: number): void {
    this.#globs.set(glob, { turn: this.#turn, madeUntil: now, matches: globMatcher(glob) });
    this.#bound(now);
  }

  addAll(now: number): void {
    this.#all = { turn: this.#turn, madeUntil: now };
    this.#keys.clear();
    this.#tags.clear();
    this.#globs.clear();
  }

  /** Call this when a newer value has replaced the key's entry. */
  superseded(key: string): void {
    this.#keys.delete(key);
  }

  /** Returns true if an entry from the layer was invalidated. */
  hides(key: string, entry: Entry): boolean {
    if (this.#keys.has(key) || (this.#all !== undefined && entry.createdAt <= this.#all.madeUntil)) return true;
    if (this.#tags.size > 0 && entry.tags.some((tag) => this.#tags.has(tag))) return true;
    for (const { madeUntil, matches } of this.#globs.values()) {
      if (entry.createdAt <= madeUntil && matches(key)) return true;
    }
    return false;
  }

  /** Applies all invalidations. Those that fail stay, and the first failure is thrown. */
  async applyTo(layer: Layer): Promise<void> {
    const turn = this.#turn++;
    if (this.#all !== undefined) {
      await layer.clear(this.#all.madeUntil);
      // An invalidation that was added while the layer was cleared has a later turn. Keep it.
      if (this.#all.turn <= turn) this.#all = undefined;
    }
    if (this.#tags.size > 0) {
      await layer.invalidateTags([...this.#tags.keys()]);
      forget(this.#tags, (noted) => noted <= turn);
    }
    for (const [glob, { madeUntil }] of [...this.#globs]) {
      await layer.deleteByPattern(glob, madeUntil);
      if ((this.#globs.get(glob)?.turn ?? Infinity) <= turn) this.#globs.delete(glob);
    }
    const keys = [...this.#keys.keys()];
    for (let from = 0; from < keys.length; from += KEYS_AT_ONCE) {
      const part = keys.slice(from, from + KEYS_AT_ONCE);
      await layer.deleteMany(part);
      for (const key of part) if ((this.#keys.get(key) ?? Infinity) <= turn) this.#keys.delete(key);
    }
  }

  #bound(now: number): void {
    if (
      this.#all !== undefined ||
      this.#keys.size > MAX_KEYS ||
      this.#tags.size > MAX_TAGS ||
      this.#globs.size > MAX_GLOBS
    )
      this.addAll(now);
  }
}

function forget(noted: Map<string, number>, done: (turn: number) => boolean): void {
  for (const [name, turn] of noted) if (done(turn)) noted.delete(name);
}
