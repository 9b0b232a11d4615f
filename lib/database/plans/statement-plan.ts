import { TIMED_OUT, within } from '../../cache/base/bounded-wait.js';
import type { Clock } from '../../cache/base/clock.js';
import { CacheError } from '../../cache/base/errors.js';
import { errorKind } from '../../cache/base/redacted-error.js';
import type { Dialect } from '../statements/dialect.js';
import { explain } from './explain.js';
import type { OpenPlanSession, PlanSession } from './plan-session.js';
import { plannedStatement } from './planned-statement.js';

/** How the database would run a slow statement. */
export interface StatementPlan {
  readonly shape: string;
  readonly queryType: string;
  readonly table: string;
  readonly dialect: string;
  /** Text from PostgreSQL, JSON from MySQL and MariaDB. */
  readonly plan: string;
  /** `generic`: planned for any values. `assumed`: planned with 1 in place of each value, so the real plan may differ. */
  readonly values: 'generic' | 'assumed';
}

/** The time limit for a plan, milliseconds. Opening the connection has the same limit separately. */
const WITHIN_MS = 3_000;

/** The known facts about a slow statement. */
interface SlowStatement {
  readonly record: { readonly type: string; readonly table: string };
  readonly dialect: Dialect;
  readonly plans: OpenPlanSession | undefined;
}

/** @throws CacheError `PLANS_OFF`, `PLAN_UNAVAILABLE`. */
export async function planOf(shape: string, statement: SlowStatement, clock: Clock): Promise<StatementPlan> {
  const { record, dialect, plans } = statement;
  if (plans === undefined) {
    throw new CacheError(
      'PLANS_OFF',
      'Plans are off for this statement. Observe its pool with observeQueries(pool, { explain: true }).',
    );
  }
  const planned = dialect === 'postgresql' || dialect === 'mysql' ? plannedStatement(shape, dialect) : undefined;
  if (planned === undefined) {
    throw unavailable('it is not one statement that reads or writes rows, or its stored text is cut');
  }
  const session = await opened(plans, clock);
  let plan: string | typeof TIMED_OUT;
  try {
    plan = await within(explain(session, planned, dialect), WITHIN_MS, clock);
  } catch (error) {
    session.release(false);
    throw unavailable(`the database refuses it without its values (${errorKind(error)})`);
  }
  session.release(plan === TIMED_OUT);
  if (plan === TIMED_OUT) throw unavailable('the database has not answered');
  return Object.freeze({
    shape,
    queryType: record.type,
    table: record.table,
    dialect,
    plan,
    values: dialect === 'mysql' ? 'assumed' : 'generic',
  });
}

async function opened(plans: OpenPlanSession, clock: Clock): Promise<PlanSession> {
  const opening = plans();
  const session = await within(opening, WITHIN_MS, clock).catch((error: unknown) => {
    throw unavailable(`the database cannot be reached (${errorKind(error)})`);
  });
  if (session !== TIMED_OUT) return session;
  // Release the connection if it opens after the time limit.
  opening.then(
    ({ release }) => release(false),
    () => undefined,
  );
  throw unavailable('no connection came free');
}

function unavailable(why: string): CacheError {
  return new CacheError('PLAN_UNAVAILABLE', `This statement cannot be planned: ${why}.`);
}
