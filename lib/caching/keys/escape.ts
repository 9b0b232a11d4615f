import { notWellFormed } from './not-encodable.js';

/**
 * Escapes text for a key. Letters, digits and `_ . @ + -` stay; all other characters are escaped, so that no value looks like a
 *   separator, a route, a call or a wildcard. Different texts have different results.
 * @throws NotEncodable for text that is not well-formed Unicode.
 */
export function escapeText(text: string): string {
  return PLAIN_ASCII.test(text) ? text : text.replace(RESERVED, writtenOut);
}

/** Like {@link escapeText}, and also escapes the character that follows the value in its template. */
export function escaperOf(stop: string): (text: string) => string {
  if (stop === '' || !isPlain(stop)) return escapeText;
  return (text) => {
    if (!text.includes(stop)) return escapeText(text);
    let escaped = '';
    for (const character of text) {
      escaped += character === stop || !isPlain(character) ? writtenOut(character) : character;
    }
    return escaped;
  };
}

/** Reverses {@link escapeText} and {@link escaperOf}. */
export function unescapeText(escaped: string): string {
  return escaped.replace(WRITTEN_OUT, (_, wide: string | undefined, narrow: string | undefined) =>
    String.fromCodePoint(Number.parseInt(wide ?? narrow ?? '', 16)),
  );
}

/** True if {@link escapeText} does not change a character. */
export function isPlain(character: string): boolean {
  return !RESERVED_ONCE.test(character);
}

/**
 * Returns the source of a regular expression, for the flag `u`, that matches one character of an escaped value except `stop`.
 */
export function valueCharacter(stop: string): string {
  const code = stop === '' ? undefined : stop.codePointAt(0)!.toString(16);
  return `(?:%u[0-9A-F]+;|%[0-9A-F]{2}|${code === undefined ? '' : `(?!\\u{${code}})`}[\\p{L}\\p{N}_.@+~'…-])`;
}

const PLAIN_ASCII = /^[\w.@+-]*$/;
const RESERVED = /[^\p{L}\p{N}_.@+-]/gu;
const RESERVED_ONCE = /[^\p{L}\p{N}_.@+-]/u;
const WRITTEN_OUT = /%u([0-9A-F]+);|%([0-9A-F]{2})/g;

function writtenOut(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code >= 0xd800 && code <= 0xdfff) throw notWellFormed();
  const hex = code.toString(16).toUpperCase();
  // `%2F` has two digits; a longer code ends with `;`.
  return code < 0x80 ? `%${hex.padStart(2, '0')}` : `%u${hex};`;
}
