/** Matches a private name, such as `#cents`. */
const PRIVATE_NAME = /#[\p{ID_Start}$_]/u;
const WORD = /[\p{ID_Start}$_#][\p{ID_Continue}$\u200c\u200d]*/uy;
/** Words that may stand between `static` and a member's name. */
const MODIFIERS: ReadonlySet<string> = new Set(['async', 'get', 'set', 'accessor', '*']);
/** After these words a slash begins a regular expression. */
const BEFORE_EXPRESSION: ReadonlySet<string> = new Set(
  'return typeof instanceof in of new delete void throw case do else yield await'.split(' '),
);
/** After the parentheses of these words a statement follows. */
const BEFORE_STATEMENT: ReadonlySet<string> = new Set(['if', 'while', 'for', 'with']);

/**
 * Returns true if the source of a class declares private members of its instances: fields, methods or accessors named `#…`. A copy cannot
 * have such members. Static members and classes inside methods do not count.
 */
export function declaresPrivateState(source: string): boolean {
  return PRIVATE_NAME.test(source) && new SourceWalk(source).findsPrivateMember();
}

/** Scans the tokens of a class and skips strings, templates, comments and regular expressions. */
class SourceWalk {
  readonly #source: string;
  #at = 0;
  /** The open brackets. `s` is a parenthesis that a statement follows; `$` is the code part of a template. */
  readonly #open: string[] = [];
  /** The depth of the class body; 0 before it begins. */
  #bodyDepth = 0;
  /** The tokens read so far at the depth of the class body. */
  #member: string[] = [];
  #previous = '';

  constructor(source: string) {
    this.#source = source;
  }

  findsPrivateMember(): boolean {
    while (this.#at < this.#source.length) {
      const token = this.#next();
      if (token === undefined) continue;
      if (token.startsWith('#') && this.#declaresMember()) return true;
      this.#previous = token;
      if (this.#bodyDepth > 0 && this.#open.length === this.#bodyDepth) this.#member.push(token);
    }
    return false;
  }

  /** Returns true if the private name just read declares a member of instances here. Uses of a name and static members do not count. */
  #declaresMember(): boolean {
    if (this.#bodyDepth === 0 || this.#open.length !== this.#bodyDepth || this.#previous === '.') return false;
    if (/^\s*in\b/.test(this.#source.slice(this.#at, this.#at + 100))) return false;
    let last = this.#member.length - 1;
    while (last >= 0 && MODIFIERS.has(this.#member[last]!)) last--;
    return this.#member[last] !== 'static';
  }

  /** Returns the next token; undefined for other text. */
  #next(): string | undefined {
    const source = this.#source;
    const character = source[this.#at]!;
    if (character === '/' && (source[this.#at + 1] === '/' || source[this.#at + 1] === '*')) return this.#skipComment();
    if (character === '"' || character === "'") return this.#skipText(character);
    if (character === '`') return this.#skipTemplate(this.#at + 1);
    if (character === '/' && this.#isExpressionNext()) return this.#skipRegExp();
    WORD.lastIndex = this.#at;
    const word = WORD.exec(source)?.[0];
    if (word !== undefined) {
      this.#at += word.length;
      return word;
    }
    this.#at += 1;
    if ('([{'.includes(character)) this.#enter(character);
    else if (')]}'.includes(character)) return this.#leave(character);
    return character.trim() === '' ? undefined : character;
  }

  #enter(bracket: string): void {
    this.#open.push(bracket === '(' && BEFORE_STATEMENT.has(this.#previous) ? 's' : bracket);
    if (this.#bodyDepth === 0 && bracket === '{' && this.#open.length === 1) {
      this.#bodyDepth = 1;
      this.#member = [];
    }
  }

  #leave(bracket: string): string | undefined {
    const opened = this.#open.pop();
    if (opened === '$') return this.#skipTemplate(this.#at);
    // After `if (…)` a statement begins, so a slash begins a regular expression, as after an operator.
    return opened === 's' ? ';' : bracket;
  }

  #isExpressionNext(): boolean {
    const previous = this.#previous;
    if (previous === '' || BEFORE_EXPRESSION.has(previous)) return true;
    return !/[\p{ID_Continue}$)\]"'`]$/u.test(previous);
  }

  #skipComment(): undefined {
    const end = this.#source[this.#at + 1] === '/' ? '\n' : '*/';
    const found = this.#source.indexOf(end, this.#at + 2);
    this.#at = found === -1 ? this.#source.length : found + end.length;
    return undefined;
  }

  #skipText(quote: string): string {
    for (this.#at += 1; this.#at < this.#source.length; this.#at++) {
      const character = this.#source[this.#at];
      if (character === '\\') this.#at += 1;
      else if (character === quote || character === '\n') break;
    }
    this.#at += 1;
    return quote;
  }

  /** Skips a template, or the rest of one, up to its end or to its next code part. */
  #skipTemplate(from: number): string {
    for (this.#at = from; this.#at < this.#source.length; this.#at++) {
      const character = this.#source[this.#at];
      if (character === '\\') this.#at += 1;
      else if (character === '`') break;
      else if (character === '$' && this.#source[this.#at + 1] === '{') {
        this.#at += 2;
        this.#open.push('$');
        return '{';
      }
    }
    this.#at += 1;
    return '`';
  }

  #skipRegExp(): string {
    let isInClass = false;
    for (this.#at += 1; this.#at < this.#source.length; this.#at++) {
      const character = this.#source[this.#at];
      if (character === '\\') this.#at += 1;
      else if (character === '[') isInClass = true;
      else if (character === ']') isInClass = false;
      else if (character === '\n' || (character === '/' && !isInClass)) break;
    }
    this.#at += 1;
    // A value ends here, so the next slash divides.
    return '/`';
  }
}
