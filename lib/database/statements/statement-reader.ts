import type { Dialect } from './dialect.js';
import {
  QUERIES,
  WRAPPERS,
  NAMES_FIRST,
  BEFORE_NAME,
  READS_TABLES,
  DEFINITIONS,
  ON_TABLE,
  ROUTINES,
  AFTER_FROM,
  AFTER_TABLE,
} from './grammar.js';
import { typeOf, type QueryType } from './query-type.js';
import { Token, type Tokens } from './tokens.js';

const LONGEST_NAME = 128;
/** The limit of nested levels. Deeper parentheses count as part of the last level. */
const DEEPEST = 64;

/** A level of parentheses: a query, or a list such as arguments, in which no name is a table. */
interface Level {
  query: boolean;
  verb: string | undefined;
  /** Whether the next name is a table: after FROM or JOIN (where it may be a function), or the statement's own table. */
  expects: 'no' | 'from' | 'own';
  inFrom: boolean;
  /** The first table that this level names, and the first that a query nested in it names. */
  first: string | undefined;
  nested: string | undefined;
  /** The position of this level in the level above. */
  place: 'from' | 'cte' | 'other';
  /** The common table expression whose body follows. */
  cte: string | undefined;
}

const level = (place: Level['place'], query: boolean, expects: Level['expects']): Level => ({
  query,
  verb: undefined,
  expects,
  inFrom: expects === 'from',
  first: undefined,
  nested: undefined,
  place,
  cte: undefined,
});

/** Reads one statement up to its semicolon. */
export class StatementReader {
  type: QueryType = 'OTHER';
  table: string | undefined;

  readonly #tokens: Tokens;
  readonly #foldsCase: boolean;
  readonly #ctes = new Map<string, string | undefined>();
  readonly #levels: Level[] = [level('other', true, 'no')];
  #skipped = 0;
  #object: string | undefined;
  #before = '';
  #previous = '';
  #any = false;

  constructor(tokens: Tokens, dialect: Dialect) {
    this.#tokens = tokens;
    this.#foldsCase = dialect !== 'mysql' && dialect !== 'mssql';
  }

