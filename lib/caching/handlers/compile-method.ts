import type { ClassConstructor } from '../decoration/decorated-classes.js';
import { isFieldResolver } from '../decoration/handler-kind.js';
import { type CachedSite, methodName } from '../decoration/method-site.js';
import { returnType } from '../decoration/return-type.js';
import { declaredInputs } from '../inputs/declared-inputs.js';
import { arity, parameterTypes } from '../inputs/route-arguments.js';
import { methodKey } from './method-key.js';
import { CachedMethod } from './cached-method.js';
import { repeatableMethod } from './repeatable-method.js';
import type { Compilation } from './compilation.js';
import { policyOf, seriesOptions } from './handler-policy.js';

/** Compiles a method of a provider; undefined if the method is faulty. */
export function compileMethod(
  compilation: Compilation,
  site: CachedSite,
  cls: ClassConstructor,
  /** The name of the class, unique in the application. */
  className: string,
  /** Why an instance of the class may hold data of one caller; undefined if callers share the instance. */
  unsharedInstances: string | undefined,
  /** The only instance; undefined if there may be several. */
  instance: object | undefined,
): CachedMethod | undefined {
  const { faults, cache, log } = compilation;
  const { options, pattern, method } = site;
  const inherited =
    (cls.prototype as Record<string | symbol, unknown>)[method] !== site.dispatcher && !stands(site, cls);
  // A method that a subclass calls by `super` needs another name than the subclass's own method.
  const base = `${className}${inherited ? `<${site.declaredBy.name}` : ''}.${methodName(method)}`;
  const owner = `${cls.name}.${methodName(method)}()`;
  const recipe = methodKey(
    {
      site,
      cls,
      owner,
      base,
      parameters: arity(cls, method, site.original),
      types: parameterTypes(cls, method),
      unsharedInstances,
      identifying: identifyingArguments(site, cls),
      log,
    },
    faults,
  );
  const plan = faults.try(() =>
    cache.plan(
      pattern.statistics,
      policyOf(options),
      undefined,
      { ...seriesOptions(options), subject: base },
      { returns: returnType(cls, method) },
    ),
  );
  const tags = compilation.tagsOf(site, { transport: 'method', inputs: [], owner });
  compilation.declare({ site, cls, owner, recipe, plan, tags });
  if (recipe === undefined || plan === undefined) return undefined;
  const probe = compilation.probeOf(owner);
  const observable = returnsObservable(cls, method);
  const compiled = new CachedMethod(cache, plan, site.original, owner, recipe, tags, probe, observable);
  const isAlone = instance !== undefined && unsharedInstances === undefined && !isFieldResolver(site.dispatcher);
  const repeatable = isAlone && options.ignore === undefined ? repeatableMethod(compiled, recipe, instance) : undefined;
  compilation.compiled(site, { className: cls.name, transport: 'method', plan, route: undefined, repeatable });
  return compiled;
}

/** True if this is the method that the class has under its name, perhaps wrapped by other decorators. */
function stands(site: CachedSite, cls: ClassConstructor): boolean {
  for (
    let level: object | null = cls.prototype;
    level !== null;
    level = Object.getPrototypeOf(level) as object | null
  ) {
    if (Object.hasOwn(level, site.method)) return level.constructor === site.declaredBy;
  }
  return false;
}

/**
 * Returns the arguments of a GraphQL field's resolver that identify callers and stay out of its keys. Empty for other methods.
 */
export function identifyingArguments(site: CachedSite, cls: ClassConstructor): Map<number, string> {
  if (!isFieldResolver(site.dispatcher)) return new Map();
  const inputs = declaredInputs('graphql', cls, site.method, site.original);
  return new Map(
    inputs.flatMap(({ index, identifying, written }) =>
      identifying === undefined ? [] : [[index, `${written} (${identifying})`] as const],
    ),
  );
}

function returnsObservable(cls: ClassConstructor, method: string | symbol): boolean {
  return typeof (returnType(cls, method)?.prototype as { pipe?: unknown } | undefined)?.pipe === 'function';
}
