import type { CachedSite } from '../decoration/method-site.js';
import { type Call, CallContext, type Transport } from '../inputs/call.js';
import type { DeclaredInput } from '../inputs/declared-inputs.js';
import { type InputPath, inputPath } from '../inputs/input-path.js';
import { type FaultList, inputPart, stands, templateParts, type VaryPart, varyParts } from './key-design.js';
import { InputsRecipe, type KeyRecipe, OwnKeyRecipe, TemplateRecipe } from './key-recipe.js';
import type { KeyTemplate } from './key-template.js';

/** What is to be known of a handler for its keys. */
export interface HandlerFacts {
  readonly site: CachedSite;
  readonly transport: Exclude<Transport, 'method'>;
  /** For messages: `FeedController.discover()`. */
  readonly owner: string;
  readonly inputs: readonly DeclaredInput[];
  /** What `*` begins with: the route, or class and method. */
  readonly base: string | ((call: Call) => string);
  /** True where the class is made anew for each request. */
  readonly requestScoped: boolean;
  /** Types of the parameters, where the compiler wrote them down. */
  readonly types: readonly unknown[];
}

/** How a handler's answers are kept apart. */
export interface HandlerKey {
  readonly recipe: KeyRecipe;
  /** True where answers differ by caller. */
  readonly private: boolean;
  /** True where a request with `Authorization` may be answered (RFC 9111 §3.5). */
  readonly answersAuthorization: boolean;
  /** Headers the answer depends on, for `Vary`. */
  readonly varyHeaders: readonly string[];
}

/** Decides the keys of a handler; what could leak one caller's answer to another, or miss an input, is a fault. */
export function handlerKey(facts: HandlerFacts, faults: FaultList): HandlerKey | undefined {
  const { site, transport, owner, inputs } = facts;
  const { options, pattern } = site;
  const before = faults.list.length;
  const executionOf = (call: Call) => call.execution!;
  const vary = varyParts(options.vary, transport, inputs, owner, executionOf, faults);
  const template = pattern.kind === 'template' ? pattern.template : undefined;
  const paths = (template?.paths ?? []).flatMap(
    (text) => faults.try(() => inputPath(text, transport, inputs, owner)) ?? [],
  );

  refuseUnsafe(facts, vary.length > 0 || paths.some(({ identifying }) => identifying), faults);
  if (template !== undefined && options.key === undefined) checkTemplate(facts, template, paths, vary, faults);
  if (template !== undefined && template.paths.length > 0 && options.key !== undefined) {
    faults.add(
      'INVALID_TEMPLATE',
      `${owner}: '${template.text}' names inputs and \`key\` makes the whole key; keep one of them.`,
    );
  }
  if (faults.list.length > before) return undefined;

  const told = [...vary.map(({ path }) => path), ...paths].filter((path) => path === undefined || path.identifying);
  const named = inputs
    .filter(({ path }) => path.startsWith('headers.'))
    .map(({ path }) => path.slice('headers.'.length));
  return {
    recipe: recipeOf(facts, template, paths, vary),
    private:
      options.shared !== true && (told.length > 0 || (options.key !== undefined && unsafeInputs(facts).length > 0)),
    answersAuthorization: options.shared === true || told.some(answersAuthorization),
    varyHeaders: options.shared === true ? named : [...new Set([...named, ...told.flatMap(varyHeaders)])],
  };
}

function recipeOf(
  { site: { options, pattern }, transport, inputs, base, types }: HandlerFacts,
  template: KeyTemplate | undefined,
  paths: readonly InputPath[],
  vary: readonly VaryPart[],
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
      templateParts(template, paths, transport, (path) => isText(path, inputs, types)),
    );
  }
  const prefix = pattern.kind === 'prefix' ? pattern.prefix : '';
  const read = inputs.filter(
    ({ identifying, path }) => identifying === undefined && !ignore.includes(path) && !ignore.includes(rootOf(path)),
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

function baseOf(base: HandlerFacts['base'], call: Call): string {
  return typeof base === 'string' ? base : base(call);
}

function rootOf(path: string): string {
  return path.split('.')[0]!;
}

function unsafeInputs({ inputs, requestScoped, site }: HandlerFacts): string[] {
  const unsafe = inputs.flatMap(({ written, identifying }) =>
    identifying === undefined ? [] : [`${written} (${identifying})`],
  );
  if (requestScoped)
    unsafe.push(`its class ${site.declaredBy.name} (it is made anew for each request and can hold its caller)`);
  return unsafe;
}

function refuseUnsafe(facts: HandlerFacts, identified: boolean, faults: FaultList): void {
  const { options } = facts.site;
  const unsafe = unsafeInputs(facts);
  if (unsafe.length === 0 || identified || options.key !== undefined || options.shared === true) return;
  faults.add(
    'UNSAFE_HANDLER',
    `${facts.owner} cannot be cached as it stands: it reads ${unsafe.join(', ')}, so one caller could get another's answer. ` +
      `Say how it varies: \`vary: ['user.id']\` (a path into the request, an argument or a function), ` +
      `an own \`key: (context) => …\`, or \`shared: true\` where all callers get the same.`,
  );
}

/** A template is the whole key: it names every declared input and everything in `vary`. */
function checkTemplate(
  { site, owner, inputs }: HandlerFacts,
  template: KeyTemplate,
  paths: readonly InputPath[],
  vary: readonly VaryPart[],
  faults: FaultList,
): void {
  const names = [...paths.map(({ text }) => text), ...(site.options.ignore ?? [])];
  const missing = inputs.filter(
    (input) => input.identifying === undefined && !names.some((name) => stands(name, input)),
  );
  if (missing.length > 0) {
    faults.add(
      'INVALID_TEMPLATE',
      `${owner}: the template '${template.text}' is the whole key, but does not name ${missing
        .map(({ written, path }) => `${written} as {${path}}`)
        .join(', ')}. Name it, or list it in \`ignore\` where it does not change the answer.`,
    );
  }
  for (const { path } of vary) {
    if (path !== undefined && paths.some(({ text }) => text === path.text)) continue;
    faults.add(
      'INVALID_TEMPLATE',
      `${owner}: the template '${template.text}' is the whole key, but does not name what \`vary\` does (${path?.text ?? 'a function'}). ` +
        `Name it in the template, or write the pattern as 'prefix:*'.`,
    );
  }
}

function answersAuthorization(path: InputPath | undefined): boolean {
  if (path === undefined || path.argument !== undefined) return true;
  return path.segments[0] === 'user' || path.text.toLowerCase() === 'headers.authorization';
}

function varyHeaders(path: InputPath | undefined): string[] {
  const [root, ...rest] = path?.segments ?? [];
  if (root === 'headers' && rest.length > 0) return [rest.join('.').toLowerCase()];
  if (root === 'cookies' || root === 'signedCookies' || root === 'session') return ['cookie'];
  return ['authorization', 'cookie'];
}

/** True where an input is text whoever asks, so that `7` in a template is the text `7`. */
function isText({ segments, text }: InputPath, inputs: readonly DeclaredInput[], types: readonly unknown[]): boolean {
  if (['params', 'query', 'headers', 'hosts', 'cookies'].includes(segments[0]!)) return true;
  const input = inputs.find(({ path, index }) => path === text || String(index) === text);
  return input !== undefined && types[input.index] === String;
}
