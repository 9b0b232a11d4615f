import type { MetricsState } from '../state/metrics-state.js';
import { OTHER } from '../state/bounded-registry.js';
import { SeriesHandle, type TimedBy } from './series-handle.js';
import type { AccessTrack } from '../windows/access-track.js';
import { KeyScanner } from '../patterns/key-scanner.js';
import { type Candidate, type FormSegment, type PatternNode, PatternTree } from '../patterns/pattern-detection.js';

/** How many forms with hidden words are counted separately, in addition to two per allowed pattern. */
const WAITING = 56;
/** If all these places are in use, one in this many new forms replaces another. */
const ADMITTED_OF = 8;
/** How many forms are examined to find one without another access. */
const LOOKED_AT = 8;

type Node = PatternNode<SeriesHandle>;

/** Keys with the same words in the same places. Some of the words are still hidden. */
interface WaitingForm {
  readonly form: readonly FormSegment[];
  readonly check: number;
  readonly handle: SeriesHandle;
  /** The counts of this form. Its accesses are also counted under its current pattern. */
  readonly apart: AccessTrack;
  candidates: readonly Candidate<SeriesHandle>[];
  /** True if another key of this form was accessed after the form was last examined. */
  askedAgain: boolean;
}

/**
 * The series of keys that no handler declared. A key with hidden words is counted twice: under its pattern, and separately for its form.
 * When one of these words is shown, the separate counts move from the old pattern to the new one. The number of forms with separate counts
 * is limited. Without a separate track, the counts from before a word is shown stay under the coarser pattern.
 */
export class UndeclaredSeries {
  readonly #state: MetricsState;
  readonly #timed: () => TimedBy;
  readonly #scanner: KeyScanner;
  readonly #tree: PatternTree<SeriesHandle>;
  readonly #maxWaiting: number;
  /** Forms by their hashes, the oldest first. */
  readonly #waiting = new Map<number, WaitingForm>();
  readonly #spare: AccessTrack[] = [];
  #refused = 0;
  #other: SeriesHandle | undefined;

  /** @param timed returns how a series is timed; called for each series. @param seed the seed of hashes, any whole number. */
  constructor(state: MetricsState, options: { maxPatterns: number; timed: () => TimedBy; seed: number }) {
    const { maxPatterns, timed, seed } = options;
    this.#state = state;
    this.#timed = timed;
    this.#scanner = new KeyScanner(seed);
    this.#tree = new PatternTree(this.#scanner, 64 + 8 * maxPatterns);
    this.#maxWaiting = WAITING + 2 * maxPatterns;
  }

  seriesOf(key: string): SeriesHandle {
    this.#scanner.scan(key);
    const node = this.#tree.resolve(key);
    if (node === undefined) return this.#overflow();
    return this.#tree.hidden.count === 0 ? this.#plain(node) : this.#hidden(key, node);
  }

  /** Returns the pattern of a key. Counts nothing. */
  patternOf(key: string): string {
    this.#scanner.scan(key);
    return this.#tree.resolve(key)?.pattern ?? OTHER;
  }

  #plain(node: Node): SeriesHandle {
    if (node.owned !== undefined) return node.owned;
    const byPattern = this.#state.patterns.admit(node.pattern);
    byPattern.users++;
    return (node.owned = new SeriesHandle(byPattern.name, undefined, { byPattern, bySide: undefined }, this.#timed()));
  }

  #overflow(): SeriesHandle {
    const byPattern = this.#state.patterns.overflow();
    return (this.#other ??= new SeriesHandle(OTHER, undefined, { byPattern, bySide: undefined }, this.#timed()));
  }

  #hidden(key: string, node: Node): SeriesHandle {
    const tree = this.#tree;
    const known = this.#waiting.get(tree.formHash);
    if (known !== undefined) known.askedAgain = true;
    const waiting = known?.check === tree.formCheck ? known : known === undefined ? this.#begin(key, node) : undefined;
    const { hidden } = tree;
    const proved: Candidate<SeriesHandle>[] = [];
    for (let at = 0; at < hidden.count; at++) {
      const candidate = tree.candidateOf(key, at);
      if (candidate?.seen(hidden.identifiers[at]!, this.#scanner.hash) === true) proved.push(candidate);
    }
    for (const candidate of proved) this.#show(candidate);
    return waiting?.handle ?? this.#plain(node);
  }

  /** Begins to count a new form separately, if there is a place for it. */
  #begin(key: string, node: Node): WaitingForm | undefined {
    if (this.#waiting.size >= this.#maxWaiting) {
      if (this.#refused++ % ADMITTED_OF !== 0) return undefined;
      this.#giveUpOne();
    }
    const { formHash, formCheck } = this.#tree;
    const form = this.#tree.form(key);
    const { candidates } = this.#tree.resolveForm(form);
    const byPattern = this.#state.patterns.admit(node.pattern);
    byPattern.users++;
    const apart = this.#spare.pop() ?? this.#state.apart();
    const handle = new SeriesHandle(byPattern.name, undefined, { byPattern, bySide: apart }, this.#timed());
    const waiting = { form, check: formCheck, handle, apart, candidates, askedAgain: false };
    for (const candidate of candidates) candidate.uses++;
    this.#waiting.set(formHash, waiting);
    return waiting;
  }

  /** Stops the separate counts of the oldest form without another access. */
  #giveUpOne(): void {
    let looked = 0;
    for (const [hash, waiting] of this.#waiting) {
      if (waiting.askedAgain && looked++ < LOOKED_AT) {
        waiting.askedAgain = false;
        this.#waiting.delete(hash);
        this.#waiting.set(hash, waiting);
        continue;
      }
      return this.#end(hash, waiting);
    }
  }

  /** Counts a form only under its pattern from now on. */
  #end(hash: number, { handle, apart, candidates }: WaitingForm): void {
    this.#waiting.delete(hash);
    this.#tree.release(candidates);
    handle.count({ byPattern: handle.byPattern!, bySide: undefined });
    apart.reset(this.#state.since);
    this.#spare.push(apart);
  }

  #show(candidate: Candidate<SeriesHandle>): void {
    if (!this.#tree.hasRoom || !this.#state.patterns.hasRoom) return;
    this.#tree.show(candidate);
    for (const [hash, waiting] of this.#waiting) {
      if (waiting.candidates.includes(candidate)) this.#refine(hash, waiting);
    }
  }

  #refine(hash: number, waiting: WaitingForm): void {
    const { handle, apart } = waiting;
    const { node, candidates } = this.#tree.resolveForm(waiting.form);
    if (node === undefined) return;
    const from = handle.byPattern!;
    const to = this.#state.patterns.admit(node.pattern);
    if (to !== from) {
      this.#state.move(apart, from, to);
      to.users++;
      from.users--;
      this.#state.dropUnused(from);
    }
    for (const candidate of candidates) candidate.uses++;
    this.#tree.release(waiting.candidates);
    waiting.candidates = candidates;
    handle.count({ byPattern: to, bySide: apart });
    if (candidates.length === 0) this.#end(hash, waiting);
  }
}
