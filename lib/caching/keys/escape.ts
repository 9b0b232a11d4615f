/**
 * Text as it may stand in a key between literals: letters, digits and `_ . @ + -` stay, everything else is written out, so that
 * no value can pass for a separator, a route, a call or a wildcard. One-to-one, lone surrogates included.
 */
export function escapeText(text: string): string {
  return PLAIN_ASCII.test(text) ? text : text.replace(RESERVED, writtenOut);
}

/** As {@link escapeText}, with further characters written out: those that follow the value in its template. */
export function escaperOf(further: string): (text: string) => string {
  const special = new Set([...further].filter((character) => !RESERVED_ONCE.test(character)));
  if (special.size === 0) return escapeText;
  return (text) => {
    let escaped = '';
    for (const character of text) {
      escaped += special.has(character) || RESERVED_ONCE.test(character) ? writtenOut(character) : character;
    }
    return escaped;
  };
}

/** True where {@link escapeText} leaves a character as it is. */
export function isPlain(character: string): boolean {
  return !RESERVED_ONCE.test(character);
}

const PLAIN_ASCII = /^[\w.@+-]*$/;
const RESERVED = /[^\p{L}\p{N}_.@+-]/gu;
const RESERVED_ONCE = /[^\p{L}\p{N}_.@+-]/u;

function writtenOut(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16).toUpperCase();
  // `%2F` has two digits and ends there; what needs more is closed by `;`.
  return code < 0x80 ? `%${hex.padStart(2, '0')}` : `%u${hex};`;
}
