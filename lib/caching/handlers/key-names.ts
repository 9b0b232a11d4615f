import type { CacheLog } from '../../cache/base/cache-log.js';
import { nearest } from '../../cache/options/unknown-option.js';
import type { CacheInvalidateOptions } from '../options/cached.options.js';
import { keyTemplate } from '../keys/key-template.js';
import { meet, shapeOf } from './tag-names.js';

/** Matches the wildcards of a glob. */
const WILDCARD = /[*?]|\[[^\]]*\]/;

/**
 * Compares the keys that handlers and methods of one application make with the keys that `@CacheInvalidate` names. Other code
 *   may write any key, so a key that no handler makes is logged only if it resembles one that a handler makes. Then it is
 *   probably misspelt, and stale entries stay.
 */
export class KeyNames {
  readonly #made = new Map<string, readonly string[]>();
  readonly #named: { readonly owner: string; readonly text: string; readonly literals: readonly string[] }[] = [];

  /** @param statistics the pattern of the keys, with `*` for values. */
  make(statistics: string): void {
    this.#made.set(statistics, statistics.split('*'));
  }

  name({ keys = [], patterns = [] }: CacheInvalidateOptions, owner: string): void {
    for (const text of keys) this.#add(text, owner, (literal) => [literal]);
    for (const text of patterns) this.#add(text, owner, (literal) => literal.split(WILDCARD));
  }

  report(log: CacheLog): void {
    const made = [...this.#made];
    for (const { owner, text, literals } of this.#named) {
      if (made.some(([, other]) => meet(literals, other))) continue;
      const meant = nearest(
        shapeOf({ literals }),
        made.map(([statistics]) => statistics),
      );
      if (meant === undefined) continue;
      log(
        'warn',
        'UNKNOWN_KEYS',
        `${owner}: no @Cached handler or method makes a key that '${text}' invalidates. Did you mean '${meant}'? Ignore this if code ` +
          'writes such keys.',
      );
    }
  }

  #add(text: string, owner: string, split: (literal: string) => string[]): void {
    try {
      this.#named.push({ owner, text, literals: keyTemplate(text).literals.flatMap(split) });
    } catch {
      // An invalid template is reported when it is compiled.
    }
  }
}
