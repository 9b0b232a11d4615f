import type { Dialect } from './dialect.js';
import { Token, Tokens } from './tokens.js';

/** How many characters of a text are read. The limit is high, because only slow statements need a shape. */
const LONGEST_READ = 65_536;
/** The longest shape, characters. */
export const LONGEST_SHAPE = 1_000;
/** Replaces a statement whose strings cannot be recognised. */
export const WITHHELD = '(text withheld)';

/** Words that count as values in lists. */
const CONSTANTS = new Set(['NULL', 'TRUE', 'FALSE', 'DEFAULT']);

/**
 * Returns a statement without its values: a literal becomes `?`, a list of literals `(?)`, the rows of a bulk insert one row;
 * comments are removed, white space is reduced. If the dialect is unknown, `"…"` counts as a literal, and a text with `\`
 * before a quote is withheld. Takes linear time; never throws.
 */
export function statementShape(text: string, dialect: Dialect = 'unknown'): string {
  const tokens = new Tokens(text, dialect, LONGEST_READ);
  const shape = new Shape(dialect === 'mysql' || dialect === 'unknown');
  let end = 0;
  while (tokens.next() !== Token.end) {
    shape.add(tokens, tokens.start > end);
    end = tokens.end;
  }
  return tokens.ambiguous ? WITHHELD : shape.toString();
}

class Shape {
  readonly #hidesQuoted: boolean;
  /** The tokens, each with the space before it. `?` replaces each value. */
  readonly #parts: string[] = [];
  /** The position of each open parenthesis; -1 if its content is not only a list of values. */
  readonly #open: number[] = [];

  constructor(hidesQuoted: boolean) {
    this.#hidesQuoted = hidesQuoted;
  }

  add(token: Tokens, spaced: boolean): void {
    const text = this.#textOf(token);
    if (text === ')') return this.#close(spaced);
    if (text === '(') {
      this.#mixed(); // a list in a list is no list of values
      this.#open.push(this.#parts.length);
    } else if (!this.#isListed(token, text)) this.#mixed();
    this.#parts.push(spaced && this.#parts.length > 0 ? ` ${text}` : text);
  }

  toString(): string {
    const text = this.#parts.join('');
    return text.length > LONGEST_SHAPE ? `${text.slice(0, LONGEST_SHAPE - 1)}…` : text;
  }

  #textOf(token: Tokens): string {
    const { kind, text } = token;
    if (kind === Token.literal) return '?';
    if (kind !== Token.quoted) return text;
    const open = text.length < 2 || !text.endsWith(text[0]!);
    return open || (this.#hidesQuoted && text.startsWith('"')) ? '?' : text;
  }

  #isListed(token: Tokens, text: string): boolean {
    if (text === '?' || text === ',' || text === '-' || text === '+' || token.kind === Token.placeholder) return true;
    return token.kind === Token.word && CONSTANTS.has(text.toUpperCase());
  }

  #mixed(): void {
    if (this.#open.length > 0) this.#open[this.#open.length - 1] = -1;
  }

  #close(spaced: boolean): void {
    const open = this.#open.pop() ?? -1;
    if (open < 0 || this.#parts.length === open + 1) {
      this.#parts.push(spaced ? ' )' : ')');
      return;
    }
    this.#parts.length = open + 1;
    this.#parts.push('?', ')');
    this.#mergeRows(open);
  }

  /** Merges `(?), (?)` into `(?)`: the number of rows does not change the statement. */
  #mergeRows(open: number): void {
    const at = (index: number): string => this.#parts[index]?.trim() ?? '';
    if (at(open - 1) !== ',' || at(open - 2) !== ')' || at(open - 3) !== '?' || at(open - 4) !== '(') return;
    this.#parts.length = open - 1;
  }
}
