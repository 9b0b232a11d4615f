import type { Dialect } from './dialect.js';
import { type QueryType } from './query-type.js';
import { StatementReader } from './statement-reader.js';
import { Tokens } from './tokens.js';

/** The table of a statement that is about none. */
export const NO_TABLE = '__none__';
/** Where tables past the cap are counted together. */
export const OTHER_TABLE = '__other__';

export interface Statement {
  readonly type: QueryType;
  /** The table it is about, unquoted and without its schema; {@link NO_TABLE} where there is none. */
  readonly table: string;
}

/** Texts are read this far, characters: a bulk insert names its table at its beginning. */
export const LONGEST_READ = 16_384;

/**
 * What a text does to which table. Several statements sent at once are a `BATCH`, unless they all do the same; their table
 * is the one they share. Time is linear in the text, and nothing ever throws: what is no SQL is `OTHER`.
 */
export function describeStatement(text: string, dialect: Dialect = 'unknown'): Statement {
  const tokens = new Tokens(text, dialect, LONGEST_READ);
  let type: QueryType | undefined;
  let table: string | undefined;
  for (let first = true; ;) {
    const reader = new StatementReader(tokens, dialect);
    if (!reader.read()) break;
    if (first) {
      type = reader.type;
      table = reader.table;
      first = false;
      continue;
    }
    if (reader.type !== type) type = 'BATCH';
    if (reader.table === undefined || table === undefined) table ??= reader.table;
    else if (reader.table !== table) table = OTHER_TABLE;
  }
  return { type: type ?? 'OTHER', table: table ?? NO_TABLE };
}
