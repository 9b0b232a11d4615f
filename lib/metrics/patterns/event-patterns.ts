import { KeyScanner } from './key-scanner.js';
import { type Candidate, PatternTree } from './pattern-detection.js';

/** The most forms with hidden words that are stored. */
const REMEMBERED = 128;
const MAX_NODES = 1_024;

/** Detects the patterns of keys that are not counted, such as those of an event, by the rules of {@link PatternTree}. */
export class EventPatterns {
  readonly #scanner = new KeyScanner(Math.floor(Math.random() * 0x1_0000_0000));
  readonly #tree = new PatternTree<never>(this.#scanner, MAX_NODES);
  readonly #remembered = new Map<number, readonly Candidate<never>[]>();

  /** Learns from all of these keys, then returns their patterns. */
  patternsOf(keys: Iterable<string>): Set<string> {
    const all = [...keys];
    for (const key of all) this.#learn(key);
    return new Set(all.map((key) => this.#resolved(key)?.pattern ?? '*'));
  }

  #resolved(key: string) {
    this.#scanner.scan(key);
    return this.#tree.resolve(key);
  }

  #learn(key: string): void {
    if (this.#resolved(key) === undefined || this.#tree.hidden.count === 0) return;
    const { hidden, formHash } = this.#tree;
    if (!this.#remembered.has(formHash)) {
      const { candidates } = this.#tree.resolveForm(this.#tree.form(key));
      for (const candidate of candidates) candidate.uses++;
      this.#remembered.set(formHash, candidates);
      if (this.#remembered.size > REMEMBERED) this.#forgetOldest();
    }
    for (let at = 0; at < hidden.count; at++) {
      const candidate = this.#tree.candidateOf(key, at);
      if (candidate?.seen(hidden.identifiers[at]!, this.#scanner.hash) === true) this.#tree.show(candidate);
    }
  }

  #forgetOldest(): void {
    for (const [form, candidates] of this.#remembered) {
      this.#remembered.delete(form);
      return this.#tree.release(candidates);
    }
  }
}
