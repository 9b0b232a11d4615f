import type {
  CacheObservabilityOptions,
  HttpOptions,
  MonitoringOptions,
  PrometheusOptions,
  StaticOptions,
} from '../cache-observability.options.js';
import { asyncOptionFaults, optionFaults, refuse } from './options-faults.js';

/** The monitoring routes with every default decided. */
export type ResolvedMonitoring = Required<MonitoringOptions>;

/** The options with what the module itself decides filled in; what a room decides has its default there. */
export interface ResolvedOptions extends CacheObservabilityOptions {
  readonly monitoring: ResolvedMonitoring | false;
  readonly prometheus: Required<PrometheusOptions> | false;
  readonly http: Required<HttpOptions>;
  readonly isGlobal: boolean;
}

/** What stands beside `useFactory`, and whatever else was written there. */
export type Beside = StaticOptions & Readonly<Record<string, unknown>>;

/**
 * What was given to `forRoot`, checked and with defaults.
 * @throws CacheError `INVALID_OPTIONS`, listing every fault.
 */
export function resolveOptions(options: CacheObservabilityOptions): ResolvedOptions {
  refuse(optionFaults(options));
  return withDefaults(options);
}

/**
 * What `useFactory` returned together with what stands beside it, checked and with defaults.
 * @throws CacheError `INVALID_OPTIONS`, listing every fault.
 */
export function resolveAsyncOptions(beside: Beside, result: CacheObservabilityOptions = {}): ResolvedOptions {
  const { isGlobal, monitoring, prometheus, cache } = beside;
  const options = cache === undefined ? result : { ...result, cache };
  refuse([...new Set([...asyncOptionFaults(beside, result), ...optionFaults(options)])]);
  return withDefaults({ ...options, isGlobal, monitoring, prometheus });
}

function withDefaults(options: CacheObservabilityOptions): ResolvedOptions {
  return {
    ...options,
    monitoring: resolveMonitoring(options.monitoring),
    prometheus: resolvePrometheus(options.prometheus),
    http: { headers: options.http?.headers ?? 'minimal', fastLane: options.http?.fastLane ?? false },
    isGlobal: options.isGlobal ?? true,
  };
}

/** Needed before the options are checked, because controllers are; so it takes what it can and refuses nothing. */
export function resolveMonitoring(monitoring: CacheObservabilityOptions['monitoring']): ResolvedMonitoring | false {
  if (monitoring === false) return false;
  return {
    path: pathOf(monitoring?.path, 'cache'),
    guards: listOf(monitoring?.guards),
    imports: listOf(monitoring?.imports),
    decorators: listOf(monitoring?.decorators),
    allowUnguarded: monitoring?.allowUnguarded === true,
    swagger: monitoring?.swagger === true,
    maxEventClients: monitoring?.maxEventClients ?? 50,
  };
}

/** As {@link resolveMonitoring}: refuses nothing. */
export function resolvePrometheus(
  prometheus: CacheObservabilityOptions['prometheus'],
): Required<PrometheusOptions> | false {
  if (prometheus === false) return false;
  return { path: pathOf(prometheus?.path, '/metrics'), defaultMetrics: prometheus?.defaultMetrics ?? true };
}

function pathOf(path: unknown, otherwise: string): string {
  return typeof path === 'string' && path.trim() !== '' ? path : otherwise;
}

function listOf<T>(list: T[] | undefined): T[] {
  return Array.isArray(list) ? list : [];
}
