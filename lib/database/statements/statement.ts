import type { Dialect } from './dialect.js';
import { type QueryType } from './query-type.js';
import { StatementReader } from './statement-reader.js';
import { Tokens } from './tokens.js';

/** The name that stands for the table of a statement without a table. */
export const NO_TABLE = '__none__';
/** Tables beyond the limit are counted together under this name. */
export const OTHER_TABLE = '__other__';

export interface Statement {
  readonly type: QueryType;
  /** The statement's table, unquoted and without its schema; {@link NO_TABLE} if there is none. */
  readonly table: string;
}

/** How many characters of a text are read. This is enough for a bulk insert, which names its table at the beginning. */
export const LONGEST_READ = 16_384;

/**
 * Returns the type and the table of a text. Several statements in one text are a `BATCH` unless all have the same type. Their
 * table is the table that all have in common. Takes linear time and never throws: a text that is not SQL is `OTHER`.
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
