import type { Clock } from '../../cache/base/clock.js';
import { runAtOnce, runInSlices } from '../../cache/base/slices.js';
import type { LayerEvidence, PatternEvidence } from '../evidence/evidence.js';
import type { Advice, Recommendation } from './recommendation-types.js';
import { adviceOnLayer, adviceOnPattern } from './rules.js';

/** The source of the evidence. */
export interface EvidenceSource {
  /** Every known pattern. */
  patterns(): Iterable<string>;
  /** Undefined for a pattern without requests in the last hour. */
  ofPattern(pattern: string): PatternEvidence | undefined;
  /** Of the memory layers. */
  ofLayers(): Iterable<LayerEvidence>;
}

export interface RecommendationFilter {
  /** Only recommendations for this pattern, such as `feed:*`. @default all, including those for layers */
  readonly pattern?: string | undefined;
}

/** A recommendation that was absent for longer than this gets a new `since` when it returns, milliseconds. */
const FORGOTTEN_MS = 600_000;
const MAX_REMEMBERED = 2_000;
/** How long after a start the earlier evidence may be missing. */
const AGAIN_WITHIN_MS = 3_600_000;

interface Found {
  readonly since: number;
  seenAt: number;
}

/**
 * Lists the current recommendations, most time saved first. Each reading runs the rules again (`rules.ts`; each `*-recommendations.ts`
 * file holds the rules and texts of one subject); only the time when a recommendation was first found is remembered.
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

  /** As {@link list}, in slices, so that the event loop stays free. */
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

  /** The first time of each recommendation, for the next run. */
  get found(): ReadonlyMap<string, number> {
    return new Map([...this.#found].map(([id, { since }]) => [id, since]));
  }

  /** Restores the first times of an earlier run: a recommendation that is found again within an hour keeps its time. */
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
    // Set again, so that the oldest come first.
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
