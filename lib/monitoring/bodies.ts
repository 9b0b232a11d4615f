import { MAX_CPU_PROFILE_SECONDS } from '../profiling/cpu-profile.js';
import { MonitoringError } from './monitoring-error.js';
import type { MonitoringRequest } from './parameters.js';

/** Texts in one list of a body, at most. */
const MAX_ITEMS = 10_000;

/** What `POST invalidate` was asked to make unreadable. */
export interface Invalidations {
  readonly keys: readonly string[];
  readonly patterns: readonly string[];
  readonly tags: readonly string[];
}

/** The body of `POST warm`: `{ strategies? }`; undefined is all of them. */
export function warmBodyOf(request: MonitoringRequest): readonly string[] | undefined {
  const { strategies } = fieldsOf(request, ['strategies']);
  if (strategies === undefined) return undefined;
  const names = textsOf('strategies', strategies);
  if (names.length === 0) throw refused('strategies must name at least one; leave it out to run all of them');
  return names;
}

/** The body of `POST invalidate`: `{ keys?, patterns?, tags? }`, at least one text in all. */
export function invalidationsOf(request: MonitoringRequest): Invalidations {
  const fields = fieldsOf(request, ['keys', 'patterns', 'tags']);
  const lists = {
    keys: textsOf('keys', fields['keys'] ?? []),
    patterns: textsOf('patterns', fields['patterns'] ?? []),
    tags: textsOf('tags', fields['tags'] ?? []),
  };
  if (lists.keys.length + lists.patterns.length + lists.tags.length === 0) {
    throw refused('give at least one of keys, patterns, tags, each a list of texts: {"patterns": ["feed:*"]}');
  }
  return lists;
}

/** How long the CPU is profiled where nobody says it, seconds. */
const CPU_PROFILE_SECONDS = 5;

/** The body of `POST cpu-profile`: `{ seconds? }`. */
export function cpuProfileSecondsOf(request: MonitoringRequest): number {
  const { seconds = CPU_PROFILE_SECONDS } = fieldsOf(request, ['seconds']);
  if (typeof seconds === 'number' && seconds > 0 && seconds <= MAX_CPU_PROFILE_SECONDS) return seconds;
  throw refused(`seconds must be a number of more than 0 and at most ${MAX_CPU_PROFILE_SECONDS}`);
}

/** A body that holds nothing, or none. */
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

function textsOf(name: string, value: unknown): readonly string[] {
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string' && item !== '')) {
    throw refused(`${name} must be a list of texts that are not empty`);
  }
  if (value.length > MAX_ITEMS) throw refused(`${name} must hold at most ${MAX_ITEMS} texts, not ${value.length}`);
  return value;
}

function refused(message: string): MonitoringError {
  return new MonitoringError(400, 'INVALID_BODY', message);
}
