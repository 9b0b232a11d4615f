/**
 * The SQL dialect of a text: what `"` quotes, whether `\` escapes, what begins a comment. With `unknown`, everything that could be
 * a literal in any dialect is taken for a literal.
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
