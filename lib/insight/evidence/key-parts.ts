import { mixed } from '../../cache/base/text-hash.js';

/*
 * The inputs in a key, read from its text: `feed:GET /feeds?page=2&:id=7` contains `query.page` and `params.id`, a key of a
 * template contains the inputs that the template names, and a key that code wrote is cut at its separators.
 */

/** One input of a key. */
export interface KeyPart {
  /** As a handler names it, such as `query.page`; `part 2` without a name. */
  readonly name: string;
  readonly value: string;
  /** True if it may identify a caller: leaving it out is never proposed. */
  readonly identifying: boolean;
}

/** The most parts of a key: a key with more is not analysed. */
export const MOST_KEY_PARTS = 8;
const MAX_LENGTH = 1_024;
const IDENTIFYING = /^(?:user|session|cookies|signedCookies|headers\.(?:authorization|cookie)|auth)\b/i;

/** Reads the inputs of a key; undefined if there is only one, or too many. */
export function keyPartsOf(key: string, template?: KeyTemplateText): readonly KeyPart[] | undefined {
  if (key.length > MAX_LENGTH) return undefined;
  const parts = template === undefined ? undeclaredParts(key) : template.partsOf(key);
  return parts === undefined || parts.length < 2 || parts.length > MOST_KEY_PARTS ? undefined : parts;
}

/** Undefined for one input: it runs on every load. */
function undeclaredParts(key: string): readonly KeyPart[] | undefined {
  const at = key.indexOf('?');
  if (at !== -1 && !key.includes('&', at)) return undefined;
  if (at !== -1) return key.slice(at + 1).split('&').map(inputPart); // prettier-ignore
  return key.split(/[:/|#]/).map((value, index) => ({ name: numbered(index), value, identifying: false }));
}

/** True for a key that code wrote: its parts are numbered. */
export function isNumbered(key: string): boolean {
  return !key.includes('?');
}

/** The name of a numbered part. */
export function numbered(index: number): string {
  return `part ${index + 1}`;
}

const [COLON, SLASH, BAR, HASH] = [0x3a, 0x2f, 0x7c, 0x23];

/**
 * Computes the hashes of a numbered key's parts, like {@link keyHash}, without allocation.
 * @param seeds the seed of the hash of each part. @returns the number of parts; 0 if {@link keyPartsOf} returns none.
 */
export function hashNumbered(key: string, seeds: Int32Array, hashes: Uint32Array): number {
  if (key.length > MAX_LENGTH) return 0;
  let count = 0;
  let hash = seeds[0]!;
  for (let at = 0; at <= key.length; at++) {
    const code = at === key.length ? COLON : key.charCodeAt(at);
    if (code !== COLON && code !== SLASH && code !== BAR && code !== HASH) {
      hash = Math.imul(hash ^ code, 0x01000193);
      continue;
    }
    if (count === MOST_KEY_PARTS) return 0;
    hashes[count++] = mixed(hash) || 1;
    hash = seeds[count] ?? 0;
  }
  return count < 2 ? 0 : count;
}

/** `page=2` of a query, `:id=7` of the path, `.headers.accept=…` of anything else, `~user.id=…` of `vary`. */
function inputPart(text: string): KeyPart {
  const equals = text.indexOf('=');
  const label = equals === -1 ? text : text.slice(0, equals);
  const value = equals === -1 ? '' : text.slice(equals + 1);
  if (label.startsWith('~')) return { name: label.slice(1), value, identifying: true };
  const name = label.startsWith(':') ? `params.${label.slice(1)}` : label.startsWith('.') ? label.slice(1) : `query.${label}`; // prettier-ignore
  return { name, value, identifying: IDENTIFYING.test(name) };
}

/** A template such as `search:{query.q}:{query.page}`, to read its keys. */
export class KeyTemplateText {
  readonly #literals: readonly string[];
  readonly #names: readonly string[];

  constructor(template: string) {
    const pieces = template.split(/\{([^}]*)\}/);
    this.#literals = pieces.filter((_, index) => index % 2 === 0);
    this.#names = pieces.filter((_, index) => index % 2 === 1).map((name) => name.replace(/\?$/, ''));
  }

  /** Undefined for a key of another template. */
  partsOf(key: string): readonly KeyPart[] | undefined {
    const [first = '', ...rest] = this.#literals;
    if (!key.startsWith(first)) return undefined;
    let from = first.length;
    const parts: KeyPart[] = [];
    for (const [index, literal] of rest.entries()) {
      const to = literal === '' ? key.length : key.indexOf(literal, from);
      if (to === -1) return undefined;
      const name = this.#names[index]!;
      parts.push({ name, value: key.slice(from, to), identifying: IDENTIFYING.test(name) });
      from = to + literal.length;
    }
    return parts;
  }
}
