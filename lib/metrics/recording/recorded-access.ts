import { CacheError } from '../../cache/errors.js';
import { type CacheObserver, MissReason, Operation, Outcome, Result } from '../../cache/observer.js';
import type { AccessRecord } from '../access-record.js';

const OUTCOMES: Readonly<Record<string, Outcome>> = {
  hit: Outcome.hit,
  stale: Outcome.stale,
  miss: Outcome.miss,
  coalesced: Outcome.coalesced,
  error: Outcome.error,
};

const RESULTS: Readonly<Record<Exclude<AccessRecord['operation'], 'get'>, readonly (keyof typeof Result)[]>> = {
  set: ['ok', 'rejected', 'error'],
  warm: ['ok', 'rejected', 'error'],
  has: ['ok', 'absent', 'error'],
  delete: ['ok', 'absent', 'error'],
  invalidate: ['ok', 'absent', 'error'],
  load: ['ok', 'error', 'timeout'],
  refresh: ['ok', 'error', 'timeout'],
};

/**
 * Tells an observer of an access that happened elsewhere.
 * @throws CacheError `INVALID_RECORD` for what no access can be; it names the field.
 */
export function recordAccess(observer: CacheObserver, access: AccessRecord): void {
  checkAccess(access);
  const { operation, result, responseTimeMs, sizeBytes = 0, endpoint } = access;
  if (operation === 'invalidate')
    return observer.invalidation(Result[result as keyof typeof Result], responseTimeMs, 0);
  const series =
    access.pattern === undefined && endpoint === undefined
      ? observer.seriesOf(access.key!)
      : observer.series(access.pattern ?? observer.seriesOf(access.key!).pattern, endpoint);
  if (operation !== 'get') {
    const how = Result[result as keyof typeof Result];
    if (operation === 'load' || operation === 'refresh')
      observer.load(series, Operation[operation], how, responseTimeMs);
    else observer.operation(series, Operation[operation], how, responseTimeMs, sizeBytes);
    return;
  }
  const outcome = OUTCOMES[result]!;
  const reason =
    outcome === Outcome.hit || outcome === Outcome.stale
      ? MissReason.none
      : outcome === Outcome.error
        ? MissReason.error
        : MissReason.unknown;
  observer.access(series, outcome, -1, responseTimeMs, responseTimeMs, reason);
}

/** @throws CacheError `INVALID_RECORD` for what no access can be. */
export function checkAccess(access: AccessRecord): void {
  const { operation, result, responseTimeMs, sizeBytes, key, pattern, endpoint } = access;
  if (!Object.hasOwn(Operation, operation)) {
    fail(`operation ${JSON.stringify(operation)} is unknown; give one of ${Object.keys(Operation).join(', ')}`);
  }
  const allowed: readonly string[] = operation === 'get' ? Object.keys(OUTCOMES) : RESULTS[operation];
  if (!allowed.includes(result)) {
    fail(`result ${JSON.stringify(result)} is none of ${operation}; give one of ${allowed.join(', ')}`);
  }
  if (typeof responseTimeMs !== 'number' || !Number.isFinite(responseTimeMs) || responseTimeMs < 0) {
    fail(`responseTimeMs ${String(responseTimeMs)} is no duration; give milliseconds, zero or more`);
  }
  if (sizeBytes !== undefined && !(Number.isFinite(sizeBytes) && sizeBytes >= 0)) {
    fail(`sizeBytes ${String(sizeBytes)} is no size; give bytes, zero or more`);
  }
  for (const [name, value] of Object.entries({ key, pattern, endpoint })) {
    if (value !== undefined && (typeof value !== 'string' || value === ''))
      fail(`${name} must be a text that is not empty`);
  }
  if (key === undefined && pattern === undefined && operation !== 'invalidate') {
    fail('neither key nor pattern is given; one of them says where to count');
  }
}

function fail(what: string): never {
  throw new CacheError('INVALID_RECORD', `metrics.record: ${what}.`);
}
