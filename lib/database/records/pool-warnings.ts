import type { HealthWarning } from '../../metrics/snapshot.js';
import type { PoolRecord } from './pool-record.js';

/** From this share of a pool in use on it is busy. */
const BUSY = 0.8;
/** From this share on, with callers that wait, it is exhausted. */
const EXHAUSTED = 0.95;

/** What is wrong with pools at this moment; what lasts becomes an alert. */
export function poolWarnings(pools: Iterable<PoolRecord>): HealthWarning[] {
  const warnings: HealthWarning[] = [];
  for (const pool of pools) {
    const { utilization, pending, inUse, size } = pool.figures();
    const used = `${inUse} of ${size} connections of pool '${pool.name}' are in use`;
    if (utilization > EXHAUSTED && pending > 0) {
      warnings.push({
        code: 'POOL_EXHAUSTED',
        message: `${used} and ${pending} callers wait. Look for slow queries in /cache/database, then at the size of the pool.`,
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
