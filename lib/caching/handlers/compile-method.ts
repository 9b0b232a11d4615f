import type { ClassConstructor } from '../decoration/decorated-classes.js';
import { isFieldResolver } from '../decoration/handler-kind.js';
import { type CachedSite, methodName } from '../decoration/method-site.js';
import { declaredInputs } from '../inputs/declared-inputs.js';
import { arity, parameterTypes } from '../inputs/route-arguments.js';
import { methodKey } from '../keys/method-key.js';
import { MethodRecipe } from '../keys/method-recipe.js';
import { CachedMethod } from './cached-method.js';
import type { Compilation } from './compilation.js';
import { policyOf, seriesOptions } from './handler-policy.js';
import { tagTemplates } from './tag-templates.js';

/** Decides everything about an injectable's method; undefined where it is at fault. */
export function compileMethod(
  compilation: Compilation,
  site: CachedSite,
  cls: ClassConstructor,
  /** The class, as no other in the application is called. */
  className: string,
  requestScoped: boolean,
): CachedMethod | undefined {
  const { faults, cache } = compilation;
  const { options, pattern, method } = site;
  const inherited =
    (cls.prototype as Record<string | symbol, unknown>)[method] !== site.dispatcher && !stands(site, cls);
  // What a subclass calls by `super` is another method than its own of that name.
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
      requestScoped,
      identifying: isFieldResolver(site.dispatcher) ? identifyingArguments(site, cls) : new Map(),
    },
    faults,
  );
  if (pattern.kind === 'template' && options.key === undefined) {
    compilation.wholeKeys.claim(pattern.template, owner, { site, cls }, faults);
  }
  const plan = faults.try(() =>
    cache.plan(pattern.statistics, policyOf(options), undefined, { ...seriesOptions(options), subject: base }),
  );
  const tags = faults.try(() => tagTemplates(options.tags, 'method', [], owner));
  if (recipe === undefined || plan === undefined) return undefined;
  compilation.compiled(site, cls.name, plan, undefined);
  return new CachedMethod({
    cache,
    plan,
    original: site.original,
    owner,
    recipe,
    ofArguments: recipe instanceof MethodRecipe && recipe.plain ? recipe : undefined,
    tags,
    probe: compilation.probeOf(owner),
    observable: returnsObservable(cls, method),
  });
}

/** True where the class' own method of that name is this one, perhaps wrapped by other decorators. */
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

/** Arguments of a GraphQL field's resolver that tell callers apart: they stay out of its keys. */
function identifyingArguments(site: CachedSite, cls: ClassConstructor): Map<number, string> {
  const inputs = declaredInputs('graphql', cls, site.method, site.original);
  return new Map(
    inputs.flatMap(({ index, identifying, written }) =>
      identifying === undefined ? [] : [[index, `${written} (${identifying})`] as const],
    ),
  );
}

function returnsObservable(cls: ClassConstructor, method: string | symbol): boolean {
  const type: unknown = Reflect.getMetadata('design:returntype', cls.prototype, method as string);
  return typeof type === 'function' && typeof (type.prototype as { pipe?: unknown } | undefined)?.pipe === 'function';
}
