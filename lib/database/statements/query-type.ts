/** All types of statements: the values of the label `query_type`. */
// prettier-ignore
export const QUERY_TYPES = [
  'SELECT', 'INSERT', 'UPDATE', 'DELETE', 'MERGE', 'REPLACE', 'VALUES', 'TABLE', 'CALL', 'DO', 'COPY', 'EXPLAIN', 'SHOW',
  'DESCRIBE', 'CREATE', 'ALTER', 'DROP', 'TRUNCATE', 'RENAME', 'COMMENT', 'GRANT', 'REVOKE', 'BEGIN', 'COMMIT', 'ROLLBACK',
  'SAVEPOINT', 'RELEASE', 'SET', 'RESET', 'USE', 'LOCK', 'UNLOCK', 'ANALYZE', 'VACUUM',
  'OPTIMIZE', 'REINDEX', 'CLUSTER', 'REFRESH', 'CHECKPOINT', 'PRAGMA', 'PREPARE', 'EXECUTE', 'DEALLOCATE', 'DECLARE',
  'FETCH', 'MOVE', 'CLOSE', 'LISTEN', 'NOTIFY', 'UNLISTEN', 'DISCARD', 'KILL', 'LOAD', 'BATCH', 'OTHER',
] as const;
export type QueryType = (typeof QUERY_TYPES)[number];

const TYPES: ReadonlySet<string> = new Set(QUERY_TYPES);
const SYNONYMS: Readonly<Record<string, QueryType>> = {
  DESC: 'DESCRIBE',
  START: 'BEGIN',
  END: 'COMMIT',
  ABORT: 'ROLLBACK',
};

/** Returns the type of a statement by its first word, which must be in upper case. */
export function typeOf(word: string): QueryType {
  if (TYPES.has(word)) return word as QueryType;
  return Object.hasOwn(SYNONYMS, word) ? SYNONYMS[word]! : 'OTHER';
}
