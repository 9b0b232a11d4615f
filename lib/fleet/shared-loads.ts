import type { Clock } from '../cache/base/clock.js';
import type { ReportedLoad } from '../cache/entries/access-stream.js';
import type { SharedMap } from '../cache/layers/layer.js';
import { keyHash } from '../insight/stream/key-hash.js';
import type { SharedLoadEvidence } from '../insight/evidence/evidence.js';
import { LoadNotes, type OtherNotes, readNotes } from './load-notes.js';
import { SharedNotes } from './shared-notes.js';

/*
 * Detects loads that ran while another instance loaded the same key.
 *
 * Each instance publishes the hashes and times of its loads, for a sample of keys that is the same in all instances: the keys with the
 * smallest hashes. An instance with many loads publishes a smaller share of its keys; only keys that both instances publish are
 * compared. A load is compared after all others have had time to publish theirs. The clocks of instances differ by milliseconds, which
 * is small compared with slow loads.
 */

/** The salt of the hashes, the same in all instances. */
const SALT = 0x3c6ef372;
/** The number of intervals after which loads are compared, and for which notes are stored. */
const COMPARED_AFTER = 2;
const KEPT = 4;
const MOST_PATTERNS = 127;
/** The half-life of the counts, milliseconds. */
const FADE_MS = 1_800_000;

export interface SharedLoadsOptions {
  readonly insight: {
    listen(listener: {
      accessed(): void;
      loaded(key: string, hash: number, pattern: string, load: ReportedLoad): void;
    }): () => void;
    addSharedLoads(source: (pattern: string) => SharedLoadEvidence | undefined): void;
  };
  /** Undefined if no layer can store notes. */
  readonly sharedMap: SharedMap | undefined;
  /** The interval between exchanges, milliseconds; undefined if `fleet` is off. */
  readonly everyMs: number | undefined;
  readonly clock: Clock;
}

interface Overlaps {
  loads: number;
  overlapping: number;
  /** The number of loads that a lock would avoid: of loads at the same time, one remains. */
  spared: number;
}

/** Compares the loads of the instances of a fleet, for the recommendation to share them. */
export class SharedLoads {
  readonly #own = new LoadNotes();
  readonly #overlaps = new Map<string, Overlaps>();
  #instances = 1;
  #comparedUntil = 0;
  #fadedAt = 0;
  #stopListening: () => void = () => undefined;
  #shared: SharedNotes | undefined;

  constructor(private readonly options: SharedLoadsOptions) {}

  onApplicationBootstrap(): void {
    const { insight, sharedMap, everyMs, clock } = this.options;
    if (sharedMap === undefined || everyMs === undefined) return;
    this.#comparedUntil = this.#fadedAt = clock.now();
    this.#stopListening = insight.listen({
      accessed: () => undefined,
      loaded: (key, _, pattern, { at, durationMs }) =>
        this.#own.add(keyHash(key, SALT) >>> 0, pattern, at - durationMs, at),
    });
    insight.addSharedLoads((pattern) => this.of(pattern));
    const shared = new SharedNotes(sharedMap, clock);
    shared.exchangeEvery(everyMs, () => this.#exchange(shared, everyMs));
    this.#shared = shared;
  }

  async onApplicationShutdown(): Promise<void> {
    this.#stopListening();
    await this.#shared?.stop();
  }

  /** Returns undefined until a load of the pattern has been compared. */
  of(pattern: string): SharedLoadEvidence | undefined {
    const overlaps = this.#overlaps.get(pattern);
    return overlaps === undefined ? undefined : { ...overlaps, instances: this.#instances };
  }

  async #exchange(shared: SharedNotes, everyMs: number): Promise<void> {
    const { clock } = this.options;
    this.#own.forget(clock.now() - KEPT * everyMs);
    await shared.publish(this.#own.bytes(), KEPT * everyMs);
    const noted = await shared.others(readNotes);
    if (noted === undefined) return;
    const others = [...noted.values()];
    this.#instances = 1 + others.length;
    const until = clock.now() - COMPARED_AFTER * everyMs;
    if (others.length > 0) this.#compare(others, until);
    this.#comparedUntil = until;
    this.#fade(clock.now());
  }

  #compare(others: readonly OtherNotes[], until: number): void {
    const limit = Math.min(this.#own.limit, ...others.map((other) => other.limit));
    for (const { hash, pattern, startedAt, endedAt } of this.#own.list) {
      if (hash >= limit || endedAt <= this.#comparedUntil || endedAt > until) continue;
      const overlaps = this.#overlapsOf(pattern);
      if (overlaps === undefined) continue;
      overlaps.loads += 1;
      const alike = others.filter(({ loads }) =>
        loads.some((load) => load.hash === hash && load.startedAt < endedAt && startedAt < load.endedAt),
      ).length;
      if (alike === 0) continue;
      overlaps.overlapping += 1;
      overlaps.spared += alike / (alike + 1);
    }
  }

  #overlapsOf(pattern: string): Overlaps | undefined {
    const known = this.#overlaps.get(pattern);
    if (known !== undefined || this.#overlaps.size >= MOST_PATTERNS) return known;
    const made = { loads: 0, overlapping: 0, spared: 0 };
    this.#overlaps.set(pattern, made);
    return made;
  }

  #fade(now: number): void {
    if (now - this.#fadedAt < FADE_MS) return;
    this.#fadedAt = now;
    for (const overlaps of this.#overlaps.values()) {
      overlaps.loads *= 0.5;
      overlaps.overlapping *= 0.5;
      overlaps.spared *= 0.5;
    }
  }
}
