import type { HealthWarning } from '../../metrics/snapshot.js';
import type { PoolRecord } from './pool-record.js';

/** The share of a pool in use from which it is busy. */
const BUSY = 0.8;
/** The share of a pool in use from which it is exhausted if callers wait. */
const EXHAUSTED = 0.95;

/** Returns warnings about the present state of pools. The caller turns a lasting warning into an alert. */
export function poolWarnings(pools: Iterable<PoolRecord>): HealthWarning[] {
  const warnings: HealthWarning[] = [];
  for (const pool of pools) {
    const { utilization, pending, inUse, size } = pool.figures();
    const used = `${inUse} of ${size} connections of pool '${pool.name}' are in use`;
    if (utilization > EXHAUSTED && pending > 0) {
      warnings.push({
        code: 'POOL_EXHAUSTED',
        message: `${used} and ${waiting(pending)}. Look for slow queries in /cache/database, then at the size of the pool.`,
        value: utilization,
        threshold: EXHAUSTED,
        pool: pool.name,
      });
    } else if (utilization > BUSY) {
      warnings.push({
        code: 'POOL_BUSY',
        message: `${used}. Above ${EXHAUSTED * 100} % callers begin to wait.`,
        value: utilization,
        threshold: BUSY,
        pool: pool.name,
      });
    }
  }
  return warnings;
}

function waiting(callers: number): string {
  return callers === 1 ? '1 caller waits' : `${callers} callers wait`;
}
