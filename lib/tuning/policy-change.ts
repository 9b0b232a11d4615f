import { milliseconds } from '../cache/base/duration.js';
import { CacheError } from '../cache/base/errors.js';
import { duration, faultsIn, isRecord, type Rule, shape } from '../cache/options/option-rules.js';
import type { PolicyChange } from '../cache/policies/policy-overrides.js';
import { TUNABLE_FIELDS } from '../cache/policies/tunable-fields.js';
import { policyFields } from '../cache/policies/policy-rules.js';
import type { ResolvedPolicy } from '../cache/policies/resolved-policy.js';
import type { TuningBounds } from './tuning-bounds.js';

const rules: Readonly<Record<keyof PolicyChange, Rule>> = {
  ttl: duration,
  staleWhileRevalidate: policyFields.staleWhileRevalidate,
  staleIfError: policyFields.staleIfError,
  softTimeout: policyFields.softTimeout,
  hardTimeout: policyFields.hardTimeout,
  refreshAhead: policyFields.refreshAhead,
  jitter: policyFields.jitter,
  negativeTtl: policyFields.negativeTtl,
  lock: policyFields.lock,
  waitTimeout: policyFields.waitTimeout,
  maxEntrySize: policyFields.maxEntrySize,
};
const rule = shape(rules);

/** Returns the faults of a change on its own; empty if it is valid. */
export function changeFaults(given: unknown): string[] {
  const faults = faultsIn(rule, given).map(({ text }) => text);
  if (faults.length > 0 || !isRecord(given)) return faults;
  const isEmpty = Object.values(given).every((value) => value === undefined);
  return isEmpty ? [`name at least one field to override: ${TUNABLE_FIELDS.join(', ')}`] : [];
}

/** Returns the fields that are set, in a fixed order. */
export function plainChange(change: PolicyChange): PolicyChange {
  return Object.fromEntries(
    TUNABLE_FIELDS.filter((name) => change[name] !== undefined).map((name) => [name, change[name]]),
  );
}

/**
 * Checks a change against the rest of the policy and the bounds.
 * @throws CacheError `INVALID_OPTIONS`, `POLICY_OUT_OF_BOUNDS`
 */
export function checkFits(
  pattern: string,
  change: PolicyChange,
  policies: readonly ResolvedPolicy[],
  bounds: TuningBounds,
): void {
  if (change.softTimeout !== undefined || change.hardTimeout !== undefined) {
    for (const { softTimeoutMs, hardTimeoutMs } of policies) {
      const soft = change.softTimeout === undefined ? softTimeoutMs : milliseconds(change.softTimeout);
      const hard = change.hardTimeout === undefined ? hardTimeoutMs : milliseconds(change.hardTimeout) || Infinity;
      if (soft < hard || soft === Infinity) continue;
      throw new CacheError(
        'INVALID_OPTIONS',
        `softTimeout: ${soft} ms is not shorter than the hardTimeout of ${hard} ms. Override both.`,
      );
    }
  }
  if (change.ttl !== undefined) bounds.check(pattern, milliseconds(change.ttl, 'ttl') || Infinity);
}
