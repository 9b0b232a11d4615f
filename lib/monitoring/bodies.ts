import type { Duration } from '../cache/base/duration.js';
import { wildcardsIn } from '../cache/base/glob.js';
import { faultsIn, someTime } from '../cache/options/option-rules.js';
import type { PolicyChange } from '../cache/policies/policy-overrides.js';
import { TUNABLE_FIELDS } from '../cache/policies/tunable-fields.js';
import { MAX_CPU_PROFILE_SECONDS } from '../profiling/cpu-profile.js';
import { changeFaults } from '../tuning/policy-change.js';
import { MonitoringError } from './monitoring-error.js';
import type { MonitoringRequest } from './parameters.js';

/** The maximum number of texts in one list of a body. */
const MAX_ITEMS = 10_000;
/** The maximum number of globs in a body. It is low because each glob is compared with every key. */
const MAX_GLOBS = 100;
const MAX_GLOB_LENGTH = 512;
const MAX_GLOB_WILDCARDS = 32;

/** The body of `POST invalidate`. */
export interface Invalidations {
  readonly keys: readonly string[];
  readonly patterns: readonly string[];
  readonly tags: readonly string[];
  /** The name of the cache, unchecked; undefined if it is left out. */
  readonly cache: unknown;
}

/** Reads the body of `POST warm`: `{ strategies? }`. Returns undefined for all strategies. */
export function warmBodyOf(request: MonitoringRequest): readonly string[] | undefined {
  const { strategies } = fieldsOf(request, ['strategies']);
  if (strategies === undefined) return undefined;
  const names = textsOf('strategies', strategies);
  if (names.length === 0) throw refused('strategies must name at least one strategy; leave it out to run all of them');
  return names;
}

/** Reads the body of `POST invalidate`: `{ keys?, patterns?, tags?, cache? }` with at least one text in the lists. */
export function invalidationsOf(request: MonitoringRequest): Invalidations {
  const fields = fieldsOf(request, ['keys', 'patterns', 'tags', 'cache']);
  const lists = {
    keys: textsOf('keys', fields['keys'] ?? []),
    patterns: globsOf(fields['patterns'] ?? []),
    tags: textsOf('tags', fields['tags'] ?? []),
    cache: fields['cache'],
  };
  if (lists.keys.length + lists.patterns.length + lists.tags.length === 0) {
    throw refused('give at least one of keys, patterns, tags, each a list of texts: {"patterns": ["feed:*"]}');
  }
  return lists;
}

/** The default duration of a CPU profile, seconds. */
const CPU_PROFILE_SECONDS = 5;

/** Reads the body of `POST cpu-profile`: `{ seconds? }`. */
export function cpuProfileSecondsOf(request: MonitoringRequest): number {
  const { seconds = CPU_PROFILE_SECONDS } = fieldsOf(request, ['seconds']);
  if (typeof seconds === 'number' && seconds > 0 && seconds <= MAX_CPU_PROFILE_SECONDS) return seconds;
  throw refused(`seconds must be a number of more than 0 and at most ${MAX_CPU_PROFILE_SECONDS}`);
}

/** Reads the body of `PUT policies` and `PATCH policies`: fields of a policy, and `for`. */
export function policyBodyOf(request: MonitoringRequest): { change: PolicyChange; lasting: Duration | undefined } {
  const { for: lasting, ...change } = fieldsOf(request, [...TUNABLE_FIELDS, 'for']);
  const faults = [...changeFaults(change), ...(lasting === undefined ? [] : durationFaults(lasting))];
  if (faults.length > 0) throw refused(faults.join('; '));
  return { change: change as PolicyChange, lasting: lasting as Duration | undefined };
}

function durationFaults(lasting: unknown): string[] {
  return faultsIn(someTime, lasting, 'for').map(({ text }) => text);
}

/** Refuses a body with content. */
export function noBodyOf(request: MonitoringRequest): void {
  fieldsOf(request, []);
}

function fieldsOf(request: MonitoringRequest, allowed: readonly string[]): Record<string, unknown> {
  const { body } = request;
  if (body === undefined || body === null || body === '') return {};
  if (typeof body !== 'object' || Array.isArray(body)) {
    throw refused(`the body must be a JSON object${allowed.length > 0 ? ` with ${allowed.join(', ')}` : ''}`);
  }
  const unknown = Object.keys(body).filter((name) => !allowed.includes(name));
  if (unknown.length > 0) {
    const names = unknown.map((name) => JSON.stringify(name.slice(0, 40))).join(', ');
    throw refused(`unknown in the body: ${names}; allowed: ${allowed.join(', ') || 'nothing'}`);
  }
  return body as Record<string, unknown>;
}

function globsOf(value: unknown): readonly string[] {
  const globs = textsOf('patterns', value, MAX_GLOBS);
  globs.forEach((glob, at) => {
    if (glob.length > MAX_GLOB_LENGTH) {
      throw refused(`patterns[${at}] has ${glob.length} characters; give at most ${MAX_GLOB_LENGTH}`);
    }
    const wildcards = wildcardsIn(glob);
    if (wildcards > MAX_GLOB_WILDCARDS) {
      throw refused(`patterns[${at}] has ${wildcards} wildcards; give at most ${MAX_GLOB_WILDCARDS}`);
    }
  });
  return globs;
}

function textsOf(name: string, value: unknown, limit = MAX_ITEMS): readonly string[] {
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string' && item !== '')) {
    throw refused(`${name} must be a list of non-empty texts`);
  }
  if (value.length > limit) throw refused(`${name} must hold at most ${limit} texts, not ${value.length}`);
  return value;
}

function refused(message: string): MonitoringError {
  return new MonitoringError(400, 'INVALID_BODY', message);
}
