import type { IncomingHttpHeaders } from 'node:http';
import { OWN_CACHE } from '../cache/base/tokens.js';
import { type Window, WINDOWS } from '../metrics/snapshot.js';
import { HISTORY_WINDOWS, type HistoryWindow } from '../metrics/windows/history.js';
import { MAX_PATTERN_LENGTH } from '../tuning/override-record.js';
import { MonitoringError } from './monitoring-error.js';

/** The part of a request that the routes read. The application's pipes do not change it. */
export interface MonitoringRequest {
  readonly headers?: IncomingHttpHeaders;
  readonly query?: unknown;
  readonly body?: unknown;
  readonly params?: unknown;
  readonly originalUrl?: string;
  readonly url?: string;
  /** The authenticated user, as the application's guards set it. */
  readonly user?: unknown;
}

/** Reads `?window=`; `all` if it is left out. */
export function windowOf(request: MonitoringRequest): Window {
  const text = parameter(request, 'window');
  if (text === undefined) return 'all';
  const window = WINDOWS.find((known) => known === text);
  if (window === undefined) throw refused(`window must be one of ${WINDOWS.join(', ')}, not ${quoted(text)}`);
  return window;
}

/** Reads `?window=` of a history; `1h` if it is left out. `all` is refused, because a history needs a beginning. */
export function historyWindowOf(request: MonitoringRequest): HistoryWindow {
  const text = parameter(request, 'window');
  if (text === undefined) return '1h';
  const window = HISTORY_WINDOWS.find((known) => known === text);
  if (window === undefined) throw refused(`window must be one of ${HISTORY_WINDOWS.join(', ')}, not ${quoted(text)}`);
  return window;
}

/** Reads `?pattern=`; undefined if it is left out. */
export function patternOf(request: MonitoringRequest): string | undefined {
  const text = parameter(request, 'pattern');
  if (text !== undefined && (text === '' || text.length > MAX_PATTERN_LENGTH)) {
    throw refused(`pattern must have 1 to ${MAX_PATTERN_LENGTH} characters`);
  }
  return text;
}

/** Reads `?patterns=`, the number of listed patterns: a whole number from 0 to 100, 0 if it is left out. */
export function patternsOf(request: MonitoringRequest): number {
  return numberOf(request, 'patterns', 0, 'a whole number from 0 to 100', (count) => {
    return Number.isInteger(count) && count >= 0 && count <= 100;
  });
}

/** Reads `?limit=`, a whole number from 1 to 1000; 10 if it is left out. */
export function limitOf(request: MonitoringRequest): number {
  return numberOf(request, 'limit', 10, 'a whole number from 1 to 1000', (limit) => {
    return Number.isInteger(limit) && limit >= 1 && limit <= 1000;
  });
}

/** Reads the same as {@link limitOf}; undefined if it is left out. */
export function givenLimitOf(request: MonitoringRequest): number | undefined {
  return parameter(request, 'limit') === undefined ? undefined : limitOf(request);
}

/** Reads `?threshold=`, a number from 0 to 1; 0.5 if it is left out. */
export function thresholdOf(request: MonitoringRequest): number {
  return numberOf(request, 'threshold', 0.5, 'a number from 0 to 1', (rate) => rate >= 0 && rate <= 1);
}

/** Reads `?min_requests=`, a whole number of 0 or more; 1 if it is left out. */
export function minRequestsOf(request: MonitoringRequest): number {
  return numberOf(request, 'min_requests', 1, 'a whole number of 0 or more', (count) => {
    return Number.isSafeInteger(count) && count >= 0;
  });
}

/** Reads `?wait=true|false`; true if it is left out. */
export function waitOf(request: MonitoringRequest): boolean {
  const text = parameter(request, 'wait');
  if (text !== undefined && text !== 'true' && text !== 'false') {
    throw refused(`wait must be true or false, not ${quoted(text)}`);
  }
  return text !== 'false';
}

/** Returns the cache of this name; undefined for the application's own cache. */
function namedCache<C>(name: unknown, caches: ReadonlyMap<string, C>): C | undefined {
  if (name === undefined || name === OWN_CACHE) return undefined;
  const cache = typeof name === 'string' ? caches.get(name) : undefined;
  if (cache !== undefined) return cache;
  const given = typeof name === 'string' ? quoted(name) : `a ${typeof name}`;
  throw refused(`cache must be one of ${[OWN_CACHE, ...caches.keys()].join(', ')}, not ${given}`);
}

/** Reads `?cache=` as a name, unchecked; `default` if it is left out. */
export function cacheNameOf(request: MonitoringRequest): string {
  return (parameter(request, 'cache') as string | undefined) ?? OWN_CACHE;
}

/**
 * Reads `?cache=`; undefined for the application's own cache. Refuses a named cache with `scope=fleet`, because instances exchange the
 * statistics of the application's own cache only.
 */
export function cacheOf<C>(request: MonitoringRequest, caches: ReadonlyMap<string, C>): C | undefined {
  const cache = namedCache(parameter(request, 'cache'), caches);
  if (cache !== undefined && scopeOf(request) === 'fleet')
    throw refused(`scope must be instance if cache names another cache than default`);
  return cache;
}

