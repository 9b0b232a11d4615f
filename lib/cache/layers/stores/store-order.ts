import type { Clock } from '../../base/clock.js';
import { globMatcher, type GlobMatcher } from '../../base/glob.js';
import { parseBoundedText } from '../../base/bounded-json.js';
import type { TextStore } from './text-store.js';

/** How long the epochs of tags are stored. Entries with tags live no longer. */
export const TAG_TTL_MS = 30 * 24 * 3_600_000;
const MAX_GLOBS = 100;
const MAX_GLOB_LENGTH = 4_096;
const MAX_TEXT = 1024 * 1024;
/** How far the clock of another process may be ahead, microseconds. */
const AHEAD = 24 * 3_600_000_000;
const NOTING_ATTEMPTS = 3;

/**
 * The order of invalidations in a store without scripts. An epoch is the time of this process's clock in microseconds, never used twice.
 * Each tag has a separate key. If the store cannot list its keys, globs are one short list, which every read also fetches.
 */
export class StoreOrder {
  readonly #store: TextStore;
  readonly #prefix: string;
  readonly #clock: Clock;
  readonly globsKey: string;
  #last = 0;
  #globsText: unknown;
  #globs: readonly { readonly epoch: number; readonly glob: string; readonly matches: GlobMatcher }[] = [];

  constructor(store: TextStore, prefix: string, clock: Clock) {
    this.#store = store;
    this.#prefix = `${prefix}:~tag:`;
    this.#clock = clock;
    this.globsKey = `${prefix}:~globs`;
  }

  next(): number {
    return (this.#last = Math.max(this.#last + 1, Math.floor(this.#clock.now() * 1000)));
  }

  get #latest(): number {
    return Math.floor(this.#clock.now() * 1000) + AHEAD;
  }

  async noteTags(tags: readonly string[]): Promise<void> {
    const text = String(this.next());
    await this.#store.setMany(tags.map((tag) => ({ key: this.#prefix + tag, text, ttlMs: TAG_TTL_MS })));
  }

  /** Returns the epoch of each tag's last invalidation, in one round trip. */
  async epochsOf(tags: Iterable<string>): Promise<ReadonlyMap<string, number>> {
    const names = [...tags];
    if (names.length === 0) return new Map();
    const epochs = await this.#store.getMany(names.map((tag) => this.#prefix + tag));
    const latest = this.#latest;
    return new Map(names.map((tag, index) => [tag, epochIn(epochs[index], latest)]));
  }

  /** Applies a list of globs that a read fetched. */
  readGlobs(text: unknown): void {
    if (text === this.#globsText) return;
    this.#globsText = text;
    this.#globs = globsIn(text, this.#latest).map(([epoch, glob]) => ({ epoch, glob, matches: globMatcher(glob) }));
  }

  /** Adds a glob to the list, and tries again if another process has written the list meanwhile. */
  async noteGlob(glob: string): Promise<void> {
    const epoch = this.next();
    for (let attempt = 0; attempt < NOTING_ATTEMPTS; attempt++) {
      const [before] = await this.#store.getMany([this.globsKey]);
      const list = globsIn(before, this.#latest);
      if (list.some(([noted, other]) => other === glob && noted >= epoch)) return this.readGlobs(before);
      const others = list.filter(([, other]) => other !== glob && glob !== '*');
      // Every read fetches the list, so replace a long list by "everything".
      const next = others.length >= MAX_GLOBS ? [[epoch, '*'] as const] : [...others, [epoch, glob] as const];
      const text = JSON.stringify(next);
      await this.#store.setMany([{ key: this.globsKey, text, ttlMs: undefined }]);
      const [after] = await this.#store.getMany([this.globsKey]);
      this.readGlobs(after);
      if (after === text) return;
    }
  }

  /** Returns false if a glob has invalidated an entry with this key and epoch. */
  valid(key: string, epoch: number): boolean {
    return !this.#globs.some((glob) => glob.epoch > epoch && glob.matches(key));
  }
}

/** Parses a list of globs from untrusted text. Leaves out invalid items. */
function globsIn(text: unknown, latest: number): [epoch: number, glob: string][] {
  if (typeof text !== 'string' || text.length > MAX_TEXT) return [];
  try {
    const list = parseBoundedText(text);
    if (!Array.isArray(list)) return [];
    return (list as unknown[]).filter((one): one is [number, string] => isNote(one, latest)).slice(-MAX_GLOBS);
  } catch {
    return [];
  }
}

function isNote(one: unknown, latest: number): boolean {
  if (!Array.isArray(one)) return false;
  const [epoch, glob] = one as readonly unknown[];
  return isEpoch(epoch, latest) && typeof glob === 'string' && glob.length <= MAX_GLOB_LENGTH;
}

/** Returns the epoch in a text; 0 if it is invalid. */
function epochIn(text: unknown, latest: number): number {
  const epoch = typeof text === 'string' ? Number(text) : 0;
  return isEpoch(epoch, latest) ? epoch : 0;
}

/** Returns true for an epoch in the past, or as far in the future as the clock of another process may be ahead. */
function isEpoch(epoch: unknown, latest: number): epoch is number {
  return Number.isSafeInteger(epoch) && Number(epoch) >= 0 && Number(epoch) <= latest;
}
