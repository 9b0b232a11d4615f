import { types } from 'node:util';
import { escaperOf, unescapeText } from './escape.js';
import { beginning, boundedValue, READABLE } from './key-length.js';
import { asText, asTyped, encodeSecret, looksTyped } from './value-encoding.js';
import { sameValues, textsOf } from './value-forms.js';

/**
 * The kind of a placeholder's values: text of a request; an argument that is declared as text but may have any type; values of
 * any type; secrets, which must not be readable.
 */
export type SlotKind = 'text' | 'declared text' | 'typed' | 'secret';

/** One placeholder of a key template: writes the values of calls and invalidations. */
export class TemplateSlot {
  readonly kind: SlotKind;
  /** The first character after the placeholder; empty at the end of the template. */
  readonly stop: string;
  /** Parses a caller's value as Nest's own pipes do; undefined without such pipes. */
  readonly parse: ((value: unknown) => unknown) | undefined;
  readonly #escape: (text: string) => string;

  constructor(kind: SlotKind, stop: string, parse?: (value: unknown) => unknown) {
    this.kind = kind;
    this.stop = stop;
    this.parse = parse;
    this.#escape = escaperOf(stop);
  }

  /** Encodes a call's parsed value. @throws NotEncodable */
  encode(value: unknown): string {
    const escape = this.#escape;
    if (this.kind === 'secret') return `~${escape(encodeSecret(value).slice(1))}`;
    return boundedValue(this.#write(value), escape);
  }

  #write(value: unknown): string {
    return this.kind === 'typed' ? asTyped(value, this.#escape) : asText(value, this.#escape);
  }

  /** Returns every encoding of an invalidation's value. @throws NotEncodable */
  forms(value: unknown): string[] {
    const { parse } = this;
    if (parse !== undefined) return [this.encode(parse(sentText(value)))];
    if (this.kind === 'secret') return [this.encode(sentText(value))];
    return [...new Set(this.#values(value).map((same) => this.encode(same)))];
  }

  /** Returns the values of calls that an invalidation with this value reaches. */
  #values(value: unknown): readonly unknown[] {
    const same = sameValues(value);
    // Inputs of requests are text, lists and objects of text, or missing.
    return this.kind === 'text' ? same.filter((one) => !isScalar(one) && !isDate(one)) : same;
  }

  /**
   * Returns every encoding of a value that shares its placeholder with other text.
   * @param first true if the placeholder begins with the value. @param open true if a wildcard follows.
   */
  partialForms(value: unknown, { first, open }: { first: boolean; open: boolean }): string[] {
    const forms = new Set<string>();
    for (const same of this.#values(value)) {
      const text = typeof same === 'string' ? this.#escape(same) : this.#write(same);
      forms.add(text);
      if (open && first && this.kind === 'typed' && typeof same === 'string') forms.add(`'${text}`);
      // The call's value may be longer and shortened. Then the key contains only its beginning.
      if (open && text.length >= READABLE) forms.add(`${beginning(text)}…`);
    }
    return [...forms];
  }

  /**
   * Converts an encoded value to the text that tags use; undefined if it was shortened or is a digest.
   */
  textOf(encoded: string): string | undefined {
    if (this.kind === 'secret' || encoded.includes('…')) return undefined;
    if (encoded.startsWith('~')) return taggedText(unescapeText(encoded.slice(1)));
    if (this.kind !== 'typed') return unescapeText(encoded);
    if (encoded.startsWith("'")) return unescapeText(encoded.slice(1, -1));
    const text = unescapeText(encoded);
    if (text === '-0') return '0';
    // The text of a bigint has no `n`.
    return /^-?\d+n$/.test(text) ? text.slice(0, -1) : text;
  }

  /** Decodes a text, number or boolean; undefined for other values. */
  scalarOf(encoded: string): string | number | boolean | undefined {
    if (this.kind === 'secret' || encoded.includes('…') || encoded.startsWith('~')) return undefined;
    if (this.kind !== 'typed') return unescapeText(encoded);
    if (encoded.startsWith("'")) return unescapeText(encoded.slice(1, -1));
    const text = unescapeText(encoded);
    if (!looksTyped(text)) return text;
    if (text === 'true' || text === 'false') return text === 'true';
    const number = Number(text);
    return Number.isFinite(number) ? number : undefined;
  }

  /** True if both slots write all values the same way. */
  sameAs(other: TemplateSlot): boolean {
    return this.kind === other.kind && this.stop === other.stop && this.parse === other.parse;
  }
}

/** Returns the text with which a request sends a scalar or a date; other values unchanged. */
function sentText(value: unknown): unknown {
  return isScalar(value) ? String(value) : isDate(value) ? (textsOf(value)[0] ?? value) : value;
}

function isScalar(value: unknown): value is number | bigint | boolean {
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean';
}

function isDate(value: unknown): boolean {
  return types.isDate(value);
}

/** Converts an encoded value to the text that tags use. Tags write dates differently. */
function taggedText(encoded: string): string {
  const time = /^Date\((-?\d+)\)$/.exec(encoded)?.[1];
  return time === undefined ? encoded : new Date(Number(time)).toISOString();
}
