import type { ReportedLoad } from '../../cache/entries/access-stream.js';
import type { PatternDeclaration } from '../../metrics/judgement.js';
import type { AccessListener, TrackedAccess } from '../stream/tracked-access.js';
import { KeyTemplateText } from './key-parts.js';
import { type ObservedLoad, PartHashes, PatternObservation } from './pattern-observation.js';

/*
 * Collects facts that statistics do not count, for the recommendations: how keys repeat, what reloads return, how entries end.
 *
 * There are two sources. The sampled accesses show the events of single keys over time. A sample of whole keys cannot show how keys
 * would repeat without one of their inputs. So every load is reported too, and each simulation samples its own shortened keys.
 */

/** The maximum number of observed patterns. */
const MOST_PATTERNS = 127;
/** The half-life of the counts, milliseconds. */
const FADE_MS = 1_800_000;

export interface EvidenceCollectorOptions {
  /** When the cache was created, milliseconds since the epoch. */
  readonly startedAt: number;
  /** The salt of the hashes. */
  readonly salt: number;
  /** The TTL of values without their own policy, milliseconds. */
  readonly ttlMs: number;
  /** The declaration of a pattern. */
  readonly declared: (pattern: string) => PatternDeclaration | undefined;
}

/** Collects the evidence of each pattern; bounded. */
export class EvidenceCollector implements AccessListener {
  readonly #patterns = new Map<string, Observed>();
  readonly #hashing: PartHashes;
  readonly #load: ObservedLoad = {
    key: '', hash: 0, at: 0, ttlMs: 0, staleMs: -1, empty: false, value: undefined, digestOf: () => 0,
  }; // prettier-ignore

  constructor(private readonly options: EvidenceCollectorOptions) {
    this.#hashing = new PartHashes(options.salt);
  }

  of(pattern: string): PatternObservation | undefined {
    return this.#patterns.get(pattern)?.observation;
  }

  accessed(access: TrackedAccess): void {
    this.#observed(access.pattern)?.observation.accessed(access);
  }

  /** A load of any key. */
  loaded(
    key: string,
    hash: number,
    pattern: string,
    { value, entry, at }: ReportedLoad,
    digestOf: (value: unknown) => number,
  ): void {
    const observed = this.#observed(pattern);
    if (observed === undefined) return;
    if (entry !== undefined) observed.ttlMs = entry.freshUntil - at;
    if (observed.template === undefined) observed.template = this.#templateOf(pattern);
    const load = this.#load;
    load.key = key;
    load.hash = hash >>> 0;
    load.at = at;
    load.ttlMs = observed.ttlMs;
    load.staleMs = entry === undefined ? -1 : entry.staleUntil - entry.freshUntil;
    load.empty = entry === undefined && (value === null || value === undefined);
    load.value = value;
    load.digestOf = digestOf;
    observed.observation.loaded(load, observed.template ?? undefined);
    load.key = '';
    load.value = undefined;
  }

  #observed(pattern: string): Observed | undefined {
    const known = this.#patterns.get(pattern);
    if (known !== undefined || this.#patterns.size >= MOST_PATTERNS || pattern === '') return known;
    const { startedAt, ttlMs, declared } = this.options;
    const observation = new PatternObservation(this.#hashing, startedAt, FADE_MS);
    const made: Observed = { observation, ttlMs: declared(pattern)?.ttlMs ?? ttlMs, template: undefined };
    this.#patterns.set(pattern, made);
    return made;
  }

  /** Returns null if the parts of keys are found by separators. */
  #templateOf(pattern: string): KeyTemplateText | null {
    const text = this.options.declared(pattern)?.text;
    return text === undefined || !text.includes('{') ? null : new KeyTemplateText(text);
  }
}

interface Observed {
  readonly observation: PatternObservation;
  /** The TTL of the last value. */
  ttlMs: number;
  /** Undefined until the first load. */
  template: KeyTemplateText | null | undefined;
}
