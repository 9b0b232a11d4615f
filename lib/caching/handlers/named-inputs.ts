/**
 * Checks at boot that the inputs named by templates and paths exist. Without this check, a placeholder that no call can fill
 * would give all calls one key or make an invalidation ineffective, without an error. Known at boot are the parameters of a
 * route and of its host, the arguments of a method or resolver, the fields of built-in types, the inputs that a handler
 * declares, and the properties that requests usually have. If the application's middleware adds a property to requests, name it
 * in `vary` of any handler, or mark the placeholder with `?`. Below these roots (`query.x`, `user.x`) a call may have anything,
 * so only names that resemble a declared one are reported, as misspelt.
 */
import type { HttpServer } from '@nestjs/common';
import type { ClassConstructor } from '../decoration/decorated-classes.js';
import type { Method } from '../decoration/method-site.js';
import { nearest } from '../../cache/options/unknown-option.js';
import type { CacheInvalidateOptions, CachedOptions } from '../options/cached.options.js';
import type { Transport } from '../inputs/call.js';
import type { DeclaredInput } from '../inputs/declared-inputs.js';
import { nearlyOneOf, unknownField } from '../inputs/class-fields.js';
import { validatedFields } from '../inputs/dto-metadata.js';
import { inputPath, withoutMark } from '../inputs/input-path.js';
import { isKnownRoot, meantPath, usualRoots } from '../inputs/known-roots.js';
import { arity, parameterTypes } from '../inputs/route-arguments.js';
import type { FaultList } from '../keys/key-design.js';
import { type KeyPattern, type KeyTemplate, keyTemplate } from '../keys/key-template.js';
import { countsArguments } from '../keys/method-recipe.js';
import { isOfResult } from '../invalidation/tag-templates.js';

/** A handler or method, with its inputs that are known at boot. */
export interface NamingSubject {
  /** For messages: `ProductController.find()`. */
  readonly owner: string;
  readonly transport: Transport;
  readonly cls: ClassConstructor;
  readonly method: string | symbol;
  readonly original: Method;
  /** The declared inputs of a handler. */
  readonly inputs: readonly DeclaredInput[];
  /** Parameters in the path of an HTTP handler; undefined if they are unknown. */
  readonly parameters: ReadonlySet<string> | undefined;
  /** The first full path of an HTTP handler. */
  readonly route: string | undefined;
  /** Parameters in the host of an HTTP handler; undefined if they are unknown. */
  readonly hosts: ReadonlySet<string> | undefined;
  /** The roots of paths that `vary` names anywhere in the application, such as `tenant`. */
  readonly varied: ReadonlySet<string>;
  readonly adapter: HttpServer | undefined;
}

/** One text in a decorator, which names paths. */
interface NamingText {
  readonly text: string;
  /** The text's place in the decorator, for messages: `@Cached: tags[0]:`. */
  readonly place: string;
  readonly paths: readonly NamedPath[];
  /** True if the text can also name parts of the result. */
  readonly withResult: boolean;
  /** True for a path of `vary`: a call without that input bypasses the cache. */
  readonly isVary: boolean;
  /** True if the text is the whole key of a handler or method. */
  readonly isKey?: boolean;
}

/** Why a path cannot exist, as the end of a sentence. `meant` contains the paths that were probably meant. */
type Reason = string | { readonly why: string; readonly meant: readonly string[] };

interface NamedPath {
  readonly path: string;
  /** True if the path ends with `?`: the input may be missing. */
  readonly optional: boolean;
}

/** Reports inputs that `@Cached` names although no call can have them. */
export function refuseUnknownInCached(
  pattern: KeyPattern,
  { vary = [], tags = [] }: CachedOptions,
  subject: NamingSubject,
  faults: FaultList,
): void {
  const texts: NamingText[] = [];
  if (pattern.kind === 'template') {
    const { template } = pattern;
    texts.push({
      text: template.text,
      place: '@Cached: the key',
      paths: pathsOf(template),
      withResult: false,
      isVary: false,
      isKey: true,
    });
  }
  for (const path of [vary].flat()) {
    if (typeof path === 'string')
      texts.push({ text: path, place: '@Cached:', paths: [withoutMark(path)], withResult: false, isVary: true });
  }
  if (typeof tags !== 'function') texts.push(...ofTemplates('@Cached: tags', tags));
  refuseUnknown(texts, subject, faults);
}