  /** Returns false if there is no further statement. */
  read(): boolean {
    for (;;) {
      const kind = this.#tokens.next();
      if (kind === Token.end) break;
      if (this.#tokens.is(';')) {
        if (!this.#any) continue;
        if (this.#levels.length + this.#skipped === 1 && !(this.type === 'CREATE' && ROUTINES.has(this.#object ?? '')))
          break;
      }
      this.#any = true;
      if (this.#tokens.is('(')) this.#open();
      else if (this.#tokens.is(')')) this.#close();
      else this.#inside(this.#top, kind);
    }
    while (this.#levels.length > 1) this.#close();
    const root = this.#top;
    this.table = this.#tokens.ambiguous ? undefined : (root.first ?? root.nested);
    return this.#any;
  }

  get #top(): Level {
    return this.#levels.at(-1)!;
  }

  #open(): void {
    if (this.#levels.length >= DEEPEST) {
      this.#skipped++;
      return;
    }
    const top = this.#top;
    if (top.cte !== undefined && this.#previous !== 'AS' && this.#previous !== 'MATERIALIZED') {
      this.#levels.push(level('other', false, 'no')); // its columns
    } else if (top.cte !== undefined) {
      this.#levels.push(level('cte', true, 'no'));
    } else if (top.expects !== 'no' && this.#previous !== 'TOP') {
      this.#levels.push(level('from', true, 'from'));
      top.expects = 'no';
    } else {
      this.#levels.push(level('other', this.#previous !== 'TOP', 'no'));
    }
    this.#remember('(');
  }

  #close(): void {
    this.#remember(')');
    if (this.#skipped > 0) {
      this.#skipped--;
      return;
    }
    if (this.#levels.length === 1) return;
    const done = this.#levels.pop()!;
    const top = this.#top;
    const table = done.first ?? done.nested;
    if (done.place === 'cte' && top.cte !== undefined) {
      this.#ctes.set(top.cte, table);
      top.cte = undefined;
    } else if (done.place === 'from') top.first ??= table;
    top.nested ??= table;
  }

  #inside(top: Level, kind: Token): void {
    if (!top.query) return;
    if (kind === Token.word) this.#word(top, this.#tokens.text.toUpperCase());
    else if (kind === Token.quoted || (this.#tokens.is('[') && top.expects !== 'no')) this.#name(top);
    else if (this.#tokens.is(',')) this.#comma(top);
    else {
      if (top.verb === undefined && top.expects === 'no' && this.#levels.length > 1) top.query = false;
      if (kind !== Token.mark) top.expects = 'no';
      this.#remember('');
    }
  }

  #comma(top: Level): void {
    if (top.inFrom && top.first === undefined) top.expects = 'from';
    this.#remember(',');
  }

  #word(top: Level, word: string): void {
    if (top.verb === undefined) {
      if (QUERIES.has(word) || this.#levels.length === 1) return this.#begin(top, word);
      if (top.expects === 'no') {
        top.query = false;
        return;
      }
      top.verb = 'SELECT'; // FROM (a JOIN b)
    }
    if (WRAPPERS.has(top.verb) && this.#wrapped(top, word)) return;
    if (top.expects !== 'no' && !(word === 'SELECT' || word === 'VALUES' || word === 'SET')) {
      if (word === 'OR' && top.expects === 'own')
        this.#tokens.next(); // INSERT OR REPLACE INTO
      else if (!BEFORE_NAME.has(word)) return this.#name(top);
    } else this.#clause(top, word);
    this.#remember(word);
  }

  /** Handles the first word of a statement or of a query in parentheses. */
  #begin(top: Level, word: string): void {
    this.#settle(word);
    top.verb = word === 'DESC' ? 'DESCRIBE' : word;
    top.expects = NAMES_FIRST.has(top.verb) ? 'own' : 'no';
    // A query in a FROM list begins with columns, not with tables.
    top.inFrom = false;
    this.#remember(word);
  }

  /** Sets the type by the first verb, also if the whole statement is in parentheses. */
  #settle(word: string, within?: Level): void {
    const root = this.#levels[0]!;
    if (this.type === 'OTHER' && (root === within || root.verb === undefined)) this.type = typeOf(word);
  }

  /**
   * Handles a word between WITH, EXPLAIN … and the statement that follows. Returns true if the word needs no further handling.
   */
  #wrapped(top: Level, word: string): boolean {
    if (QUERIES.has(word) && top.cte === undefined) {
      if (top.verb === 'WITH') this.#settle(word, top);
      top.verb = word;
      top.expects = NAMES_FIRST.has(word) ? 'own' : 'no';
      this.#remember(word);
      return true;
    }
    if (top.verb !== 'WITH') return false;
    if (
      (this.#previous === 'WITH' && word !== 'RECURSIVE') ||
      this.#previous === 'RECURSIVE' ||
      this.#previous === ','
    ) {
      top.cte = this.#fold(this.#tokens.text);
      this.#remember('');
    } else this.#remember(word);
    return true;
  }

  #clause(top: Level, word: string): void {
    const verb = top.verb!;
    if (DEFINITIONS.has(verb) && top.first === undefined) {
      if (word === 'TABLE' || word === 'VIEW') {
        this.#object ??= word;
        top.expects = 'own';
      } else if (word === 'ON' && ON_TABLE.has(this.#object ?? '')) top.expects = 'own';
      else if (ON_TABLE.has(word) || ROUTINES.has(word)) this.#object ??= word;
      if (verb === 'CREATE' && ROUTINES.has(word) && word === this.#object && word !== 'TRIGGER') top.query = false;
    }
    if (AFTER_FROM.has(word)) top.inFrom = false;
    if (!READS_TABLES.has(verb)) return;
    if (word === 'FROM' && !(this.#previous === 'DISTINCT' && (this.#before === 'IS' || this.#before === 'NOT'))) {
      top.expects = 'from';
      top.inFrom = true;
    } else if (word === 'JOIN' || word === 'STRAIGHT_JOIN' || (word === 'USING' && verb === 'DELETE'))
      top.expects = 'from';
  }

  /** Reads a name with its qualifiers, quoted or not. If a table is expected, the name is the table. */
  #name(top: Level): void {
    if (top.verb === 'WITH' && top.expects === 'no') {
      if (top.cte === undefined && this.#tokens.kind === Token.quoted) top.cte = this.#part();
      return this.#remember('');
    }
    if (top.expects === 'no') return this.#remember('');
    let name = this.#part();
    for (;;) {
      this.#tokens.next();
      if (!this.#tokens.is('.')) break;
      const kind = this.#tokens.next();
      if (this.#tokens.is('.')) this.#tokens.unread();
      else if (kind === Token.word || kind === Token.quoted || this.#tokens.is('[')) name = this.#part();
      else break;
    }
    const called = top.expects === 'from' && this.#tokens.is('(');
    top.expects = 'no';
    this.#remember('');
    if (called) return this.#tokens.unread();
    this.#found(top, name, this.#alias());
  }

  #found(top: Level, name: string, alias: string | undefined): void {
    const table = this.#ctes.has(name)
      ? this.#ctes.get(name)
      : name.toUpperCase() === 'DUAL' || name === ''
        ? undefined
        : name;
    if (top.first === undefined) top.first = table;
    // UPDATE u SET … FROM users u
    else if (alias === top.first && (top.verb === 'UPDATE' || top.verb === 'DELETE')) top.first = table;
  }

  /** Reads the alias after a table. A word that cannot be an alias is left for the next read. */
  #alias(): string | undefined {
    let kind = this.#tokens.kind;
    if (kind === Token.word && this.#tokens.text.toUpperCase() === 'AS') kind = this.#tokens.next();
    if (kind === Token.quoted) return this.#part();
    if (kind === Token.word && !AFTER_TABLE.has(this.#tokens.text.toUpperCase())) return this.#fold(this.#tokens.text);
    this.#tokens.unread();
    return undefined;
  }

  /** Reads one part of a name; an unquoted part is case-folded as the dialect does. */
  #part(): string {
    const { kind, text } = this.#tokens;
    if (kind === Token.word) return this.#fold(text);
    if (kind === Token.quoted) {
      const quote = text[0]!;
      const closed = text.length > 1 && text.endsWith(quote);
      return text
        .slice(1, closed ? -1 : undefined)
        .replaceAll(quote + quote, quote)
        .slice(0, LONGEST_NAME);
    }
    let inside = '';
    while (this.#tokens.next() !== Token.end && !this.#tokens.is(']'))
      inside += (inside === '' ? '' : ' ') + this.#tokens.text;
    return inside.slice(0, LONGEST_NAME);
  }

  #fold(text: string): string {
    return (this.#foldsCase ? text.toLowerCase() : text).slice(0, LONGEST_NAME);
  }

  #remember(word: string): void {
    this.#before = this.#previous;
    this.#previous = word;
  }
}
