import { mixed } from '../../cache/base/text-hash.js';

/*
 * Finds the inputs in the text of a key: `feed:GET /feeds?page=2&:id=7` contains `query.page` and `params.id`. A key of a template
 * contains the inputs that the template names. A key that code made is split at its separators.
 */

/** One input of a key. */
export interface KeyPart {
  /** The name of the input in the handler, such as `query.page`; `part 2` if it has none. */
  readonly name: string;
  readonly value: string;
  /** True if the input may identify a caller: its removal is never proposed. */
  readonly identifying: boolean;
}

/** The maximum number of parts; a key with more is not analysed. */
export const MOST_KEY_PARTS = 8;
const MAX_LENGTH = 1_024;
const IDENTIFYING = /^(?:user|session|cookies|signedCookies|headers\.(?:authorization|cookie)|auth)\b/i;

/** Returns the inputs of a key; undefined if there is only one, or too many. */
export function keyPartsOf(key: string, template?: KeyTemplateText): readonly KeyPart[] | undefined {
  if (key.length > MAX_LENGTH) return undefined;
  const parts = template === undefined ? undeclaredParts(key) : template.partsOf(key);
  return parts === undefined || parts.length < 2 || parts.length > MOST_KEY_PARTS ? undefined : parts;
}

/** Returns undefined early for a single input, because this runs on every load. */
function undeclaredParts(key: string): readonly KeyPart[] | undefined {
  const at = key.indexOf('?');
  if (at !== -1 && !key.includes('&', at)) return undefined;
  if (at !== -1) return key.slice(at + 1).split('&').map(inputPart); // prettier-ignore
  return key.split(/[:/|#]/).map((value, index) => ({ name: numbered(index), value, identifying: false }));
}

/** True for a key that code made: its parts are numbered. */
export function isNumbered(key: string): boolean {
  return !key.includes('?');
}

/** The name of a numbered part. */
export function numbered(index: number): string {
  return `part ${index + 1}`;
}

const [COLON, SLASH, BAR, HASH] = [0x3a, 0x2f, 0x7c, 0x23];

/**
 * Computes the hashes of the parts of a numbered key, like {@link keyHash}, without allocation.
 * @param seeds the seed for each part.
 * @returns the number of parts; 0 if {@link keyPartsOf} returns undefined.
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

/** Reads `page=2` of a query, `:id=7` of the path, `.headers.accept=…` of another input, or `~user.id=…` of `vary`. */
function inputPart(text: string): KeyPart {
  const equals = text.indexOf('=');
  const label = equals === -1 ? text : text.slice(0, equals);
  const value = equals === -1 ? '' : text.slice(equals + 1);
  if (label.startsWith('~')) return { name: label.slice(1), value, identifying: true };
  const name = label.startsWith(':') ? `params.${label.slice(1)}` : label.startsWith('.') ? label.slice(1) : `query.${label}`; // prettier-ignore
  return { name, value, identifying: IDENTIFYING.test(name) };
}

/** A template such as `search:{query.q}:{query.page}`, which finds the inputs in its keys. */
export class KeyTemplateText {
  readonly #literals: readonly string[];
  readonly #names: readonly string[];

  constructor(template: string) {
    const pieces = template.split(/\{([^}]*)\}/);
    this.#literals = pieces.filter((_, index) => index % 2 === 0);
    this.#names = pieces.filter((_, index) => index % 2 === 1).map((name) => name.replace(/\?$/, ''));
  }

  /** Returns undefined for a key of another template. */
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
