import type {
  CacheObservabilityOptions,
  HttpOptions,
  MonitoringOptions,
  PrometheusOptions,
  StaticOptions,
} from './cache-observability.options.js';
import { type Clock, systemClock } from '../cache/base/clock.js';
import { isRecord, type OptionFault } from '../cache/options/option-rules.js';
import { namespaceOf } from './service-name.js';
import { asyncOptionFaults, optionFaults, refuse } from './module-option-rules.js';

/** The options of the monitoring routes with their defaults. */
export type ResolvedMonitoring = Required<MonitoringOptions>;

/** The options with the module's defaults; each feature has its defaults in its own folder. */
export interface ResolvedOptions extends CacheObservabilityOptions {
  readonly namespace: string;
  readonly monitoring: ResolvedMonitoring | false;
  readonly prometheus: Required<PrometheusOptions> | false;
  readonly http: Required<HttpOptions>;
  readonly isGlobal: boolean;
  readonly clock: Clock;
}

/** The fields given next to `useFactory`, valid or not. */
export type Beside = StaticOptions & Readonly<Record<string, unknown>>;

/**
 * Validates the options of `forRoot` and adds defaults.
 * @param others finds faults of other options, which the error lists too.
 * @throws CacheError `INVALID_OPTIONS`, listing every fault.
 */
export function resolveOptions(options: CacheObservabilityOptions, others: OtherFaults = none): ResolvedOptions {
  refuse(optionFaults(options), () => others(namespaceIn(options)));
  return withDefaults(options);
}

/**
 * Combines the result of `useFactory` with the fields next to it, validates them and adds defaults.
 * @param others see {@link resolveOptions}.
 * @throws CacheError `INVALID_OPTIONS`, listing every fault.
 */
export function resolveAsyncOptions(
  beside: Beside,
  result: CacheObservabilityOptions = {},
  others: OtherFaults = none,
): ResolvedOptions {
  const { isGlobal, monitoring, prometheus, cache } = beside;
  const options = cache === undefined ? result : { ...result, cache };
  refuse([...new Set([...asyncOptionFaults(beside, result), ...optionFaults(options)])], () =>
    others(namespaceIn(options)),
  );
  return withDefaults({ ...options, isGlobal, monitoring, prometheus });
}

/** Finds faults of options other than the module's. @param namespace the name in the module's options that separates keys. */
type OtherFaults = (namespace: string | undefined) => readonly OptionFault[];
const none: OtherFaults = () => [];

function namespaceIn(options: unknown): string | undefined {
  const { serviceName, namespace } = isRecord(options) ? options : {};
  return [serviceName, namespace].find((name) => typeof name === 'string');
}

function withDefaults(options: CacheObservabilityOptions): ResolvedOptions {
  return {
    ...options,
    namespace: namespaceOf(options),
    monitoring: resolveMonitoring(options.monitoring),
    prometheus: resolvePrometheus(options.prometheus),
    http: { headers: options.http?.headers ?? 'minimal', fastLane: options.http?.fastLane ?? false },
    isGlobal: options.isGlobal ?? true,
    clock: options.clock ?? systemClock,
  };
}

/** Runs before validation, because controllers need the result. So it uses only the valid parts, and does not throw. */
export function resolveMonitoring(monitoring: CacheObservabilityOptions['monitoring']): ResolvedMonitoring | false {
  if (monitoring === false) return false;
  return {
    path: pathOf(monitoring?.path, 'cache'),
    globalPrefix: monitoring?.globalPrefix !== false,
    guards: listOf(monitoring?.guards),
    writeGuards: listOf(monitoring?.writeGuards),
    origins: listOf(monitoring?.origins),
    imports: listOf(monitoring?.imports),
    decorators: listOf(monitoring?.decorators),
    allowUnguarded: monitoring?.allowUnguarded === true,
    dashboard: monitoring?.dashboard !== false,
    swagger: monitoring?.swagger === true,
    maxEventClients: monitoring?.maxEventClients ?? 200,
  };
}

/** Does not throw, like {@link resolveMonitoring}. */
export function resolvePrometheus(
  prometheus: CacheObservabilityOptions['prometheus'],
): Required<PrometheusOptions> | false {
  if (prometheus === false) return false;
  return {
    path: pathOf(prometheus?.path, '/metrics'),
    globalPrefix: prometheus?.globalPrefix !== false,
    guards: listOf(prometheus?.guards),
    defaultMetrics: prometheus?.defaultMetrics ?? true,
  };
}

function pathOf(path: unknown, otherwise: string): string {
  return typeof path === 'string' && path.trim() !== '' ? path : otherwise;
}

function listOf<T>(list: T[] | undefined): T[] {
  return Array.isArray(list) ? list : [];
}
