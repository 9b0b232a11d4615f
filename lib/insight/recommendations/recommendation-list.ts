import type { Clock } from '../../cache/base/clock.js';
import { runAtOnce, runInSlices } from '../../cache/base/slices.js';
import type { LayerEvidence, PatternEvidence } from '../evidence/evidence.js';
import type { Advice, Recommendation } from './recommendation-types.js';
import { adviceOnLayer, adviceOnPattern } from './rules.js';

/** The evidence of all patterns and memory layers. */
export interface EvidenceSource {
  /** Every known pattern. */
  patterns(): Iterable<string>;
  /** Returns undefined for a pattern without requests in the last hour. */
  ofPattern(pattern: string): PatternEvidence | undefined;
  /** Returns the evidence of the memory layers. */
  ofLayers(): Iterable<LayerEvidence>;
}

export interface RecommendationFilter {
  /** Only recommendations for this pattern, such as `feed:*`. @default all, including those for layers */
  readonly pattern?: string | undefined;
}

/** A recommendation that was absent for longer than this gets a new `since` when it returns, milliseconds. */
const FORGOTTEN_MS = 600_000;
const MAX_REMEMBERED = 2_000;
/** A recommendation of an earlier run keeps its `since` if it is found again within this time after the start, milliseconds. */
const AGAIN_WITHIN_MS = 3_600_000;

interface Found {
  readonly since: number;
  seenAt: number;
}

/**
 * Lists the current recommendations, most time saved first. Each reading runs the rules again (`rules.ts`; each `*-recommendations.ts`
 * file contains the rules and texts of one subject). Only the time when a recommendation was first found is stored.
 */
export class RecommendationList {
  readonly #found = new Map<string, Found>();

  constructor(
    private readonly source: EvidenceSource,
    private readonly clock: Clock,
  ) {}

  /** All current recommendations. */
  list(filter: RecommendationFilter = {}): readonly Recommendation[] {
    return runAtOnce(this.#list(filter));
  }

  /** Returns the same as {@link list}, in slices, so that the event loop is not blocked. */
  collect(filter: RecommendationFilter = {}): Promise<readonly Recommendation[]> {
    return runInSlices(this.#list(filter));
  }

  *#list({ pattern }: RecommendationFilter): Generator<void, readonly Recommendation[]> {
    const all: Recommendation[] = [];
    for (const each of pattern === undefined ? this.source.patterns() : [pattern]) {
      all.push(...this.ofPattern(each));
      yield;
    }
    if (pattern === undefined) {
      for (const evidence of this.source.ofLayers()) {
        const { layer } = evidence;
        all.push(...adviceOnLayer(evidence).map((advice) => this.#since(advice, { layer })));
        yield;
      }
    }
    this.#forget();
    return Object.freeze(all.sort(byTimeSaved));
  }

  /** The recommendations for one pattern, most time saved first. */
  ofPattern(pattern: string): readonly Recommendation[] {
    const evidence = this.source.ofPattern(pattern);
    if (evidence === undefined) return [];
    const { declaredBy } = evidence;
    const subject = { pattern, ...(declaredBy !== undefined && { declaredBy }) };
    return adviceOnPattern(evidence)
      .map((advice) => this.#since(advice, subject))
      .sort(byTimeSaved);
  }

  /** The time when each recommendation was first found, for the next run. */
  get found(): ReadonlyMap<string, number> {
    return new Map([...this.#found].map(([id, { since }]) => [id, since]));
  }

  /** Restores these times from an earlier run: a recommendation that is found again within an hour keeps its time. */
  restore(found: ReadonlyMap<string, number>): void {
    const seenAt = this.clock.now() + AGAIN_WITHIN_MS - FORGOTTEN_MS;
    for (const [id, since] of found) if (!this.#found.has(id)) this.#found.set(id, { since, seenAt });
  }

  #since(advice: Advice, subject: Pick<Recommendation, 'pattern' | 'layer' | 'declaredBy'>): Recommendation {
    const id = `${advice.code}:${subject.pattern ?? subject.layer ?? ''}`;
    const now = this.clock.now();
    let found = this.#found.get(id);
    if (found === undefined || now - found.seenAt > FORGOTTEN_MS) found = { since: now, seenAt: now };
    found.seenAt = now;
    // Insert it again, so that the map is sorted by `seenAt`, oldest first.
    this.#found.delete(id);
    this.#found.set(id, found);
    const { code, ...rest } = advice;
    return Object.freeze({ id, code, ...subject, ...rest, since: new Date(found.since).toISOString() });
  }

  #forget(): void {
    const now = this.clock.now();
    for (const [id, { seenAt }] of this.#found) {
      if (now - seenAt <= FORGOTTEN_MS && this.#found.size <= MAX_REMEMBERED) break;
      this.#found.delete(id);
    }
  }
}

function byTimeSaved(a: Recommendation, b: Recommendation): number {
  return b.predicted.timeSavedMsPerHour - a.predicted.timeSavedMsPerHour || (a.id < b.id ? -1 : 1);
}
