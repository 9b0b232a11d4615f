import {
  anything,
  callable,
  duration,
  either,
  faultsError,
  faultsIn,
  flag,
  flagOr,
  integer,
  isRecord,
  lengthOf,
  listOf,
  number,
  oneOf,
  type OptionFault,
  orFalse,
  recordOf,
  type Report,
  type Rule,
  shape,
  text,
  textMatching,
} from '../cache/options/option-rules.js';
import { unknownNames } from '../cache/options/unknown-option.js';
import { shown } from '../cache/base/shown.js';
import { OWN_CACHE } from '../cache/base/tokens.js';
import { orAutomatic } from '../cache/policies/automatic-ttl.js';
import { classes, policyFields, rate, timeContradictions } from '../cache/policies/policy-rules.js';
import { alertsRule } from '../insight/alerts/alerts.option-rules.js';
import { WINDOWS } from '../metrics/snapshot.js';
import { namespaceFault, type NamespaceOptions } from './service-name.js';

const isFunction = (value: unknown) => typeof value === 'function';

const layer: Rule = (value, path, report) => {
  if (!isRecord(value) || typeof value['create'] !== 'function' || typeof value['name'] !== 'string') {
    return report(
      `${path}: must be made by memoryLayer(), redisLayer(), keyvLayer() or legacyStoreLayer(), not ${shown(value)}`,
    );
  }
  const faults = value['faults'] as readonly OptionFault[] | undefined;
  for (const fault of faults ?? []) report(`${path}: ${fault.text}`, fault.code);
};

const adoptable: Rule = (value, path, report) => {
  if (value === 'app') return;
  const missing = ['get', 'set', 'del', 'mget', 'mset', 'mdel', 'clear', 'wrap'].filter(
    (name) => !isFunction((value as Record<string, unknown> | null)?.[name]),
  );
  if (!isRecord(value) || missing.length > 0) {
    report(`${path}: must be 'app' or a cache made by cache-manager's createCache(), not ${shown(value)}`);
  }
};

/** Refuses 'app': without Nest, no application has a cache to adopt. */
const ownCache: Rule = (value, path, report) => {
  if (value === 'app') report(`${path}: 'app' needs CacheObservabilityModule. Give a cache made by createCache()`);
  else adoptable(value, path, report);
};

const guard: Rule = (value, path, report) => {
  if (isFunction(value) || isFunction((value as { canActivate?: unknown } | null)?.canActivate)) return;
  report(`${path}: must be a guard's class or an object with canActivate(), not ${shown(value)}`);
};

const having =
  (what: string, ...methods: readonly string[]): Rule =>
  (value, path, report) => {
    const missing = methods.filter(
      (name) => !isFunction((value as Record<string, unknown> | null | undefined)?.[name]),
    );
    if (missing.length > 0) report(`${path}: must be ${what} with ${missing.join(', ')}, not ${shown(value)}`);
  };

