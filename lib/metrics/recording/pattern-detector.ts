import type { CacheLog } from '../../cache/cache-log.js';

export interface PatternDetectorOptions {
  /** Decides first; undefined leaves a key to the detection. One that throws is logged once. */
  readonly patternOf?: (key: string) => string | undefined;
  readonly log?: CacheLog;
}

/** Separators that structure a key and stay in its pattern. */
const SEPARATORS = /([:/|?&#,;= ]+)/;
/** Separators inside a segment: they part words from numbers, `user-42`, but belong to an identifier as a whole. */
const INNER_SEPARATORS = /([-_.]+)/;

/** How the keys of handlers and methods hold what is no text, and text that could be taken for that. */
const ENCODED = /^~|^'.*'$/;
const UUID = /^\{?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}?$/i;
const NUMBER = /^[+-]?\d+(?:[.,_-]\d+)*(?:[TZ]|ms|s)?$/i;
const DATE_TIME = /^\d{4}-\d{2}-\d{2}T[\d.+-]*Z?$/i;
const HASH = /^(?:0x)?(?=[a-f]*\d)[0-9a-f]{8,}$/i;
const MIXED_TOKEN = /^(?=.*\d)(?=.*[a-z])[\w+/=~.-]{16,}$/i;
/** Parts that are told apart one by one. */
const WORDS_AND_NUMBERS = /^(?:[a-z]+|\d+)(?:[-_.](?:[a-z]+|\d+))+$/i;
const NUMBERED = /^([a-z]+?)\d{3,}$/i;

/** No word of a key is longer. */
const LONG = 32;
/** Separators and segments kept of a key; the rest is `*`. */
const MAX_PARTS = 16;

/**
 * The pattern of a key: what tells one entry from another becomes `*`. Numbers, dates, UUIDs, hashes, addresses and long
 * tokens are recognised: `user:42:cart` → `user:*:cart`, `/feeds/42?page=2` → `/feeds/*?page=*`.
 */
export class PatternDetector {
  readonly #patternOf: PatternDetectorOptions['patternOf'];
  readonly #log: CacheLog | undefined;
  #failures = 0;

  constructor(options: PatternDetectorOptions = {}) {
    this.#patternOf = options.patternOf;
    this.#log = options.log;
  }

  /** How often `patternOf` threw. */
  get failures(): number {
    return this.#failures;
  }

  /** @param declared finds the pattern that a handler declared for such keys; the option goes before, the detection after it. */
  patternOf(key: string, declared?: () => string | undefined): string {
    return this.#own(key) ?? declared?.() ?? detected(key);
  }

  #own(key: string): string | undefined {
    if (this.#patternOf === undefined) return undefined;
    try {
      const pattern: unknown = this.#patternOf(key);
      return typeof pattern === 'string' && pattern !== '' ? pattern : undefined;
    } catch (error) {
      if (this.#failures++ === 0) {
        this.#log?.(
          'warn',
          'PATTERN_OF_FAILED',
          `metrics.patternOf threw ${error instanceof Error ? error.name : 'a value'}; the patterns of such keys are detected instead.`,
        );
      }
      return undefined;
    }
  }
}

/** The pattern that a declared template is counted under: `product:{params.id}` → `product:*`. */
export function patternOfTemplate(template: string): string {
  return template.includes('{') ? template.replace(/\{[^{}]*\}/g, '*') : template;
}

function detected(key: string): string {
  const parts = key.split(SEPARATORS);
  let pattern = '';
  for (let at = 0; at < parts.length; at++) {
    if (at === MAX_PARTS) return pattern.endsWith('*') ? pattern : `${pattern}*`;
    const part = parts[at]!;
    pattern += at % 2 === 1 ? part.slice(0, 3) : masked(part);
  }
  return pattern === '' ? '*' : pattern;
}

function masked(segment: string): string {
  if (segment === '' || segment === '*') return segment;
  if (isIdentifier(segment)) return '*';
  const words = segment.split(INNER_SEPARATORS);
  if (words.length === 1) return word(segment);
  return words.map((each, at) => (at % 2 === 1 ? each : word(each))).join('');
}

function word(text: string): string {
  if (text === '') return text;
  if (isIdentifier(text)) return '*';
  return NUMBERED.exec(text) === null ? text : text.replace(NUMBERED, '$1*');
}

function isIdentifier(text: string): boolean {
  return (
    text.length > LONG ||
    text.includes('@') ||
    text.includes('%') ||
    ENCODED.test(text) ||
    NUMBER.test(text) ||
    UUID.test(text) ||
    HASH.test(text) ||
    DATE_TIME.test(text) ||
    (MIXED_TOKEN.test(text) && !WORDS_AND_NUMBERS.test(text))
  );
}
