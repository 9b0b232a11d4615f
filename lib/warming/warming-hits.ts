import { type Clock, systemClock } from '../cache/base/clock.js';
import type { WarmingTarget } from './warming-target.js';

/** The maximum number of watched keys of all passes; beyond it, the oldest watches end. */
const MAX_WATCHED_KEYS = 10_000;
/** The maximum number of patterns per strategy, and of groups per pattern whose entries have not ended. */
const MAX_PATTERNS = 127;
const MAX_GROUPS = 128;
/** Entries warmed within this time form one group, milliseconds. */
const TOGETHER_MS = 60_000;
/** The lifetime assumed for an entry without a known end, milliseconds. */
const UNKNOWN_MS = 86_400_000;
/** If more entries than this have ended, the counts are halved. */
const COUNTED = 1_000;

/** The warmed entries of one strategy and pattern that have ended, and how many of them were read. */
export interface WarmedEntries {
  readonly strategy: string;
  readonly warmed: number;
  readonly read: number;
}

/** Entries of one pattern that were warmed at about the same time. */
interface Group {
  readonly since: number;
  endsAt: number;
  warmed: number;
  read: number;
}

/** Measures which warmed entries are hit before they expire. Bounded: above {@link MAX_WATCHED_KEYS} keys, it is a sample. */
export class WarmingHits {
  readonly #totals = new Map<string, { watched: number; hit: number }>();
  readonly #patterns = new Map<string, Map<string, PatternEntries>>();
  readonly #watches = new Set<{ size: number; stop: () => void; giveUp: () => void }>();
  #watching = 0;

  constructor(
    private readonly target: WarmingTarget,
    private readonly clock: Clock = systemClock,
  ) {}

  /** Opens the watch of one pass. @param onRead called once with each of its entries that is hit. */
  open(strategy: string, onRead?: (key: string) => void): HitWatch {
    let total = this.#totals.get(strategy);
    if (total === undefined) this.#totals.set(strategy, (total = { watched: 0, hit: 0 }));
    return new HitWatch(total, (keys, onHit) => this.#watch(strategy, keys, onHit, onRead));
  }

  /** Returns the share of hit entries in all passes of a strategy, 0–1; null if none was warmed yet. */
  ofStrategy(strategy: string): number | null {
    return share(this.#totals.get(strategy));
  }

  /** Returns the counts of a pattern's entries, by strategy, without entries that may still be read. */
  ofPattern(pattern: string): WarmedEntries[] {
    const found: WarmedEntries[] = [];
    for (const [strategy, patterns] of this.#patterns) {
      const entries = patterns.get(pattern)?.ended(this.clock.now());
      if (entries !== undefined && entries.warmed > 0) found.push({ strategy, ...entries });
    }
    return found;
  }

  /** Resets the counts of a strategy's entries of a pattern. */
  forget(strategy: string, pattern: string): void {
    this.#patterns.get(strategy)?.delete(pattern);
  }

  /** Ends every watch. */
  close(): void {
    for (const { stop } of this.#watches) stop();
    this.#watches.clear();
    this.#watching = 0;
  }

  #watch(strategy: string, keys: readonly string[], onHit: () => void, onRead?: (key: string) => void): number {
    const watched = keys.slice(0, MAX_WATCHED_KEYS);
    const groups = this.#groupsOf(strategy, watched);
    const stop = this.target.watchFirstHit?.(watched, (key) => {
      onHit();
      const group = groups.get(key);
      if (group !== undefined) group.read++;
      groups.delete(key);
      onRead?.(key);
    });
    if (stop === undefined || watched.length === 0) return 0;
    for (const oldest of this.#watches) {
      if (this.#watching + watched.length <= MAX_WATCHED_KEYS) break;
      oldest.stop();
      oldest.giveUp();
      this.#watches.delete(oldest);
      this.#watching -= oldest.size;
    }
    const giveUp = (): void => {
      // Whether these entries are read is unknown without a watch, so they are not counted.
      for (const group of groups.values()) group.warmed--;
    };
    this.#watches.add({ size: watched.length, stop, giveUp });
    this.#watching += watched.length;
    return watched.length;
  }

  /** Returns the group of each key. It is looked up now, because the pattern of a key may change before the key is read. */
  #groupsOf(strategy: string, keys: readonly string[]): Map<string, Group> {
    const ofKeys = new Map<string, Group>();
    const groups = new Map<string, Group>();
    const { target } = this;
    if (target.patternOf === undefined) return ofKeys;
    let patterns = this.#patterns.get(strategy);
    if (patterns === undefined) this.#patterns.set(strategy, (patterns = new Map()));
    for (const key of keys) {
      const pattern = target.patternOf(key);
      let group = groups.get(pattern);
      if (group === undefined) {
        const known = patterns.get(pattern);
        if (known === undefined && patterns.size >= MAX_PATTERNS) continue;
        const entries = known ?? new PatternEntries();
        patterns.set(pattern, entries);
        groups.set(pattern, (group = entries.groupAt(this.clock.now())));
        if (group.warmed === 0) void this.#learnEnd(group, key);
      }
      group.warmed++;
      ofKeys.set(key, group);
    }
    return ofKeys;
  }

  /** Sets the end of a group from its first entry: all entries of a group end at about the same time. */
  async #learnEnd(group: Group, key: string): Promise<void> {
    const endsAt = await this.target.ttl?.(key).catch(() => undefined);
    if (endsAt !== undefined) group.endsAt = endsAt;
  }
}

/** The entries of one pattern that a strategy warmed. */
class PatternEntries {
  #groups: Group[] = [];
  readonly #ended = { warmed: 0, read: 0 };

  groupAt(now: number): Group {
    this.ended(now);
    const last = this.#groups.at(-1);
    if (last !== undefined && now - last.since < TOGETHER_MS) return last;
    if (this.#groups.length >= MAX_GROUPS) this.#end(this.#groups.shift()!);
    const group = { since: now, endsAt: now + UNKNOWN_MS, warmed: 0, read: 0 };
    this.#groups.push(group);
    return group;
  }

  ended(now: number): { readonly warmed: number; readonly read: number } {
    this.#groups = this.#groups.filter((group) => {
      if (group.endsAt > now) return true;
      this.#end(group);
      return false;
    });
    return { ...this.#ended };
  }

  #end({ warmed, read }: Group): void {
    this.#ended.warmed += warmed;
    this.#ended.read += read;
    if (this.#ended.warmed <= COUNTED) return;
    this.#ended.warmed /= 2;
    this.#ended.read /= 2;
  }
}

/** The hits on the entries of one pass. */
export class HitWatch {
  #watched = 0;
  #hit = 0;

  constructor(
    private readonly total: { watched: number; hit: number },
    private readonly begin: (keys: readonly string[], onHit: () => void) => number,
  ) {}

  get watched(): number {
    return this.#watched;
  }

  get hit(): number {
    return this.#hit;
  }

  /** The share of watched entries that were hit, 0–1; null if none was watched. */
  get efficiency(): number | null {
    return share({ watched: this.#watched, hit: this.#hit });
  }

  watch(keys: readonly string[]): void {
    if (keys.length === 0) return;
    const watched = this.begin(keys, () => {
      this.#hit++;
      this.total.hit++;
    });
    this.#watched += watched;
    this.total.watched += watched;
  }
}

function share(counts: { readonly watched: number; readonly hit: number } | undefined): number | null {
  return counts === undefined || counts.watched === 0 ? null : counts.hit / counts.watched;
}
