import { classFaults } from '../entries/listed-classes.js';
import { orAutomatic } from './automatic-ttl.js';
import type { CacheError } from '../base/errors.js';
import {
  callable,
  duration,
  either,
  faultsError,
  faultsIn,
  flag,
  functionOr,
  integer,
  isRecord,
  lengthOf,
  listOf,
  number,
  oneOf,
  orFalse,
  type Report,
  type Rule,
  shape,
  text,
} from '../options/option-rules.js';

export const rate = number(0, 1);

export const classes: Rule = (value, path, report) => classFaults(value, path).forEach((fault) => report(fault));

/** The rules for the fields of a policy, without its TTL. */
export const policyFields = {
  staleWhileRevalidate: duration,
  staleIfError: duration,
  softTimeout: duration,
  hardTimeout: duration,
  refreshAhead: either(
    [(value) => typeof value === 'number', rate],
    [isRecord, shape({ fraction: rate, xfetch: flag, beta: aboveZero })],
    [() => true, oneOf('xfetch')],
  ),
  jitter: rate,
  negativeTtl: orFalse(duration),
  cacheIf: callable,
  lock: flag,
  waitTimeout: duration,
  tags: functionOr(listOf(text)),
  maxEntrySize: integer(1),
  clone: flag,
  classes,
} satisfies Record<string, Rule>;

/** The rules for a policy that `getOrSet`, `wrap` and similar methods accept. */
const fields: Readonly<Record<string, Rule>> = {
  ttl: orAutomatic(functionOr(duration)),
  ...policyFields,
  refreshThreshold: functionOr(number(0)),
};
const policyRule = shape(fields);
const rules = new Map(Object.entries(fields));

/** Fields whose strings are parsed when the policy is resolved, which also checks them. */
const DURATIONS: ReadonlySet<string> = new Set([
  'ttl',
  'staleWhileRevalidate',
  'staleIfError',
  'softTimeout',
  'hardTimeout',
  'negativeTtl',
  'waitTimeout',
]);

/**
 * Checks names and types, because resolving a policy does not. Throws an unspecific error at the first fault; {@link policyError} lists all
 * faults. Every miss with its own policy calls this, so it allocates nothing.
 */
export function checkTypes(policy: object): void {
  if (typeof policy !== 'object' || policy === null) giveUp();
  for (const name in policy) {
    if (!Object.hasOwn(policy, name)) continue;
    const value = (policy as Record<string, unknown>)[name];
    const rule = rules.get(name) ?? giveUp();
    if (value === undefined || (typeof value === 'string' && DURATIONS.has(name))) continue;
    rule(value, name, giveUp);
  }
}

function giveUp(): never {
  throw new TypeError('not a policy');
}

/** Returns all faults of a policy as one error; undefined if there are none. */
export function policyError(policy: unknown): CacheError | undefined {
  const faults = faultsIn(policyRule, policy, isRecord(policy) ? '' : 'policy');
  return faults.length === 0 ? undefined : faultsError('Cache policy', faults);
}

/** Reports times of one policy that are valid separately but contradict each other. */
export function timeContradictions(
  { softTimeout, hardTimeout = '30s' }: Readonly<Record<string, unknown>>,
  path: string,
  report: Report,
): void {
  const [soft, hard] = [lengthOf(softTimeout), lengthOf(hardTimeout)];
  if (soft === undefined || hard === undefined || hard === 0 || soft < hard) return;
  report(`${path}softTimeout: must be shorter than ${path}hardTimeout (30s unless set)`);
}

function aboveZero(value: unknown, path: string, report: Report): void {
  if (!(typeof value === 'number' && value > 0 && value < Infinity)) {
    report(`${path}: must be a number above 0, not ${String(value)}`);
  }
}
