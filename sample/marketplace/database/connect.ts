import pg from 'pg';
import { EmbeddedPostgres } from './embedded/embedded-postgres.js';

/** A pool of connections and how to let go of it. */
export interface Origin {
  readonly pool: pg.Pool;
  /** What start-up prints: `embedded PostgreSQL`, or where the real one is. */
  readonly description: string;
  close(): Promise<void>;
}

/** Connects to the PostgreSQL of `url`, or starts an embedded one. Rejects where it cannot be reached. */
export async function connectOrigin(url: string | undefined): Promise<Origin> {
  return url === undefined ? embedded() : remote(url);
}

async function remote(url: string): Promise<Origin> {
  const pool = new pg.Pool({ connectionString: url, max: 10, connectionTimeoutMillis: 5_000 });
  const { host, pathname } = new URL(url);
  const description = `PostgreSQL at ${host}${pathname}`;
  // A connection that breaks while idle is replaced by the next query; without a listener it would end the process.
  pool.on('error', (error) => console.warn(`${description}: ${error.message}`));
  try {
    await pool.query('SELECT 1');
  } catch (cause) {
    await pool.end();
    throw new Error(`${description} cannot be reached; is DATABASE_URL right?`, { cause });
  }
  return { pool, description, close: () => pool.end() };
}

async function embedded(): Promise<Origin> {
  const server = new EmbeddedPostgres();
  const pool = new pg.Pool({
    user: 'postgres',
    database: 'postgres',
    max: 1,
    idleTimeoutMillis: 0,
    stream: () => server.connect(),
  });
  await pool.query('SELECT 1');
  return {
    pool,
    description: 'embedded PostgreSQL',
    async close() {
      await pool.end();
      await server.stop();
    },
  };
}
