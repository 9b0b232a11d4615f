import type { Dialect } from './dialect.js';

/** Kinds of tokens. Comments and white space are not tokens. */
export const Token = { end: 0, word: 1, quoted: 2, literal: 3, placeholder: 4, mark: 5 } as const;
export type Token = (typeof Token)[keyof typeof Token];

const TAB = 9;
const NEWLINE = 10;
const CARRIAGE_RETURN = 13;
const SPACE = 32;
const DOUBLE_QUOTE = 34;
const HASH = 35;
const DOLLAR = 36;
const QUOTE = 39;
const ASTERISK = 42;
const PLUS = 43;
const MINUS = 45;
const DOT = 46;
const SLASH = 47;
const COLON = 58;
const GREATER = 62;
const QUESTION = 63;
const AT = 64;
const BACKSLASH = 92;
const UNDERSCORE = 95;
const BACKTICK = 96;

const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isLetter = (code: number): boolean =>
  (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === UNDERSCORE || code > 127;
const isWordPart = (code: number): boolean => isLetter(code) || isDigit(code) || code === DOLLAR;
const isSpace = (code: number): boolean => code === SPACE || (code >= TAB && code <= CARRIAGE_RETURN);

/**
 * Reads a statement token by token, in linear time. An unclosed token ends at the end of the text. `kind`, `start` and `end`
 * describe the current token.
 */
export class Tokens {
  kind: Token = Token.end;
  start = 0;
  end = 0;
  /** True after a quote that ends the string only in some dialects. Always false if the dialect is known. */
  ambiguous = false;

  readonly #text: string;
  readonly #length: number;
  readonly #dialect: Dialect;
  #held = false;

  constructor(text: string, dialect: Dialect, limit = text.length) {
    this.#text = text;
    this.#length = Math.min(text.length, limit);
    this.#dialect = dialect;
  }

  /** The text of the current token. */
  get text(): string {
    return this.#text.slice(this.start, this.end);
  }

  /** True if the current token is exactly this character. */
  is(mark: string): boolean {
    return this.kind === Token.mark && this.#text[this.start] === mark;
  }

  /** Makes the next {@link Tokens.next} return the current token again. */
  unread(): void {
    this.#held = true;
  }

  next(): Token {
    if (this.#held) {
      this.#held = false;
      return this.kind;
    }
    const at = this.#skipBlank(this.end);
    this.start = at;
    if (at >= this.#length) {
      this.end = this.#length;
      return (this.kind = Token.end);
    }
    return (this.kind = this.#read(at, this.#code(at)));
  }

  #code(at: number): number {
    return at < this.#length ? this.#text.charCodeAt(at) : -1;
  }

  #read(at: number, code: number): Token {
    if (isLetter(code)) return this.#word(at);
    if (isDigit(code) || (code === DOT && isDigit(this.#code(at + 1)))) return this.#number(at);
    if (code === QUOTE) return this.#quote(at, QUOTE, this.#dialect === 'mysql', Token.literal);
    if (code === DOUBLE_QUOTE) return this.#quote(at, DOUBLE_QUOTE, this.#dialect === 'mysql', Token.quoted);
    if (code === BACKTICK) return this.#quote(at, BACKTICK, false, Token.quoted);
    if (code === DOLLAR) return this.#dollar(at);
    if (code === QUESTION) return this.#span(at + 1, Token.placeholder);
    const next = this.#code(at + 1);
    if (code === COLON && next === COLON) return this.#span(at + 2, Token.mark);
    if ((code === COLON && isLetter(next)) || (code === AT && (isLetter(next) || next === AT))) {
      let end = at + 2;
      while (isWordPart(this.#code(end))) end++;
      return this.#span(end, Token.placeholder);
    }
    return this.#span(at + 1, Token.mark);
  }

  #span(end: number, kind: Token): Token {
    this.end = Math.min(end, this.#length);
    return kind;
  }

  #word(at: number): Token {
    let end = at + 1;
    while (isWordPart(this.#code(end))) end++;
    // E'…', N'…', X'…', _utf8'…': here the word is the prefix of a string.
    if (this.#code(end) === QUOTE) {
      const escapes = this.#dialect === 'mysql' || (end - at === 1 && (this.#code(at) | 32) === 101);
      return this.#quote(end, QUOTE, escapes, Token.literal);
    }
    return this.#span(end, Token.word);
  }

  #number(at: number): Token {
    let end = at + 1;
    for (;;) {
      const code = this.#code(end);
      const signed =
        (code === PLUS || code === MINUS) && (this.#code(end - 1) | 32) === 101 && this.#code(at + 1) !== 120;
      if (!(isWordPart(code) || code === DOT || (signed && isDigit(this.#code(end + 1))))) break;
      end++;
    }
    return this.#span(end, Token.literal);
  }

  #quote(open: number, quote: number, escapes: boolean, kind: Token): Token {
    let at = open + 1;
    while (at < this.#length) {
      const code = this.#text.charCodeAt(at);
      if (code === BACKSLASH) {
        if (escapes) at++;
        else if (this.#dialect === 'unknown' && quote !== BACKTICK && this.#code(at + 1) === quote)
          this.ambiguous = true;
      } else if (code === quote) {
        if (this.#code(at + 1) !== quote) break;
        at++;
      }
      at++;
    }
    return this.#span(at + 1, kind);
  }

  #dollar(at: number): Token {
    let end = at + 1;
    if (isDigit(this.#code(end))) {
      while (isDigit(this.#code(end))) end++;
      return this.#span(end, Token.placeholder);
    }
    while (isLetter(this.#code(end)) || isDigit(this.#code(end))) end++;
    if (this.#code(end) !== DOLLAR || this.#dialect === 'mysql') return this.#span(end, Token.word);
    const tag = this.#text.slice(at, end + 1);
    const close = this.#text.indexOf(tag, end + 1);
    return this.#span(close < 0 ? this.#length : close + tag.length, Token.literal);
  }

  #skipBlank(from: number): number {
    let at = from;
    for (;;) {
      const code = this.#code(at);
      if (isSpace(code)) at++;
      else if (code === MINUS && this.#code(at + 1) === MINUS && this.#opensLine(at + 2)) at = this.#lineEnd(at + 2);
      else if (code === HASH && this.#hashOpensLine(at + 1)) at = this.#lineEnd(at + 1);
      else if (code === SLASH && this.#code(at + 1) === ASTERISK) at = this.#blockEnd(at + 2);
      else return at;
    }
  }

  /** MySQL requires white space after `--`: `5--3` is arithmetic there. */
  #opensLine(at: number): boolean {
    const code = this.#code(at);
    return this.#dialect !== 'mysql' || code === -1 || isSpace(code);
  }

  #hashOpensLine(at: number): boolean {
    if (this.#dialect === 'mysql') return true;
    const code = this.#code(at);
    return this.#dialect === 'unknown' && code !== GREATER && code !== MINUS;
  }

  #lineEnd(from: number): number {
    let at = from;
    while (at < this.#length && this.#text.charCodeAt(at) !== NEWLINE) at++;
    return at;
  }

  #blockEnd(from: number): number {
    const nests = this.#dialect !== 'mysql' && this.#dialect !== 'sqlite';
    let depth = 1;
    let at = from;
    while (at < this.#length) {
      const code = this.#text.charCodeAt(at);
      const next = this.#code(at + 1);
      if (code === ASTERISK && next === SLASH) {
        at += 2;
        if (--depth === 0) return at;
      } else if (nests && code === SLASH && next === ASTERISK) {
        depth++;
        at += 2;
      } else at++;
    }
    return this.#length;
  }
}
