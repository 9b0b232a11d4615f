import type { CacheLog } from '../../cache/base/cache-log.js';

/** Reports missing inputs of one handler or method, each once. */
export class MissingInputs {
  readonly #reported = new Set<string>();

  constructor(
    private readonly owner: string,
    private readonly log: CacheLog,
  ) {}

  /**
   * @param input as the decorator names it: `'user.id'`.
   * @param meant the path that was probably meant.
   */
  report(input: string, meant?: string): void {
    if (this.#reported.has(input)) return;
    this.#reported.add(input);
    this.log(
      'warn',
      'VARY_UNDEFINED',
      `${this.owner}: ${input} was undefined, so the call bypassed the cache, as every such call does. ` +
        `${meant === undefined ? '' : `Did you mean '${meant}'? `}Correct the path, or end it with '?' if undefined is a valid value.`,
    );
  }
}
