import { CacheError } from '../base/errors.js';
import type { ReadPlan } from '../policies/read-plan.js';

/** The error for a caller whose `hardTimeout` has passed, if no stale value can be served. */
export function loadTimeout({ series, policy }: Pick<ReadPlan<never>, 'series' | 'policy'>): CacheError {
  return new CacheError(
    'LOAD_TIMEOUT',
    `The load for ${series.pattern} took longer than its hardTimeout of ${policy.hardTimeoutMs} ms and was given up. ` +
      'Make its origin answer in time, raise hardTimeout, or let staleIfError serve the last value.',
  );
}