/**
 * Reports paths of `vary` that are probably misspelt: the root or the header differs from a usual one by a letter. For most
 * paths this is a warning: middleware may add the property, and requests without it bypass the cache. For a path that may be
 * undefined it is a fault, because all callers would get one key.
 */
export function doubtVary(
  { vary = [] }: CachedOptions,
  { owner, transport, adapter }: NamingSubject,
  faults: FaultList,
  doubt: (text: string) => void,
): void {
  for (const written of [vary].flat()) {
    if (typeof written !== 'string') continue;
    const { path, optional } = withoutMark(written);
    const meant = meantPath(path, transport, adapter);
    if (meant === undefined) continue;
    const [root] = path.split('.');
    const named = `${owner}: @Cached: vary names '${written}', but a request has no '${root === 'headers' ? path : root}'.`;
    const hint = `Did you mean '${meant}${optional ? '?' : ''}'?`;
    if (optional && root !== 'headers') {
      faults.add(
        'INVALID_TEMPLATE',
        `${named} ${hint} If middleware of yours adds it, read it in a function of \`vary\`.`,
      );
    } else {
      doubt(
        `${named} ${hint} Ignore this if ${root === 'headers' ? 'clients send it' : 'middleware of yours adds it'}.`,
      );
    }
  }
}

/** Reports inputs that `@CacheInvalidate` names although no call can have them. */
export function refuseUnknownInInvalidate(
  { keys = [], patterns = [], tags = [] }: CacheInvalidateOptions,
  subject: NamingSubject,
  faults: FaultList,
): void {
  const texts = Object.entries({ keys, patterns, tags }).flatMap(([option, templates]) =>
    ofTemplates(`@CacheInvalidate: ${option}`, templates),
  );
  refuseUnknown(texts, subject, faults);
}

/** Returns the names of the parameters in a route's paths; undefined if a path has an unnamed wildcard. */
export function parametersIn(paths: readonly string[]): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  for (const path of paths) {
    for (const [, quoted, name] of path.matchAll(PARAMETER)) names.add(quoted ?? name!);
    if (UNNAMED.test(path.replace(PARAMETER, ''))) return undefined;
  }
  return names;
}

