import type { CacheLog } from '../../cache/base/cache-log.js';
import { type GlobMatcher, globMatcher } from '../../cache/base/glob.js';
import { redactedMessage } from '../../cache/base/redacted-error.js';
import { inSameTurn } from '../../cache/base/thenable.js';

class Declared {
  /** The number of characters that are not `*`. A longer pattern is more specific. */
  readonly length: number;
  /** Compiled when the first key is compared, because keys of handlers need no comparison. */
  #matcher: GlobMatcher | undefined;

  constructor(readonly pattern: string) {
    this.length = pattern.replaceAll('*', '').length;
  }

  fits(key: string): boolean {
    return (this.#matcher ??= globMatcher(this.pattern))(key);
  }
}

/** How many keys are cached with the result of `patternOf`. The same number of earlier keys is cached, too. */
const REMEMBERED_KEYS = 1024;

/** Returns the pattern under which a declared template is counted: `product:{params.id}` → `product:*`. */
export function patternOfTemplate(template: string): string {
  return template.includes('{') ? template.replace(/\{[^{}]*\}/g, '*') : template;
}

/** The patterns that the application gives its keys, by `metrics.patternOf` and by the declarations of its handlers. */
export class DeclaredPatterns {
  readonly #declared = new Map<string, Declared>();
  /** The patterns that may match a key, by the key's first character, the most specific first. */
  readonly #byFirst = new Map<number, readonly Declared[]>();
  #ownByKey = new Map<string, string | undefined>();
  #ownByOlderKey = new Map<string, string | undefined>();
  #failed = false;

  constructor(
    private readonly patternOf: ((key: string) => string | undefined) | undefined,
    private readonly log: CacheLog | undefined,
  ) {}

  /** Adds a pattern. A pattern that matches every key is ignored, because nothing would be left to detect. */
  add(pattern: string): void {
    if (/^\**$/.test(pattern) || this.#declared.has(pattern)) return;
    this.#declared.set(pattern, new Declared(pattern));
    this.#byFirst.clear();
  }

  /** Returns the pattern that the application gives a key. The option takes precedence over declarations. */
  of(key: string): string | undefined {
    const own = this.patternOf === undefined ? undefined : this.#remembered(key, this.patternOf);
    if (own !== undefined) return own;
    if (this.#declared.size === 0) return undefined;
    for (const declared of this.#mayFit(key)) if (declared.fits(key)) return declared.pattern;
    return undefined;
  }

  #remembered(key: string, patternOf: (key: string) => string | undefined): string | undefined {
    if (this.#ownByKey.has(key)) return this.#ownByKey.get(key);
    const own = this.#ownByOlderKey.has(key) ? this.#ownByOlderKey.get(key) : this.#own(key, patternOf);
    if (this.#ownByKey.size >= REMEMBERED_KEYS) {
      this.#ownByOlderKey = this.#ownByKey;
      this.#ownByKey = new Map();
    }
    this.#ownByKey.set(key, own);
    return own;
  }

  #own(key: string, patternOf: (key: string) => string | undefined): string | undefined {
    try {
      const pattern: unknown = inSameTurn(patternOf(key), 'metrics.patternOf');
      return typeof pattern === 'string' && pattern !== '' ? pattern : undefined;
    } catch (error) {
      if (!this.#failed) {
        this.#failed = true;
        this.log?.(
          'warn',
          'PATTERN_OF_FAILED',
          `metrics.patternOf failed: ${redactedMessage(error)}. The patterns of such keys are detected instead.`,
        );
      }
      return undefined;
    }
  }

  #mayFit(key: string): readonly Declared[] {
    const first = key.charCodeAt(0);
    const known = this.#byFirst.get(first);
    if (known !== undefined) return known;
    // A set, `?` or escape at the start may match any character.
    const fitting = [...this.#declared.values()]
      .filter(({ pattern }) => pattern.charCodeAt(0) === first || /^[*?[\\]/.test(pattern))
      .sort((one, other) => other.length - one.length);
    if (this.#byFirst.size < 256) this.#byFirst.set(first, fitting);
    return fitting;
  }
}
