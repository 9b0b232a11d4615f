/**
 * The SQL dialect of a text. It decides what `"` quotes, whether `\` escapes, and what begins a comment. With `unknown`, text
 * that is a literal in any dialect counts as a literal.
 */
export type Dialect = 'postgresql' | 'mysql' | 'sqlite' | 'mssql' | 'unknown';

const BY_NAME: Readonly<Record<string, Dialect>> = {
  postgres: 'postgresql',
  postgresql: 'postgresql',
  pg: 'postgresql',
  pglite: 'postgresql',
  'aurora-postgres': 'postgresql',
  cockroachdb: 'postgresql',
  mysql: 'mysql',
  mariadb: 'mysql',
  'aurora-mysql': 'mysql',
  sqlite: 'sqlite',
  'better-sqlite3': 'sqlite',
  sqljs: 'sqlite',
  mssql: 'mssql',
  sqlserver: 'mssql',
};

/** Returns the dialect for a driver's or provider's name, such as TypeORM's `type` or Prisma's `provider`. */
export function dialectOf(name: unknown): Dialect {
  return typeof name === 'string' && Object.hasOwn(BY_NAME, name) ? BY_NAME[name]! : 'unknown';
}
