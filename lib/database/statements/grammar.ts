// The words of SQL by what they say about the table that a statement names.

/** What may begin a query, at the top or in parentheses. */
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
/** Statements that say something about another, which follows. */
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
/** Statements in which FROM and JOIN name tables: not `FETCH … FROM cursor`, `REVOKE … FROM role`. */
// prettier-ignore
export const READS_TABLES: ReadonlySet<string> = new Set([
  'SELECT', 'INSERT', 'UPDATE', 'DELETE', 'REPLACE', 'MERGE', 'VALUES', 'TABLE', 'CREATE', 'ALTER', 'DO',
]);
export const DEFINITIONS: ReadonlySet<string> = new Set(['CREATE', 'ALTER', 'DROP', 'COMMENT', 'RENAME', 'REFRESH']);
/** Things that are defined on a table. */
export const ON_TABLE: ReadonlySet<string> = new Set(['INDEX', 'TRIGGER', 'POLICY', 'RULE']);
/** Things whose definition holds statements of its own. */
export const ROUTINES: ReadonlySet<string> = new Set(['FUNCTION', 'PROCEDURE', 'TRIGGER', 'EVENT', 'PACKAGE']);
/** What ends the list of tables behind FROM. */
// prettier-ignore
export const AFTER_FROM: ReadonlySet<string> = new Set([
  'WHERE', 'GROUP', 'ORDER', 'HAVING', 'LIMIT', 'OFFSET', 'FETCH', 'UNION', 'INTERSECT', 'EXCEPT', 'WINDOW', 'FOR', 'ON',
  'USING', 'SET', 'RETURNING', 'VALUES', 'SELECT',
]);
/** No alias, though it follows a table. */
// prettier-ignore
export const AFTER_TABLE: ReadonlySet<string> = new Set([
  ...AFTER_FROM, 'JOIN', 'INNER', 'LEFT', 'RIGHT', 'FULL', 'CROSS', 'NATURAL', 'STRAIGHT_JOIN', 'DEFAULT', 'TABLESAMPLE', 'WITH', 'PARTITION', 'FROM', 'WHEN', 'IN',
]);
