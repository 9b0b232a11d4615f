import { CacheError } from '../base/errors.js';
import type { ReadPlan } from '../policies/read-plan.js';

/** What a caller gets once its `hardTimeout` has passed and no stale value may take the place of the load's. */
export function loadTimeout({ series, policy }: Pick<ReadPlan<never>, 'series' | 'policy'>): CacheError {
  return new CacheError(
    'LOAD_TIMEOUT',
    `The load for ${series.pattern} took longer than its hardTimeout of ${policy.hardTimeoutMs} ms and was given up. ` +
      'Make its origin answer in time, raise hardTimeout, or let staleIfError serve the last value.',
  );
}
