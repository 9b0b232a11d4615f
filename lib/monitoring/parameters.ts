import { type Window, WINDOWS } from '../metrics/snapshot.js';
import { MonitoringError } from './monitoring-error.js';

/** The part of a request that the routes read: as it came, past the application's pipes. */
export interface MonitoringRequest {
  readonly query?: unknown;
  readonly body?: unknown;
  readonly params?: unknown;
  readonly originalUrl?: string;
  readonly url?: string;
}

/** `?window=`, `all` where it is left out. */
export function windowOf(request: MonitoringRequest): Window {
  const text = parameter(request, 'window');
  if (text === undefined) return 'all';
  const window = WINDOWS.find((known) => known === text);
  if (window === undefined) throw refused(`window must be one of ${WINDOWS.join(', ')}, not ${quoted(text)}`);
  return window;
}

/** `?limit=`, a whole number from 1 to 1000, 10 where it is left out. */
export function limitOf(request: MonitoringRequest): number {
  return numberOf(request, 'limit', 10, 'a whole number from 1 to 1000', (limit) => {
    return Number.isInteger(limit) && limit >= 1 && limit <= 1000;
  });
}

/** `?threshold=`, from 0 to 1, 0.5 where it is left out. */
export function thresholdOf(request: MonitoringRequest): number {
  return numberOf(request, 'threshold', 0.5, 'a number from 0 to 1', (rate) => rate >= 0 && rate <= 1);
}

/** `?min_requests=`, a whole number of 0 or more, 1 where it is left out. */
export function minRequestsOf(request: MonitoringRequest): number {
  return numberOf(request, 'min_requests', 1, 'a whole number of 0 or more', (count) => {
    return Number.isSafeInteger(count) && count >= 0;
  });
}

/** `?wait=true|false`, true where it is left out. */
export function waitOf(request: MonitoringRequest): boolean {
  const text = parameter(request, 'wait');
  if (text !== undefined && text !== 'true' && text !== 'false') {
    throw refused(`wait must be true or false, not ${quoted(text)}`);
  }
  return text !== 'false';
}

/** Whom statistics are asked of. */
const SCOPES = ['instance', 'fleet'] as const;

/** `?scope=instance|fleet`, `instance` where it is left out. */
export function scopeOf(request: MonitoringRequest): (typeof SCOPES)[number] {
  return oneOf(request, 'scope', SCOPES);
}

const FLAMEGRAPH_FORMATS = ['folded', 'svg', 'speedscope'] as const;

/** `?format=folded|svg|speedscope`, `folded` where it is left out. */
export function flamegraphFormatOf(request: MonitoringRequest): (typeof FLAMEGRAPH_FORMATS)[number] {
  return oneOf(request, 'format', FLAMEGRAPH_FORMATS);
}

/** One part of the route's path. */
export function pathParameterOf(request: MonitoringRequest, name: string): string {
  return String((request.params as Record<string, unknown> | undefined)?.[name] ?? '');
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

/** One of a few names, the first where it is left out. */
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