/** Which instances statistics cover. */
const SCOPES = ['instance', 'fleet'] as const;

/** Reads `?scope=instance|fleet`; `instance` if it is left out. */
export function scopeOf(request: MonitoringRequest): (typeof SCOPES)[number] {
  return oneOf(request, 'scope', SCOPES);
}

/** Reads `?shape=`, the shape of a slow statement. */
export function shapeOf(request: MonitoringRequest): string {
  const shape = parameter(request, 'shape');
  if (shape === undefined || shape === '') throw refused('shape is missing; give the shape of a slow query');
  return shape;
}

/** Reads `?state=open|all`; `open` if it is left out. */
export function alertStateOf(request: MonitoringRequest): 'open' | 'all' {
  return oneOf(request, 'state', ['open', 'all']);
}

const FLAMEGRAPH_FORMATS = ['folded', 'svg', 'speedscope'] as const;

/** Reads `?format=folded|svg|speedscope`; `folded` if it is left out. */
export function flamegraphFormatOf(request: MonitoringRequest): (typeof FLAMEGRAPH_FORMATS)[number] {
  return oneOf(request, 'format', FLAMEGRAPH_FORMATS);
}

/** Reads `?pattern=`, which must be given. */
export function requiredPatternOf(request: MonitoringRequest): string {
  const pattern = patternOf(request);
  if (pattern === undefined) throw refused('pattern must be given, such as ?pattern=feed:*');
  return pattern;
}

/** Reads `?cache=`; undefined for the application's own cache. */
export function cacheParameterOf<C>(request: MonitoringRequest, caches: ReadonlyMap<string, C>): C | undefined {
  return namedCache(parameter(request, 'cache'), caches);
}

/** Returns the cache that `?cache=` names; all caches if it is left out. */
export function cachesOf<C>(request: MonitoringRequest, own: C, caches: ReadonlyMap<string, C>): readonly C[] {
  const name = parameter(request, 'cache');
  return name === undefined ? [own, ...caches.values()] : [namedCache(name, caches) ?? own];
}

/** Returns the cache that the body or `?cache=` names; undefined for the application's own cache. */
export function writtenCacheOf<C>(
  inBody: unknown,
  request: MonitoringRequest,
  caches: ReadonlyMap<string, C>,
): C | undefined {
  const inQuery = parameter(request, 'cache');
  if (inBody !== undefined && inQuery !== undefined && inBody !== inQuery) {
    throw refused('cache differs between the body and the query; give it once');
  }
  return namedCache(inBody ?? inQuery, caches);
}

/** Returns one parameter of the route's path. */
export function pathParameterOf(request: MonitoringRequest, name: string): string {
  return String((request.params as Record<string, unknown> | undefined)?.[name] ?? '');
}

/** The most routes in one request, and the most characters of each. URL encoding turns one character of a pattern into up to nine. */
const MAX_ADDRESSES = 32;
const MAX_ADDRESS_LENGTH = 512 + 9 * MAX_PATTERN_LENGTH;

/** Reads all `?part=`: addresses of routes with their queries, such as `stats?window=5m`; undefined if there is none. */
export function partsOf({ query }: MonitoringRequest): readonly string[] | undefined {
  const given = (query as Record<string, unknown> | null | undefined)?.['part'];
  if (given === undefined) return undefined;
  const parts = [...new Set([given].flat())];
  if (parts.length > MAX_ADDRESSES) throw refused(`part must be given at most ${MAX_ADDRESSES} times`);
  if (parts.every((part) => typeof part === 'string' && part.length <= MAX_ADDRESS_LENGTH)) return parts as string[];
  throw refused(`part must be the address of a route that reads, of at most ${MAX_ADDRESS_LENGTH} characters`);
}

/** Returns the error for a part that is not the address of a route. */
export function unknownPart(part: string): MonitoringError {
  return refused(`part must be the address of a route that reads, such as stats?window=5m, not ${quoted(part)}`);
}

function numberOf(
  request: MonitoringRequest,
  name: string,
  otherwise: number,
  what: string,
  holds: (value: number) => boolean,
): number {
  const text = parameter(request, name);
  if (text === undefined) return otherwise;
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
  if (!holds(value)) throw refused(`${name} must be ${what}, not ${quoted(text)}`);
  return value;
}

/** Reads a parameter that must be one of these names; the first name if it is left out. */
function oneOf<const T extends string>(request: MonitoringRequest, name: string, allowed: readonly [T, ...T[]]): T {
  const text = parameter(request, name);
  if (text === undefined) return allowed[0];
  const chosen = allowed.find((known) => known === text);
  if (chosen === undefined) throw refused(`${name} must be one of ${allowed.join(', ')}, not ${quoted(text)}`);
  return chosen;
}

function parameter(request: MonitoringRequest, name: string): string | undefined {
  const query = request.query;
  const value = typeof query === 'object' && query !== null ? (query as Record<string, unknown>)[name] : undefined;
  if (value !== undefined && typeof value !== 'string') throw refused(`${name} must be given once, as a plain value`);
  return value;
}

function refused(message: string): MonitoringError {
  return new MonitoringError(400, 'INVALID_PARAMETER', message);
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
