import type { CacheLog } from '../../cache/base/cache-log.js';
import type { CachedSite } from '../decoration/method-site.js';
import { answersAuthorization } from '../inputs/authorization.js';
import { type Call, CallContext, type Transport } from '../inputs/call.js';
import type { DeclaredInput } from '../inputs/declared-inputs.js';
import { type InputPath, inputPath } from '../inputs/input-path.js';
import { meantPath } from '../inputs/known-roots.js';
import {
  checkQuery,
  type FaultList,
  ignores,
  inputPart,
  stands,
  templateParts,
  type VaryPart,
  varyParts,
} from '../keys/key-design.js';
import { InputsRecipe, type KeyRecipe, OwnKeyRecipe, TemplateRecipe } from '../keys/key-recipe.js';
import type { KeyTemplate } from '../keys/key-template.js';
import { MissingInputs } from '../keys/missing-inputs.js';
import type { SlotKind } from '../keys/template-slot.js';

/** The facts about a handler that determine its keys. */
export interface HandlerFacts {
  readonly site: CachedSite;
  readonly transport: Exclude<Transport, 'method'>;
  /** For messages: `FeedController.discover()`. */
  readonly owner: string;
  readonly inputs: readonly DeclaredInput[];
  /** The text that replaces `*`: the route, or class and method. */
  readonly base: string | ((call: Call) => string);
  /** Why an instance of the class may hold data of one caller; undefined if callers share the instance. */
  readonly unsharedInstances: string | undefined;
  /** Types of the parameters from compiler metadata. */
  readonly types: readonly unknown[];
  readonly log: CacheLog;
}

/** The compiled key of a handler. */
export interface HandlerKey {
  readonly recipe: KeyRecipe;
  /** True if responses differ by caller. */
  readonly private: boolean;
  /** True if a request with `Authorization` may be answered (RFC 9111 §3.5). */
  readonly answersAuthorization: boolean;
  /** Why its key names no caller although the handler has `vary` or `key`, as the end of a sentence. */
  readonly whyUnidentified: string | undefined;
  /** Request headers in the key, for `Vary`. */
  readonly varyHeaders: readonly string[];
}

/**
 * Compiles the keys of a handler. It is a fault if a key could give one caller another caller's response, or lacks an input.
 */
export function handlerKey(facts: HandlerFacts, faults: FaultList): HandlerKey | undefined {
  const { site, transport, owner, inputs } = facts;
  const { options, pattern } = site;
  const before = faults.list.length;
  const executionOf = (call: Call) => call.execution!;
  const missing = new MissingInputs(owner, facts.log);
  checkQuery(options.query, inputs, owner, faults);
  const vary = varyParts(options.vary, transport, inputs, owner, executionOf, missing, faults);
  const template = pattern.kind === 'template' ? pattern.template : undefined;
  const paths = (template?.paths ?? []).flatMap(
    (text) => faults.try(() => inputPath(text, transport, inputs, owner)) ?? [],
  );

  refuseUnsafe(facts, vary.length > 0 || paths.some(({ identifying }) => identifying), faults);
  if (template !== undefined && options.key === undefined) checkTemplate(facts, template, paths, vary, faults);
  if (template !== undefined && template.paths.length > 0 && options.key !== undefined) {
    faults.add(
      'INVALID_TEMPLATE',
      `${owner}: '${template.text}' names inputs and \`key\` makes the whole key. Remove one of them.`,
    );
  }
  if (faults.list.length > before) return undefined;

  const identifying = [...vary.map(({ path }) => path), ...paths].filter(
    (path) => path === undefined || path.identifying,
  );
  const named = inputs
    .filter(({ path }) => path.startsWith('headers.'))
    .map(({ path }) => path.slice('headers.'.length));
  return {
    recipe: recipeOf(facts, template, paths, vary, missing),
    private:
      options.shared !== true &&
      (identifying.length > 0 || (options.key !== undefined && unsafeInputs(facts).length > 0)),
    answersAuthorization: answersAuthorization(options.shared, identifying),
    whyUnidentified: whyUnidentified(vary, options.key !== undefined, transport),
    varyHeaders: options.shared === true ? named : [...new Set([...named, ...identifying.flatMap(varyHeaders)])],
  };
}

function recipeOf(
  { site: { options, pattern }, transport, inputs, base, types }: HandlerFacts,
  template: KeyTemplate | undefined,
  paths: readonly InputPath[],
  vary: readonly VaryPart[],
  missing: MissingInputs,
): KeyRecipe {
  const { key, ignore = [] } = options;
  if (key !== undefined) {
    const own = (call: Call) => key(new CallContext(call, transport, call.execution!));
    if (pattern.kind === 'template') return new OwnKeyRecipe('', own);
    return new OwnKeyRecipe((call) => `${pattern.prefix}${baseOf(base, call)}#`, own);
  }
  if (template !== undefined) {
    return new TemplateRecipe(
      template,
      templateParts(template, paths, vary, transport, missing, (path) => slotKind(path, inputs, types)),
    );
  }
  const prefix = pattern.kind === 'prefix' ? pattern.prefix : '';
  const read = inputs.filter(
    (input) => input.identifying === undefined && !ignore.some((name) => ignores(name, input)),
  );
  const whole = new Set(read.filter(({ path }) => !path.includes('.')).map(({ path }) => path));
  const parts = read
    .filter(({ path }) => !path.includes('.') || !whole.has(rootOf(path)))
    .filter(({ path }, index, all) => all.findIndex((other) => other.path === path) === index)
    .map((input) => inputPart(input, ignore));
  return new InputsRecipe(typeof base === 'string' ? prefix + base : (call) => prefix + base(call), [
    ...parts,
    ...vary,
  ]);
}