const path = textMatching(/^[^\s?#]*[^\s?#/][^\s?#]*$/, "a path such as 'cache'");
const origin = textMatching(
  /^(?:[a-z][a-z0-9+.-]*:\/\/[^\s/?#@]+|null)$/i,
  "an origin such as 'https://admin.shop.test'",
);
const atLeastASecond: Rule = (value, path, report) => {
  duration(value, path, report);
  if ((lengthOf(value) ?? 1_000) < 1_000) report(`${path}: must be one second or more`);
};

const policy = shape(policyFields);

const ttlBounds: Rule = (value, path, report) => {
  shape({ minTtl: duration, maxTtl: duration })(value, path, report);
  const { minTtl, maxTtl } = isRecord(value) ? value : {};
  const [min = 0, max = Infinity] = [lengthOf(minTtl), lengthOf(maxTtl) || undefined];
  if (min > max) report(`${path}.minTtl: must not be longer than maxTtl`);
};

/** The fields next to `useFactory`, which determine the controllers and tokens. */
const staticFields = {
  isGlobal: flag,
  monitoring: orFalse(
    shape({
      path,
      globalPrefix: flag,
      guards: listOf(guard),
      writeGuards: listOf(guard),
      origins: listOf(origin),
      imports: listOf(anything),
      decorators: listOf(callable),
      allowUnguarded: flag,
      dashboard: flag,
      swagger: flag,
      maxEventClients: integer(1),
    }),
  ),
  prometheus: orFalse(shape({ path, globalPrefix: flag, guards: listOf(guard), defaultMetrics: flag })),
};

/** Nest's own fields of an asynchronous registration. */
const asyncFields = ['useFactory', 'useClass', 'useExisting', 'inject', 'imports', 'provideInjectionTokensFrom'];

const fields = {
  layers: listOf(layer),
  cache: adoptable,
  namespace: textMatching(/^[^\s*?[\]\\]+$/, 'a text without spaces and without * ? [ ] \\'),
  version: textMatching(/^[^\s*?[\]\\]+$/, 'a text without spaces and without * ? [ ] \\'),
  ttl: orAutomatic(duration),
  policy,
  classes,
  metrics: orFalse(
    shape({
      samplingRate: rate,
      maxPatterns: integer(1),
      maxEndpoints: integer(1),
      prefix: textMatching(/^([a-zA-Z_:][a-zA-Z0-9_:]*)?$/, 'letters, digits and _ as in a metric name'),
      patternOf: callable,
    }),
  ),
  health: shape({
    minHitRate: rate,
    maxAvgResponseTimeMs: number(0),
    maxP95ResponseTimeMs: number(0),
    window: oneOf(...WINDOWS),
    minimumRequests: integer(0),
    patterns: recordOf(shape({ hitRate: rate }, ['hitRate'])),
  }),
  alerts: alertsRule,
  insight: orFalse(
    shape({
      compare: callable,
      showKeys: flag,
      maxStaleShare: either([(value) => typeof value === 'number', rate], [() => true, recordOf(rate)]),
    }),
  ),
  warming: shape({
    onStartup: flag,
    blockReadiness: flag,
    concurrency: integer(1),
    warmStart: flagOr(shape({ maxKeys: integer(1, 100_000) })),
    predictive: flagOr(shape({ maxLoads: integer(1, 100_000) })),
    popularKeys: either(
      [(value) => typeof value === 'boolean', anything],
      [() => true, shape({ limit: integer(1), every: duration })],
    ),
  }),
  http: shape({
    headers: oneOf('minimal', 'standard', false),
    fastLane: flagOr(
      shape({ skipMiddleware: either([(value) => value === true, anything], [() => true, listOf(text)]) }),
    ),
  }),
  enabled: flag,
  serviceName: text,
  collectors: listOf(having('a metrics collector', 'recordGet', 'recordSet', 'recordDelete', 'recordChainGet')),
  exporters: listOf(having('a metrics exporter', 'start', 'export', 'stop')),
  tracing: flagOr(shape({ withoutParent: flag, sanitizeKey: callable })),
  profiling: flagOr(shape({ every: integer(1), maxStacks: integer(1) })),
  fleet: flagOr(shape({ every: atLeastASecond })),
  persistence: flagOr(
    either(
      [(value) => isRecord(value) && value['layer'] !== undefined, shape({ layer: text, name: text })],
      [() => true, shape({ path: text }, ['path'])],
    ),
  ),
  probe: rate,
  tuning: shape({ bounds: recordOf(ttlBounds) }),
  clock: having('a clock', 'now', 'after'),
  random: callable,
  ...staticFields,
} satisfies Record<string, Rule>;

/** The fields that a cache without Nest also accepts. */
const STANDALONE = [
  'layers',
  'namespace',
  'version',
  'ttl',
  'policy',
  'classes',
  'metrics',
  'health',
  'insight',
  'alerts',
  'collectors',
  'exporters',
  'serviceName',
  'enabled',
  'profiling',
  'tuning',
  'clock',
  'random',
] as const;

/** Reports options that are valid on their own but contradict each other. */
function contradictions(options: Readonly<Record<string, unknown>>, report: Report): void {
  if (options['layers'] !== undefined && options['cache'] !== undefined) {
    report('layers and cache: give only one of them; an adopted cache has its own stores');
  }
  if (Array.isArray(options['layers'])) {
    if (options['layers'].length === 0) report('layers: must not be empty; leave it out for one memoryLayer()');
    const names = options['layers'].map((item) => (isRecord(item) ? item['name'] : undefined));
    const twice = new Set(names.filter((name, index) => name !== undefined && names.indexOf(name) !== index));
    for (const name of twice) report(`layers: two have the name ${shown(name)}. Give one of them another name`);
    const fault = namespaceFault(options as NamespaceOptions);
    if (fault !== undefined) report(fault);
  }
  if (isRecord(options['policy'])) timeContradictions(options['policy'], 'policy.', report);
}

/** Lists every fault in the options of `forRoot`, in the order of the fields. */
export function optionFaults(options: unknown): string[] {
  return allFaults(shape(fields), options).map((fault) => fault.text);
}

const featureRule = shape(
  Object.fromEntries(
    (['layers', 'ttl', 'policy', 'classes', 'enabled', 'tuning'] as const).map((name) => [name, fields[name]]),
  ),
);
const cacheName = textMatching(/^[\w.-]+$/, 'letters, digits, _ . and -');

/**
 * Lists every fault of the arguments of `forFeature`.
 * @param namespace the configured name that separates the application's keys from others; undefined if there is none.
 */
export function featureFaults(name: unknown, options: unknown, namespace: string | undefined): OptionFault[] {
  const named: Rule = (value, path, report) => {
    if (name === OWN_CACHE) report(`name: ${shown(name)} is the application's own cache; give another name`);
    cacheName(name, 'name', report);
    featureRule(value, path, report);
    if (isRecord(value)) contradictions(namespace === undefined ? value : { ...value, namespace }, report);
  };
  return faultsIn(named, options);
}

const standaloneRule = shape({
  ...Object.fromEntries(STANDALONE.map((name) => [name, fields[name]])),
  cache: ownCache,
  tracing: flagOr(shape({ withoutParent: flag, sanitizeKey: callable, api: anything, tracer: anything })),
  tracer: having('a tracer', 'span'),
  observers: listOf(having('an observer', 'attach')),
  log: callable,
});

/** Lists every fault in the options of `createObservedCache`. */
export function standaloneFaults(options: unknown): OptionFault[] {
  return allFaults(standaloneRule, options);
}

function allFaults(rule: Rule, options: unknown): OptionFault[] {
  const all: Rule = (value, path, report) => {
    rule(value, path, report);
    if (isRecord(value)) contradictions(value, report);
  };
  return faultsIn(all, options);
}

/** Lists every fault of the fields next to `useFactory`, and of fields that its result must not contain. */
export function asyncOptionFaults(beside: Readonly<Record<string, unknown>>, result: unknown): string[] {
  const faults: string[] = [];
  const report = (fault: string) => void faults.push(fault);
  const sources = ['useFactory', 'useClass', 'useExisting'].filter((name) => beside[name] !== undefined);
  if (sources.length !== 1)
    report(`forRootAsync: give one of useFactory, useClass, useExisting, not ${sources.join(' and ') || 'none'}`);
  const besideRules: Record<string, Rule> = {
    ...staticFields,
    cache: oneOf('app'),
    ...Object.fromEntries(asyncFields.map((name) => [name, anything])),
  };
  const unknown = Object.keys(beside).filter(
    (name) => !Object.hasOwn(besideRules, name) && !Object.hasOwn(fields, name),
  );
  const texts = unknownNames(unknown, Object.keys(besideRules));
  for (const [name, value] of Object.entries(beside)) {
    const rule = Object.hasOwn(besideRules, name) ? besideRules[name] : undefined;
    if (rule !== undefined) {
      if (value !== undefined) rule(value, name, report);
    } else if (Object.hasOwn(fields, name)) report(`${name}: belongs in the result of useFactory, not beside it`);
    else report(name + texts.get(name)!);
  }
  if (isRecord(result)) {
    for (const name of [...Object.keys(staticFields), ...(result['cache'] === 'app' ? ['cache'] : [])]) {
      if (result[name] !== undefined) {
        report(`${name}: belongs beside useFactory, because it decides which routes and tokens exist`);
      }
    }
  }
  return faults;
}

/** @throws CacheError `INVALID_OPTIONS` with these faults, followed by the others; nothing if there are none of these. */
export function refuse(faults: readonly string[], others: () => readonly OptionFault[]): void {
  if (faults.length === 0) return;
  const own = faults.map((text): OptionFault => ({ code: 'INVALID_OPTIONS', text }));
  throw faultsError('CacheObservabilityModule', [...own, ...others()]);
}
