import type { Dialect } from '../statements/dialect.js';
import { OWN_STATEMENT, type PlanSession } from './plan-session.js';
import type { PlannedStatement } from './planned-statement.js';

/** The time limit for planning, including waiting for locks, milliseconds. */
const PLAN_MS = 2_000;
const LOCK_MS = 500;

/**
 * Returns the plan of a statement as text, from `EXPLAIN` without `ANALYZE`. The database plans the statement and never runs
 * it, in a read-only transaction that is rolled back.
 */
export async function explain(session: PlanSession, statement: PlannedStatement, dialect: Dialect): Promise<string> {
  const plan = dialect === 'mysql' ? explainMysql : explainPostgres;
  return withoutTexts(await plan((sql) => session.run(OWN_STATEMENT + sql), statement));
}

type Run = (sql: string) => Promise<readonly unknown[]>;

/** PostgreSQL 12 and later can plan a prepared statement without its parameters. */
async function explainPostgres(run: Run, { sql, parameters }: PlannedStatement): Promise<string> {
  await run('BEGIN READ ONLY');
  let prepared = false;
  try {
    await run(`SET LOCAL statement_timeout = ${PLAN_MS}`);
    await run(`SET LOCAL lock_timeout = ${LOCK_MS}`);
    await run('SET LOCAL plan_cache_mode = force_generic_plan');
    await run(`PREPARE cache_observability_plan AS ${sql}`);
    prepared = true;
    const values = parameters === 0 ? '' : `(${Array<string>(parameters).fill('NULL').join(', ')})`;
    const lines = await run(`EXPLAIN EXECUTE cache_observability_plan${values}`);
    return lines.map(firstColumn).join('\n');
  } finally {
    await run('ROLLBACK').catch(() => undefined);
    // Prepared statements outlive the transaction.
    if (prepared) await run('DEALLOCATE cache_observability_plan').catch(() => undefined);
  }
}

/** MySQL and MariaDB cannot plan without values, so the statement contains assumed values. */
async function explainMysql(run: Run, { sql }: PlannedStatement): Promise<string> {
  return String(firstColumn((await run(`EXPLAIN FORMAT=JSON ${sql}`))[0]));
}

function firstColumn(row: unknown): unknown {
  return typeof row === 'object' && row !== null ? Object.values(row)[0] : undefined;
}

/** Removes string literals from a plan. They come from views and indexes, not from the statement, and may contain data. */
function withoutTexts(plan: string): string {
  return plan.replace(/'(?:[^'\\]|''|\\.)*'/gs, '?');
}
