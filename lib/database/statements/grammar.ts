// The words of SQL from which the table of a statement can be found, in groups.

/** Words that may begin a query, at the top or in parentheses. */
export const QUERIES: ReadonlySet<string> = new Set([
  'SELECT',
  'INSERT',
  'UPDATE',
  'DELETE',
  'REPLACE',
  'MERGE',
  'VALUES',
  'TABLE',
  'WITH',
]);
/** Words that introduce another statement, which follows. */
export const WRAPPERS: ReadonlySet<string> = new Set(['WITH', 'EXPLAIN', 'PREPARE', 'DECLARE', 'DESCRIBE']);
/** Statements whose first name is their table. */
// prettier-ignore
export const NAMES_FIRST: ReadonlySet<string> = new Set([
  'INSERT', 'REPLACE', 'UPDATE', 'MERGE', 'TABLE', 'TRUNCATE', 'COPY', 'LOCK', 'ANALYZE', 'VACUUM', 'OPTIMIZE', 'REINDEX',
  'CLUSTER', 'DESCRIBE',
]);
/** Words that may stand between such a statement and its table. */
// prettier-ignore
export const BEFORE_NAME: ReadonlySet<string> = new Set([
  'INTO', 'ONLY', 'LATERAL', 'TABLE', 'TABLES', 'IF', 'NOT', 'EXISTS', 'LOW_PRIORITY', 'HIGH_PRIORITY', 'DELAYED', 'IGNORE',
  'QUICK', 'OVERWRITE', 'CONCURRENTLY', 'VERBOSE', 'ANALYZE', 'FULL', 'FREEZE', 'LOCAL', 'NO_WRITE_TO_BINLOG', 'TOP', 'OUTER',
]);
/** Statements in which FROM and JOIN name tables. Not in this list: `FETCH … FROM cursor`, `REVOKE … FROM role`. */
// prettier-ignore
export const READS_TABLES: ReadonlySet<string> = new Set([
  'SELECT', 'INSERT', 'UPDATE', 'DELETE', 'REPLACE', 'MERGE', 'VALUES', 'TABLE', 'CREATE', 'ALTER', 'DO',
]);
export const DEFINITIONS: ReadonlySet<string> = new Set(['CREATE', 'ALTER', 'DROP', 'COMMENT', 'RENAME', 'REFRESH']);
/** Objects that are defined on a table. */
export const ON_TABLE: ReadonlySet<string> = new Set(['INDEX', 'TRIGGER', 'POLICY', 'RULE']);
/** Objects whose definition contains statements. */
export const ROUTINES: ReadonlySet<string> = new Set(['FUNCTION', 'PROCEDURE', 'TRIGGER', 'EVENT', 'PACKAGE']);
/** Words that end the list of tables after FROM. */
// prettier-ignore
export const AFTER_FROM: ReadonlySet<string> = new Set([
  'WHERE', 'GROUP', 'ORDER', 'HAVING', 'LIMIT', 'OFFSET', 'FETCH', 'UNION', 'INTERSECT', 'EXCEPT', 'WINDOW', 'FOR', 'ON',
  'USING', 'SET', 'RETURNING', 'VALUES', 'SELECT',
]);
/** Words that may follow a table and are not its alias. */
// prettier-ignore
export const AFTER_TABLE: ReadonlySet<string> = new Set([
  ...AFTER_FROM, 'JOIN', 'INNER', 'LEFT', 'RIGHT', 'FULL', 'CROSS', 'NATURAL', 'STRAIGHT_JOIN', 'DEFAULT', 'TABLESAMPLE', 'WITH', 'PARTITION', 'FROM', 'WHEN', 'IN',
]);