/** Returns why a handler with `vary` or `key` does not answer requests with `Authorization`. */
function whyUnidentified(vary: readonly VaryPart[], ownKey: boolean, transport: Transport): string | undefined {
  const remedy = "Name 'user.id' or 'headers.authorization' in it, or set `shared: true` if all callers get the same";
  const named = vary.flatMap(({ path }) => path?.text ?? []);
  if (named.length === 0) return ownKey ? `\`key\` alone does not name the caller. Add \`vary\`. ${remedy}` : undefined;
  const meant = named.flatMap((path) => meantPath(path, transport) ?? []);
  const hint = meant.length === 0 ? '' : `Did you mean ${meant.map((path) => `'${path}'`).join(', ')}? `;
  return `\`vary\` (${named.map((path) => `'${path}'`).join(', ')}) does not name the caller. ${hint}${remedy}`;
}

function baseOf(base: HandlerFacts['base'], call: Call): string {
  return typeof base === 'string' ? base : base(call);
}

function rootOf(path: string): string {
  return path.split('.')[0]!;
}

function unsafeInputs({ inputs, unsharedInstances, site }: HandlerFacts): string[] {
  const unsafe = inputs.flatMap(({ written, identifying }) =>
    identifying === undefined ? [] : [`${written} (${identifying})`],
  );
  if (unsharedInstances !== undefined) unsafe.push(`its class ${site.declaredBy.name} (${unsharedInstances})`);
  return unsafe;
}

function refuseUnsafe(facts: HandlerFacts, identified: boolean, faults: FaultList): void {
  const { options } = facts.site;
  const unsafe = unsafeInputs(facts);
  if (unsafe.length === 0 || identified || options.key !== undefined || options.shared === true) return;
  faults.add(
    'UNSAFE_HANDLER',
    `${facts.owner} cannot be cached as written: it reads ${unsafe.join(', ')}, so one caller could get another's answer. ` +
      `Declare how it varies: \`vary: ['user.id']\` (a path into the request, an argument or a function), ` +
      `a function \`key: (context) => …\`, or \`shared: true\` if all callers get the same.`,
  );
}

/** Checks that a template names every declared input and every input of `vary`, because it is the whole key. */
function checkTemplate(
  { site, owner, inputs }: HandlerFacts,
  template: KeyTemplate,
  paths: readonly InputPath[],
  vary: readonly VaryPart[],
  faults: FaultList,
): void {
  const { ignore = [] } = site.options;
  const missing = inputs.filter(
    (input) =>
      input.identifying === undefined &&
      ![...paths.map(({ text }) => text), ...faults.meantInKey(owner)].some((path) => stands(path, input)) &&
      !ignore.some((name) => ignores(name, input)),
  );
  if (missing.length > 0) {
    faults.add(
      'INVALID_TEMPLATE',
      `${owner}: the template '${template.text}' is the whole key, but does not name ${missing
        .map(({ written, path }) => `${written} as {${path}}`)
        .join(', ')}. Name it, or list it in \`ignore\` if it does not change the answer.`,
    );
  }
  for (const { path } of vary) {
    if (path !== undefined && paths.some(({ text }) => text === path.text)) continue;
    faults.add(
      'INVALID_TEMPLATE',
      `${owner}: the template '${template.text}' is the whole key, but lacks an input of \`vary\` (${path?.text ?? 'a function'}). ` +
        `Name it in the template, or write the pattern as 'prefix:*'.`,
    );
  }
}

function varyHeaders(path: InputPath | undefined): string[] {
  const [root, ...rest] = path?.segments ?? [];
  if (root === 'headers' && rest.length > 0) return [rest.join('.').toLowerCase()];
  if (root === 'cookies' || root === 'signedCookies' || root === 'session') return ['cookie'];
  return ['authorization', 'cookie'];
}

/** Inputs in these places are always text, so `7` in a template is the text `7`. */
const TEXT_ROOTS: readonly string[] = ['params', 'query', 'headers', 'hosts', 'cookies'];

function slotKind(
  { segments, text }: InputPath,
  inputs: readonly DeclaredInput[],
  types: readonly unknown[],
): SlotKind {
  const input = inputs.find(({ path, index }) => path === text || String(index) === text);
  const root = input === undefined ? segments[0]! : rootOf(input.path);
  if (TEXT_ROOTS.includes(root)) return 'text';
  return input !== undefined && types[input.index] === String ? 'declared text' : 'typed';
}
