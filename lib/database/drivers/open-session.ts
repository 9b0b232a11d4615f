import { hasMethods, type Method } from './patch.js';
import { mysql2PoolOf } from './mysql2-pool.js';
import { isPgPool } from './pg-pool.js';
import { isPglite } from './pglite-queries.js';
import { isTypeOrmDataSource } from './typeorm-queries.js';
import { type OpenPlanSession, OWN_STATEMENT, type PlanSession } from '../plans/plan-session.js';

/**
 * Returns a function that opens sessions for plans, for a pool of pg or mysql2, a DataSource of TypeORM, or a PGlite. Undefined
 * for other targets, because a single connection may be in a transaction of the application.
 */
export function planSessionsOf(target: object): OpenPlanSession | undefined {
  if (isTypeOrmDataSource(target)) return () => typeOrmSession(target as unknown as DataSource);
  if (isPgPool(target)) return () => pgSession(target as unknown as PgPool);
  if (isPglite(target)) return () => pgliteSession(target as unknown as Pglite);
  const pool = mysql2PoolOf(target);
  return pool === undefined ? undefined : () => mysql2Session(pool as unknown as Mysql2);
}

interface PgPool {
  connect(): Promise<{ query(sql: string): Promise<{ rows: unknown[] }>; release(destroy?: boolean): void }>;
}

async function pgSession(pool: PgPool): Promise<PlanSession> {
  const client = await pool.connect();
  return {
    run: async (sql) => (await client.query(sql)).rows,
    release: (broken) => client.release(broken),
  };
}

interface Pglite {
  transaction(work: (tx: { query(sql: string): Promise<{ rows: unknown[] }> }) => Promise<void>): Promise<unknown>;
}

/** PGlite has one connection. This holds it with a transaction until `release` is called. */
function pgliteSession(database: Pglite): Promise<PlanSession> {
  return new Promise((resolve, reject) => {
    let end!: () => void;
    const ended = new Promise<void>((done) => (end = done));
    database
      .transaction(async (tx) => {
        resolve({
          // PGlite's own transaction replaces the statements that begin and end a transaction.
          run: async (sql) => (isBoundary(sql) ? [] : (await tx.query(sql)).rows),
          release: end,
        });
        await ended;
        // An error makes PGlite roll back.
        throw new Error('rolled back');
      })
      .catch(reject);
  });
}

function isBoundary(sql: string): boolean {
  return /^(?:BEGIN|ROLLBACK)/.test(sql.replace(OWN_STATEMENT, ''));
}

type Answered = (error: unknown, rows?: unknown) => void;

interface Mysql2 {
  getConnection(
    opened: (error: unknown, connection: { query: Method; release(): void; destroy(): void }) => void,
  ): void;
}

function mysql2Session(pool: Mysql2): Promise<PlanSession> {
  return new Promise((resolve, reject) => {
    pool.getConnection((failed, connection) => {
      if (hasMethods(failed, 'toString') && failed !== null) return reject(failed as unknown as Error);
      const ask = (sql: string, answered: Answered) => connection.query(sql, answered);
      resolve({
        run: (sql) =>
          new Promise((done, fail) =>
            ask(sql, (error, rows) => {
              if (error === null || error === undefined) done(Array.isArray(rows) ? (rows as unknown[]) : []);
              else fail(error as Error);
            }),
          ),
        release: (broken) => (broken ? connection.destroy() : connection.release()),
      });
    });
  });
}

interface DataSource {
  createQueryRunner(): {
    connect(): Promise<unknown>;
    query(sql: string): Promise<unknown>;
    release(): Promise<void>;
  };
}

async function typeOrmSession(source: DataSource): Promise<PlanSession> {
  const runner = source.createQueryRunner();
  await runner.connect();
  return {
    run: async (sql) => {
      const rows = await runner.query(sql);
      return Array.isArray(rows) ? (rows as unknown[]) : [];
    },
    release: () => void runner.release().catch(() => undefined),
  };
}