const PARAMETER = /[:*](?:"([^"]+)"|([\p{ID_Start}$_][\p{ID_Continue}$]*))/gu;
/** Wildcards and groups of older path syntaxes, whose parameters have numbers. */
const UNNAMED = /[*(]/;

/** @param option the place of the texts in the decorator. */
function ofTemplates(option: string, texts: readonly string[]): NamingText[] {
  return texts.flatMap((text, index) => {
    try {
      const paths = pathsOf(keyTemplate(text));
      return [{ text, place: `${option}[${index}]:`, paths, withResult: true, isVary: false }];
    } catch {
      // An invalid template is reported when it is compiled.
      return [];
    }
  });
}

function pathsOf({ paths, optional }: KeyTemplate): NamedPath[] {
  return paths.map((path, index) => ({ path, optional: optional[index]! }));
}

function refuseUnknown(texts: readonly NamingText[], subject: NamingSubject, faults: FaultList): void {
  for (const { text, place, paths, ...use } of texts) {
    for (const { path, optional } of paths) {
      if (!(use.withResult && isOfResult(path)) && !isReadable(path, subject, faults)) continue;
      const reason = whyUnknown(path, { ...use, optional, paths: paths.map((one) => one.path) }, subject);
      if (reason === undefined) continue;
      const { why, meant } = typeof reason === 'string' ? { why: reason, meant: [] } : reason;
      const named = use.isVary ? `vary names '${path}'` : `'${text}' names {${path}}`;
      faults.add('INVALID_TEMPLATE', `${subject.owner}: ${place} ${named}, ${why}`);
      if (use.isKey === true) faults.meanInKey(subject.owner, meant);
    }
  }
}

/** True if a call of this kind can have the path. Otherwise adds a fault and returns false. */
function isReadable(path: string, { transport, inputs, owner }: NamingSubject, faults: FaultList): boolean {
  return faults.try(() => inputPath(path, transport, inputs, owner)) !== undefined;
}

interface Use extends Omit<NamingText, 'text' | 'place' | 'paths'> {
  readonly optional: boolean;
  /** All paths that the text names, including this one. */
  readonly paths: readonly string[];
}

/** Returns the reason why a path cannot exist; undefined if it can. */
function whyUnknown(path: string, use: Use, subject: NamingSubject): Reason | undefined {
  const [root = '', ...rest] = path.split('.').map((segment) => segment.trim());
  if (root === 'result') {
    return use.withResult
      ? unknownField(returnTypeOf(subject), rest, 'what it returns', use.optional)
      : 'but the result is not known when a key is made. Name an input.';
  }
  const { transport } = subject;
  if (/^\d+$/.test(root)) return unknownArgument(Number(root), rest, use, subject);
  if (transport === 'method') {
    // A subclass or code that creates the instance may add the property that `vary` names. Without it, calls bypass the cache
    // with a warning.
    return root === 'this' && !use.isVary ? unknownField(subject.cls, rest, 'the class', use.optional) : undefined;
  }
  if (root === 'this') return 'which only methods of providers can read. Name an input of the request.';
  if (transport === 'http' && root === 'params')
    return unknownParameter(rest, 'params', 'the route', subject.parameters, inputsOf(use, subject));
  if (transport === 'http' && root === 'hosts')
    return unknownParameter(rest, 'hosts', 'the host of the controller', subject.hosts, inputsOf(use, subject));
  return (
    unknownRoot(root, rest, transport, use, subject) ??
    misspelt(path, root, rest, use, subject) ??
    (transport === 'graphql' && root === 'args' ? unknownOfResolver(rest, use, subject) : undefined)
  );
}

function unknownParameter(
  [name, ...rest]: readonly string[],
  root: string,
  what: string,
  known: ReadonlySet<string> | undefined,
  inputs: string,
): Reason | undefined {
  if (name === undefined || known === undefined) return undefined;
  if (known.has(name)) {
    return rest.length === 0 ? undefined : `but a parameter is text and has no fields. Name {${root}.${name}}.`;
  }
  if (known.size === 0) return `but ${what} has no parameters. ${inputs}`;
  const near = nearest(name, [...known]);
  const meant = (near === undefined ? [...known] : [near]).map((each) => `${root}.${each}`);
  const advice = near === undefined ? `Known are ${placeholders(meant)}.` : `Did you mean ${placeholders(meant)}?`;
  return { why: `but ${what} has no parameter '${name}'. ${advice}`, meant };
}

/** Returns advice for messages: the inputs that a text can name. */
function inputsOf({ withResult }: Use, { inputs }: NamingSubject): string {
  const paths = [...new Set(inputs.map(({ path }) => path))];
  if (paths.length > 0) return `Name an input that the handler declares: ${placeholders(paths)}.`;
  return `The handler declares no input. ${withResult ? 'Name a part of the result, or remove' : 'Remove'} the placeholder.`;
}

function placeholders(paths: readonly string[]): string {
  return paths.map((path) => `{${path}}`).join(', ');
}

function unknownArgument(
  index: number,
  rest: readonly string[],
  { optional }: Use,
  subject: NamingSubject,
): Reason | undefined {
  const types = parameterTypes(subject.cls, subject.method);
  if (subject.transport === 'method') {
    const count = knownArity(subject);
    if (count !== undefined && index >= count) {
      const has = count === 0 ? 'no parameters' : count === 1 ? 'only {0}' : `only {0} to {${count - 1}}`;
      const meant = Array.from({ length: count }, (_, each) => String(each));
      return { why: `but the method has ${has}. Name an argument that it has.`, meant };
    }
  }
  return unknownField(types[index], rest, `parameter ${index}`, optional);
}

/** If no parameter of a resolver gets all arguments, the field has exactly the arguments that the resolver declares. */
function unknownOfResolver(
  [name]: readonly string[],
  { optional }: Use,
  { inputs }: NamingSubject,
): Reason | undefined {
  if (name === undefined || optional || inputs.some(({ path }) => path === 'args' || path === `args.${name}`))
    return undefined;
  const meant = inputs.filter(({ path }) => path.startsWith('args.')).map(({ path }) => path);
  const advice = meant.length === 0 ? 'It has none.' : `Known are ${placeholders(meant)}.`;
  return { why: `but the resolver declares no argument '${name}'. ${advice}`, meant };
}

/** Returns the number of a method's arguments; undefined if it may accept any number. */
export function knownArity({
  cls,
  method,
  original,
}: Pick<NamingSubject, 'cls' | 'method' | 'original'>): number | undefined {
  if (countsArguments(original)) return undefined;
  const count = arity(cls, method, original);
  if (parameterTypes(cls, method).length > 0) return count;
  const source = Function.prototype.toString.call(original);
  return source.slice(0, source.indexOf('{')).includes('=') ? undefined : count;
}

function returnTypeOf({ cls, method }: NamingSubject): unknown {
  return Reflect.getMetadata('design:returntype', cls.prototype as object, method as string) as unknown;
}

/** Reports a root that no call has, or that differs from a known root by a letter. */
function unknownRoot(
  root: string,
  rest: readonly string[],
  transport: Exclude<Transport, 'method'>,
  { isVary, optional, withResult }: Use,
  { adapter, varied, inputs, parameters }: NamingSubject,
): Reason | undefined {
  if (isVary || isKnownRoot(root, transport, adapter)) return undefined;
  const usual = [...usualRoots(transport), ...(withResult ? ['result'] : [])];
  const meant = nearlyOneOf(root, usual);
  const none = `but a request has no '${root}'.`;
  if (meant !== undefined) return { why: `${none} Did you mean {${meant}…}?`, meant: [[meant, ...rest].join('.')] };
  if (optional || varied.has(root)) return undefined;
  const named = [...[...(parameters ?? [])].map((name) => `params.${name}`), ...inputs.map(({ path }) => path)];
  const whole = named.find((path) => path.endsWith(`.${root}`));
  if (whole !== undefined) return { why: `${none} Did you mean {${whole}}?`, meant: [whole] };
  return (
    `${none} Known are ${usual.map((each) => `{${each}…}`).join(', ')}. If middleware of yours adds it, name it in \`vary\` of the ` +
    `cached handler, or end the placeholder with '?' if it may be missing.`
  );
}

/** Reports an input that resembles a declared one, unless the text also names the declared one. */
function misspelt(
  path: string,
  root: string,
  rest: readonly string[],
  { paths, isVary }: Use,
  { inputs, cls, method }: NamingSubject,
): Reason | undefined {
  const name = root === 'headers' ? rest.join('.').toLowerCase() : rest[0];
  if (isVary || name === undefined || name === '') return undefined;
  const types = parameterTypes(cls, method);
  const declared = inputs.flatMap((input) => {
    if (input.path.startsWith(`${root}.`)) return input.path.slice(root.length + 1);
    const type = input.path === root ? types[input.index] : undefined;
    return typeof type === 'function' ? validatedFields(type as ClassConstructor) : [];
  });
  if (declared.includes(name) || inputs.some((input) => path === input.path)) return undefined;
  const unnamed = declared.filter((each) => !paths.includes(`${root}.${each}`));
  const meant = nearlyOneOf(name, unnamed);
  if (meant === undefined) return undefined;
  const why = `but the handler declares no '${root}.${name}'. Did you mean {${root}.${meant}}?`;
  return { why, meant: [`${root}.${meant}`] };
}
