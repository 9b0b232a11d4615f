import type { CacheLog } from '../../cache/base/cache-log.js';
import { nearest } from '../../cache/options/unknown-option.js';
import type { CacheInvalidateOptions } from '../options/cached.options.js';
import { keyTemplate } from '../keys/key-template.js';
import { meet, shapeOf } from './tag-names.js';

/** What stands for any text in a glob. */
const WILDCARD = /[*?]|\[[^\]]*\]/;

/**
 * Compares the keys of handlers and methods of one application with those that `@CacheInvalidate` names. Code may write any key, so
 * one that nothing makes is logged only if it resembles one that is made: it is probably misspelt, and old values stay.
 */
export class KeyNames {
  readonly #made = new Map<string, readonly string[]>();
  readonly #named: { readonly owner: string; readonly text: string; readonly literals: readonly string[] }[] = [];

  /** @param statistics the pattern of keys, with `*` for what differs. */
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
