import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import type { CacheLog } from '../../cache/base/cache-log.js';
import type { CachedSite } from '../decoration/method-site.js';
import { type Call, CallContext } from '../inputs/call.js';
import { type InputPath, inputPath } from '../inputs/input-path.js';
import { checkQuery, type FaultList, templateParts, varyParts } from '../keys/key-design.js';
import { type KeyRecipe, OwnKeyRecipe, TemplateRecipe } from '../keys/key-recipe.js';
import { MissingInputs } from '../keys/missing-inputs.js';
import { countsArguments, MethodRecipe, parameterNames } from '../keys/method-recipe.js';

/** The facts about a method that determine its keys. */
export interface MethodFacts {
  readonly site: CachedSite;
  readonly cls: abstract new (...args: never[]) => object;
  /** For messages: `SellerService.find()`. */
  readonly owner: string;
  /** Class and method, unique in the application. */
  readonly base: string;
  readonly parameters: number;
  /** Types of the parameters from compiler metadata. */
  readonly types: readonly unknown[];
  /** Why an instance of the class may hold data of one caller; undefined if callers share the instance. */
  readonly unsharedInstances: string | undefined;
  /** Arguments of GraphQL field resolvers that may identify a caller, with the reason. */
  readonly identifying: ReadonlyMap<number, string>;
  readonly log: CacheLog;
}

/**
 * Compiles the keys of a method. It is a fault if a key could give one caller another caller's result, or lacks an argument.
 */
export function methodKey(facts: MethodFacts, faults: FaultList): KeyRecipe | undefined {
  const { site, owner, base, types } = facts;
  const { options, pattern } = site;
  const before = faults.list.length;
  const executionOf = executionFor(facts);
  const missing = new MissingInputs(owner, facts.log);
  checkQuery(options.query, [], owner, faults);
  const vary = varyParts(options.vary, 'method', [], owner, executionOf, missing, faults);
  const template = pattern.kind === 'template' ? pattern.template : undefined;
  const paths = (template?.paths ?? []).flatMap((text) => faults.try(() => inputPath(text, 'method', [], owner)) ?? []);
  refuseUnsafe(facts, vary.length > 0 || paths.some(({ identifying }) => identifying), faults);
  if (template !== undefined && options.key === undefined) checkTemplate(facts, paths, vary, faults);
  if (template !== undefined && template.paths.length > 0 && options.key !== undefined) {
    faults.add(
      'INVALID_TEMPLATE',
      `${owner}: '${template.text}' names inputs and \`key\` makes the whole key. Remove one of them.`,
    );
  }
  if (faults.list.length > before) return undefined;

  const prefix = pattern.kind === 'prefix' ? pattern.prefix : '';
  if (options.key !== undefined) {
    const { key } = options;
    const own = (call: Call) => key(new CallContext(call, 'method', executionOf(call)));
    return new OwnKeyRecipe(pattern.kind === 'prefix' ? `${prefix}${base}#` : '', own);
  }
  if (template !== undefined) {
    const kindOf = ({ argument, segments }: InputPath) =>
      argument !== undefined && segments.length === 1 && types[argument] === String ? 'declared text' : 'typed';
    return new TemplateRecipe(template, templateParts(template, paths, vary, 'method', missing, kindOf));
  }
  const ignored = new Set([
    ...facts.identifying.keys(),
    ...(options.ignore ?? []).filter((name) => /^\d+$/.test(name)).map(Number),
  ]);
  const { original } = site;
  return new MethodRecipe(prefix + base, owner, vary, ignored, parameterNames(original), countsArguments(original));
}

/** Creates an ExecutionContext for a call of a method, for functions in options. */
function executionFor({ site, cls }: MethodFacts): (call: Call) => ExecutionContextHost {
  return (call) => {
    const execution = new ExecutionContextHost([...call.args], cls as never, site.dispatcher as never);
    execution.setType('method');
    return execution;
  };
}

function refuseUnsafe(
  { site, owner, unsharedInstances, identifying }: MethodFacts,
  identified: boolean,
  faults: FaultList,
): void {
  const { options } = site;
  const unsafe = [...identifying.values()];
  if (unsharedInstances !== undefined) unsafe.push(`its class ${site.declaredBy.name} (${unsharedInstances})`);
  if (unsafe.length === 0 || identified || options.key !== undefined || options.shared === true) return;
  faults.add(
    'UNSAFE_HANDLER',
    `${owner} cannot be cached as written: it reads ${unsafe.join(', ')}, so one caller could get another's answer. ` +
      `Declare how it varies: \`vary: ['this.tenant']\` (a path into the object, an argument or a function), ` +
      `a function \`key: (context) => …\`, or \`shared: true\` if all callers get the same.`,
  );
}

function checkTemplate(
  { site, owner, parameters, identifying }: MethodFacts,
  paths: readonly InputPath[],
  vary: readonly { readonly path: InputPath | undefined }[],
  faults: FaultList,
): void {
  const ignored = new Set(site.options.ignore ?? []);
  const named = new Set([...paths.map(({ argument }) => argument), ...faults.meantInKey(owner).map(Number)]);
  const nameOf = parameterNames(site.original);
  const missing: string[] = [];
  for (let index = 0; index < parameters; index++) {
    if (!named.has(index) && !ignored.has(String(index)) && !identifying.has(index))
      missing.push(`parameter ${nameOf(index)} as {${index}}`);
  }
  const text = site.pattern.kind === 'template' ? site.pattern.template.text : '';
  if (missing.length > 0) {
    faults.add(
      'INVALID_TEMPLATE',
      `${owner}: the template '${text}' is the whole key, but does not name ${missing.join(', ')}. ` +
        `Name it, or list its number in \`ignore\` if it does not change the answer.`,
    );
  }
  for (const { path } of vary) {
    if (path !== undefined && paths.some((other) => other.text === path.text)) continue;
    faults.add(
      'INVALID_TEMPLATE',
      `${owner}: the template '${text}' is the whole key, but lacks an input of \`vary\` (${path?.text ?? 'a function'}). ` +
        `Name it in the template, or write the pattern as 'prefix:*'.`,
    );
  }
}
