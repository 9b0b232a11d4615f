import { METHODS } from 'node:http';
import type { CacheError } from '../cache/base/errors.js';
import {
  anything,
  callable,
  duration,
  either,
  faultsIn,
  flag,
  flagOr,
  functionOr,
  isRecord,
  listOf,
  oneOf,
  type OptionFault,
  orFalse,
  recordOf,
  type Rule,
  secret,
  shape,
  text,
  textMatching,
} from '../cache/options/option-rules.js';
import { shown } from '../cache/base/shown.js';
import { orAutomatic } from '../cache/policies/automatic-ttl.js';
import { policyFields, rate, timeContradictions } from '../cache/policies/policy-rules.js';
import type { CachedOptions, CacheInvalidateOptions } from './options/cached.options.js';
import { keyTemplate } from './keys/key-template.js';

/** The checked options of a decorator: the valid options, and the faults of the others. */
export interface CheckedOptions<O> {
  readonly options: O;
  readonly faults: readonly OptionFault[];
}

const httpMethod: Rule = (value, path, report) => {
  if (typeof value === 'string' && [...METHODS, 'QUERY'].includes(value.toUpperCase())) return;
  report(`${path}: must be an HTTP method such as 'GET', not ${shown(value)}`);
};

const template: Rule = (value, path, report) => {
  if (typeof value !== 'string' || value === '') {
    return report(`${path}: must be a template such as 'product:{params.id}', not ${shown(value)}`);
  }
  try {
    keyTemplate(value);
  } catch (error) {
    const { message, code } = error as CacheError;
    report(`${path}: ${withoutStop(message)}`, code);
  }
};

/** Reports a key that ends with `*`. No template makes such a key, so the invalidation would find nothing, without an error. */
const wholeKey: Rule = (value, path, report) => {
  if (typeof value === 'string' && /(?<!\\)\*$/.test(value)) {
    return report(`${path}: ${shown(value)} is a glob, and keys are whole keys. Write it in patterns`);
  }
  return template(value, path, report);
};

const ofCached = shape({
  ttl: orAutomatic(functionOr(duration)),
  ...policyFields,
  tags: functionOr(listOf(template)),
  cache: text,
  name: textMatching(/^[\w$-]+$/, 'letters, digits, _, $ and -'),
  key: callable,
  vary: either([Array.isArray, listOf(functionOr(text))], [() => true, functionOr(text)]),
  shared: flag,
  // `checkQuery()` checks it later, together with the query that the handler declares.
  query: anything,
  ignore: listOf(text),
  methods: listOf(httpMethod),
  metrics: orFalse(shape({ samplingRate: rate })),
  warm: listOf(
    shape({
      params: recordOf(secret),
      query: recordOf(either([Array.isArray, listOf(secret)], [() => true, secret])),
      headers: recordOf(secret),
      body: anything,
      version: text,
      host: text,
    }),
  ),
  honorRequestDirectives: flag,
  fastLane: flagOr(
    shape({ skipMiddleware: either([(value) => value === true, anything], [() => true, listOf(text)]) }),
  ),
  clientCache: either(
    [(value) => typeof value === 'boolean', anything],
    [
      isRecord,
      shape({
        maxAge: duration,
        scope: oneOf('public', 'private'),
        staleWhileRevalidate: duration,
        mustRevalidate: flag,
      }),
    ],
    [() => true, duration],
  ),
} satisfies Record<keyof CachedOptions, Rule>);

const ofInvalidate = shape({
  keys: listOf(wholeKey),
  patterns: listOf(template),
  tags: listOf(template),
  cache: text,
} satisfies Record<keyof CacheInvalidateOptions, Rule>);

/** One shared object for all decorators without options. */
const NO_OPTIONS: CheckedOptions<object> = Object.freeze({ options: Object.freeze({}), faults: Object.freeze([]) });

/** The second argument of `@Cached`. */
export function checkedCached(given: unknown): CheckedOptions<CachedOptions> {
  const checked = checkedFields<CachedOptions>(given, ofCached);
  const { softTimeout, hardTimeout } = checked.options;
  if (softTimeout === undefined || hardTimeout === undefined) return checked;
  const contradictions = faultsIn(
    (_, path, report) => timeContradictions({ softTimeout, hardTimeout }, path, report),
    given,
  );
  return { ...checked, faults: [...checked.faults, ...contradictions] };
}

/** The argument of `@CacheInvalidate`. */
export function checkedInvalidate(given: unknown): CheckedOptions<CacheInvalidateOptions> {
  if (!isRecord(given)) return { options: {}, faults: [invalid(`options: must be an object, not ${shown(given)}`)] };
  const checked = checkedFields<CacheInvalidateOptions>(given, ofInvalidate);
  const { keys = [], patterns = [], tags = [] } = checked.options;
  if (checked.faults.length > 0 || keys.length + patterns.length + tags.length > 0) return checked;
  return { ...checked, faults: [invalid('options: are empty. Name keys, patterns or tags')] };
}

/** Checks each field and each item of a list separately, so that later checks still get the valid ones. */
function checkedFields<O extends object>(given: unknown, rule: Rule): CheckedOptions<O> {
  const faults = faultsIn(rule, given);
  if (!isRecord(given)) return { options: {} as O, faults };
  const isValid = (value: unknown, name: string) =>
    faults.length === 0 || faultsIn(rule, { [name]: value }).length === 0;
  const options: Record<string, unknown> = {};
  for (const name in given) {
    if (isValid(given[name], name)) options[name] = given[name];
    else if (Array.isArray(given[name])) options[name] = given[name].filter((item) => isValid([item], name));
  }
  if (faults.length === 0 && Object.keys(options).length === 0) return NO_OPTIONS as CheckedOptions<O>;
  return { options: Object.freeze(options) as O, faults };
}

function invalid(fault: string): OptionFault {
  return {
    code: 'INVALID_OPTIONS',
    text: `${fault}. Write @CacheInvalidate({ keys: ['product:{params.id}'] })`,
  };
}

function withoutStop(message: string): string {
  return message.replace(/\.$/, '');
}
