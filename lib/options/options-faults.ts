import { milliseconds } from '../cache/duration.js';
import { CacheError } from '../cache/errors.js';
import { WINDOWS } from '../metrics/snapshot.js';
import {
  anything,
  callable,
  duration,
  either,
  flag,
  integer,
  isRecord,
  listOf,
  number,
  oneOf,
  orFalse,
  recordOf,
  type Rule,
  shape,
  shown,
  text,
  textMatching,
  unknownName,
} from './option-rules.js';

const isFunction = (value: unknown) => typeof value === 'function';

const layer: Rule = (value, path, tell) => {
  if (!isRecord(value) || typeof value['create'] !== 'function' || typeof value['name'] !== 'string') {
    tell(
      `${path}: must be made by memoryLayer(), redisLayer(), keyvLayer() or legacyStoreLayer(), not ${shown(value)}`,
    );
  }
};

const adoptable: Rule = (value, path, tell) => {
  if (value === 'app') return;
  const missing = ['get', 'set', 'del', 'mget', 'mset', 'mdel', 'clear', 'wrap'].filter(
    (name) => !isFunction((value as Record<string, unknown> | null)?.[name]),
  );
  if (!isRecord(value) || missing.length > 0) {
    tell(`${path}: must be 'app' or a cache made by cache-manager's createCache(), not ${shown(value)}`);
  }
};

const guard: Rule = (value, path, tell) => {
  if (isFunction(value) || isFunction((value as { canActivate?: unknown } | null)?.canActivate)) return;
  tell(`${path}: must be a guard's class or an object with canActivate(), not ${shown(value)}`);
};

const having =
  (what: string, ...methods: readonly string[]): Rule =>
  (value, path, tell) => {
    const missing = methods.filter(
      (name) => !isFunction((value as Record<string, unknown> | null | undefined)?.[name]),
    );
    if (missing.length > 0) tell(`${path}: must be ${what} with ${missing.join(', ')}, not ${shown(value)}`);
  };

const path = textMatching(/^[^\s?#]*[^\s?#/][^\s?#]*$/, "a path such as 'cache'");
const rate = number(0, 1);

const flagOr = (rule: Rule): Rule => either([(value) => typeof value === 'boolean', anything], [() => true, rule]);

const atLeastASecond: Rule = (value, path, tell) => {
  duration(value, path, tell);
  if ((lengthOf(value) ?? 1_000) < 1_000) tell(`${path}: must be one second or more`);
};

const policy = shape({
  staleWhileRevalidate: duration,
  staleIfError: duration,
  softTimeout: duration,
  hardTimeout: duration,
  refreshAhead: either(
    [(value) => typeof value === 'number', rate],
    [isRecord, shape({ fraction: rate, xfetch: flag, beta: number(0) })],
    [() => true, oneOf('xfetch')],
  ),
  jitter: rate,
  negativeTtl: orFalse(duration),
  cacheIf: callable,
  lock: flag,
  waitTimeout: duration,
  tags: either([isFunction, anything], [() => true, listOf(text)]),
  maxEntrySize: integer(1),
  clone: flag,
});

/** What stands beside `useFactory`: it decides which controllers and tokens exist. */
const staticFields = {
  isGlobal: flag,
  monitoring: orFalse(
    shape({
      path,
      guards: listOf(guard),
      imports: listOf(anything),
      decorators: listOf(callable),
      allowUnguarded: flag,
      swagger: flag,
      maxEventClients: integer(1),
    }),
  ),
  prometheus: orFalse(shape({ path, defaultMetrics: flag })),
};

/** Nest's own fields of an asynchronous registration. */
const asyncFields = ['useFactory', 'useClass', 'useExisting', 'inject', 'imports', 'provideInjectionTokensFrom'];

const fields = {
  layers: listOf(layer),
  cache: adoptable,
  namespace: textMatching(/^[^\s*?[\]\\]+$/, 'a text without blanks and without * ? [ ] \\'),
  version: textMatching(/^[^\s*?[\]\\]+$/, 'a text without blanks and without * ? [ ] \\'),
  ttl: duration,
  policy,
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
  warming: shape({
    onStartup: flag,
    blockReadiness: flag,
    concurrency: integer(1),
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
  ...staticFields,
} satisfies Record<string, Rule>;

/** Options that contradict each other although each is right by itself. */
function contradictions(options: Readonly<Record<string, unknown>>, tell: (fault: string) => void): void {
  if (options['layers'] !== undefined && options['cache'] !== undefined) {
    tell('layers and cache: give one of them; an adopted cache has its own stores');
  }
  if (Array.isArray(options['layers'])) {
    if (options['layers'].length === 0) tell('layers: must not be empty; leave it out for one memoryLayer()');
    const names = options['layers'].map((item) => (isRecord(item) ? item['name'] : undefined));
    const twice = new Set(names.filter((name, index) => name !== undefined && names.indexOf(name) !== index));
    for (const name of twice) tell(`layers: two are named ${shown(name)}; give one of them another name`);
  }
  if (isRecord(options['policy'])) {
    const soft = lengthOf(options['policy']['softTimeout']);
    const hard = lengthOf(options['policy']['hardTimeout'] ?? '30s');
    if (soft !== undefined && hard !== undefined && soft >= hard) {
      tell('policy.softTimeout: must be shorter than policy.hardTimeout (30s unless set)');
    }
  }
}

function lengthOf(value: unknown): number | undefined {
  try {
    return milliseconds(value as number | string);
  } catch {
    return undefined;
  }
}

/** Every fault of what `forRoot` was given, in the order of the fields. */
export function optionFaults(options: unknown): string[] {
  const faults: string[] = [];
  const tell = (fault: string) => void faults.push(fault);
  shape(fields)(options, '', tell);
  if (isRecord(options)) contradictions(options, tell);
  return faults;
}

/** Every fault of what stands beside `useFactory`, and of what its result must not hold. */
export function asyncOptionFaults(beside: Readonly<Record<string, unknown>>, result: unknown): string[] {
  const faults: string[] = [];
  const tell = (fault: string) => void faults.push(fault);
  const sources = ['useFactory', 'useClass', 'useExisting'].filter((name) => beside[name] !== undefined);
  if (sources.length !== 1)
    tell(`forRootAsync: give one of useFactory, useClass, useExisting, not ${sources.join(' and ') || 'none'}`);
  const besideRules: Record<string, Rule> = {
    ...staticFields,
    cache: oneOf('app'),
    ...Object.fromEntries(asyncFields.map((name) => [name, anything])),
  };
  for (const [name, value] of Object.entries(beside)) {
    const rule = besideRules[name];
    if (rule !== undefined) {
      if (value !== undefined) rule(value, name, tell);
    } else if (Object.hasOwn(fields, name)) tell(`${name}: belongs into what useFactory returns, not beside it`);
    else tell(unknownName(name, name, Object.keys(besideRules)));
  }
  if (isRecord(result)) {
    for (const name of [...Object.keys(staticFields), ...(result['cache'] === 'app' ? ['cache'] : [])]) {
      if (result[name] !== undefined) {
        tell(`${name}: belongs beside useFactory, because it decides which routes and tokens exist`);
      }
    }
  }
  return faults;
}

/** @throws CacheError `INVALID_OPTIONS` that lists them, where there are any. */
export function refuse(faults: readonly string[]): void {
  if (faults.length === 0) return;
  const count = faults.length === 1 ? 'one fault' : `${faults.length} faults`;
  throw new CacheError(
    'INVALID_OPTIONS',
    `CacheObservabilityModule: ${count} in its options:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
  );
}
