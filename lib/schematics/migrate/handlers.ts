import type { ClassDeclaration, Decorator, Expression, MethodDeclaration, Node } from 'typescript';
import type { FileChange } from './findings.js';

/** The local names of the decorators and the interceptor of `@nestjs/cache-manager` in a file. */
export interface OldNames {
  readonly interceptor: string;
  readonly key: string;
  readonly ttl: string;
}

/** Decorators of inputs that can be part of a key unchanged. */
const PLAIN_INPUTS = new Set(['Param', 'Query']);
/** Decorators with which a handler sends its response itself or passes the request on. */
const ANSWERS_BY_ITSELF = new Set(['Res', 'Response', 'Next']);

interface OldHandler {
  readonly method: MethodDeclaration;
  readonly interceptors: Decorator | undefined;
  readonly key: Decorator | undefined;
  readonly ttl: Decorator | undefined;
}

/** Rewrites `@UseInterceptors(CacheInterceptor)`, `@CacheKey` and `@CacheTTL` of the controllers in a file into `@Cached`. */
export function rewriteHandlers(file: FileChange, names: OldNames): void {
  eachClass(file, (node) => rewriteClass(file, node, names));
}

/**
 * For a file under a global `CacheInterceptor`: notes which handlers keep their decorators, and which may give one caller's
 * answer to others.
 */
export function noteHandlers(file: FileChange, names: OldNames): void {
  eachClass(file, (node) => noteClass(file, node, names));
}

function eachClass({ ts, source }: FileChange, use: (node: ClassDeclaration) => void): void {
  const visit = (node: Node): void => {
    if (ts.isClassDeclaration(node)) use(node);
    else ts.forEachChild(node, visit);
  };
  ts.forEachChild(source, visit);
}

function noteClass(file: FileChange, controller: ClassDeclaration, names: OldNames): void {
  const handlers = handlersOf(file, controller, names);
  if (handlers.length === 0) return;
  const name = controller.name?.text ?? 'handler';
  const keeping = (node: Node, what: string, kept: readonly (Decorator | undefined)[]) => {
    const written = kept.flatMap((one) => (one === undefined ? [] : [`@${nameOf(file, one)}`]));
    if (written.length === 0) return;
    file.note(
      node,
      `${what} keeps ${written.join(' and ')}: with the global CacheInterceptor ${written.length === 1 ? 'it still works' : 'they still work'}.`,
    );
  };
  const ofClass = [interceptorOf(file, controller, names), decoratorOf(file, controller, names.ttl)];
  keeping(controller, name, ofClass);
  for (const { method, interceptors, key, ttl } of handlers) {
    const what = `${name}.${method.name.getText(file.source)}`;
    keeping(method, what, [interceptors, key, ttl]);
    const caller = callerInputOf(file, method);
    if (caller === undefined) continue;
    file.note(
      method,
      `${what} may depend on the caller (@${caller}), and the global CacheInterceptor gives one answer to all callers of the URL. ` +
        'Remove the interceptor, and declare how the answer varies: @Cached(pattern, { vary }).',
    );
  }
}

function decoratorOf(file: FileChange, node: ClassDeclaration | MethodDeclaration, name: string) {
  return file.ts.getDecorators(node)?.find((one) => nameOf(file, one) === name);
}

function interceptorOf(file: FileChange, node: ClassDeclaration | MethodDeclaration, { interceptor }: OldNames) {
  return file.ts
    .getDecorators(node)
    ?.find(
      (one) =>
        nameOf(file, one) === 'UseInterceptors' &&
        argumentsOf(file, one).some((given) => file.textOf(given) === interceptor),
    );
}

function handlersOf(file: FileChange, controller: ClassDeclaration, names: OldNames): OldHandler[] {
  return controller.members
    .filter((member) => file.ts.isMethodDeclaration(member))
    .filter((method) => decoratorOf(file, method, 'Get') !== undefined)
    .map((method): OldHandler => ({
      method,
      interceptors: interceptorOf(file, method, names),
      key: decoratorOf(file, method, names.key),
      ttl: decoratorOf(file, method, names.ttl),
    }));
}

function rewriteClass(file: FileChange, controller: ClassDeclaration, names: OldNames): void {
  const whole = interceptorOf(file, controller, names);
  const classTtl = decoratorOf(file, controller, names.ttl);
  const handlers = handlersOf(file, controller, names).filter(
    ({ interceptors }) => whole !== undefined || interceptors !== undefined,
  );
  if (handlers.length === 0) return;
  const refusals = handlers.map((handler) => refusalOf(file, handler, classTtl));
  if (whole !== undefined && refusals.some((refusal) => refusal !== undefined)) {
    const reasons = handlers.flatMap(({ method }, index) =>
      refusals[index] === undefined ? [] : `${method.name.getText(file.source)}: ${refusals[index]}`,
    );
    return file.leave(whole, `${reasons.join('; ')}. Then put @Cached on the handlers.`);
  }
  handlers.forEach((handler, index) => {
    const refusal = refusals[index];
    if (refusal === undefined) rewriteHandler(file, controller, handler, classTtl);
    else file.leave(handler.interceptors!, `${refusal}. Then put @Cached on the handler.`);
  });
  if (whole !== undefined) withoutInterceptor(file, whole, names);
  if (classTtl !== undefined && whole !== undefined) file.remove(classTtl);

  function rewriteHandler(
    of: FileChange,
    { name }: ClassDeclaration,
    { method, interceptors, key, ttl }: OldHandler,
    shared?: Decorator,
  ): void {
    const pattern = patternOf(of, name?.text ?? 'handler', method, key);
    const time = argumentsOf(of, ttl ?? shared)[0];
    const options = time === undefined ? '' : `, { ttl: ${of.textOf(time)} }`;
    const cached = `@Cached('${pattern}'${options})`;
    of.needed.add('Cached');
    const old = [interceptors, key, ttl].filter((one) => one !== undefined);
    const at = old.find((one) => one !== interceptors || isOnly(of, one));
    if (at === undefined) {
      const start = method.getStart(of.source);
      const column = of.source.getLineAndCharacterOfPosition(start).character;
      of.edits.push({ start, end: start, text: `${cached}\n${' '.repeat(column)}` });
      of.rewritten(method, `${name?.text}.${method.name.getText(of.source)} is ${cached}.`);
    } else of.replace(at, cached, `${name?.text}.${method.name.getText(of.source)} is ${cached}.`);
    for (const one of old) {
      if (one === at) continue;
      if (one === interceptors) withoutInterceptor(of, one, names);
      else of.remove(one);
    }
  }
}

/** Returns why a handler is not rewritten; undefined if it can be rewritten. */
function refusalOf(file: FileChange, { method, key, ttl }: OldHandler, classTtl?: Decorator): string | undefined {
  const { ts } = file;
  const time = argumentsOf(file, ttl ?? classTtl)[0];
  if (time !== undefined && (ts.isArrowFunction(time) || ts.isFunctionExpression(time))) return 'its ttl is a function';
  const text = argumentsOf(file, key)[0];
  if (key !== undefined && (text === undefined || !ts.isStringLiteralLike(text))) return 'its key is not a text';
  if (text !== undefined && ts.isStringLiteralLike(text) && /[*{}'\\]/.test(text.text))
    return 'its key has characters of patterns';
  const special = (ts.getDecorators(method) ?? [])
    .map((one) => nameOf(file, one))
    .find((name) => name === 'Sse' || name === 'Render');
  if (special !== undefined) return `@${special} sends its own kind of response`;
  const own = inputsOf(file, method).find((name) => ANSWERS_BY_ITSELF.has(name));
  if (own !== undefined) return `@${own}() lets it send its response itself`;
  const caller = callerInputOf(file, method);
  return caller && `its answer may depend on the caller (@${caller}): declare how in vary, or leave it uncached`;
}

/** Returns the decorator of an input that may identify the caller; undefined if there is none. */
function callerInputOf(file: FileChange, method: MethodDeclaration): string | undefined {
  return inputsOf(file, method).find((name) => !PLAIN_INPUTS.has(name) && !ANSWERS_BY_ITSELF.has(name));
}

/** Returns the names of the decorators of a method's parameters. */
function inputsOf(file: FileChange, { parameters }: MethodDeclaration): string[] {
  return parameters.flatMap((parameter) => (file.ts.getDecorators(parameter) ?? []).map((one) => nameOf(file, one)));
}

/**
 * Returns the pattern: the old key, or one of controller and method. `:*` is added if the handler has inputs, because the old
 * key may not contain them.
 */
function patternOf(file: FileChange, className: string, method: MethodDeclaration, key: Decorator | undefined): string {
  const text = argumentsOf(file, key)[0];
  const hasInputs = method.parameters.some((parameter) => (file.ts.getDecorators(parameter) ?? []).length > 0);
  if (text !== undefined && file.ts.isStringLiteralLike(text)) {
    if (hasInputs)
      file.note(
        key!,
        `The key '${text.text}' did not contain the inputs. Now each combination has its own entry, '${text.text}:…'.`,
      );
    return hasInputs ? `${text.text}:*` : text.text;
  }
  return `${kebab(className.replace(/Controller$/, ''))}.${kebab(method.name.getText(file.source))}:*`;
}

function withoutInterceptor(file: FileChange, decorator: Decorator, { interceptor }: OldNames): void {
  if (isOnly(file, decorator)) return file.remove(decorator);
  const rest = argumentsOf(file, decorator)
    .map((given) => file.textOf(given))
    .filter((given) => given !== interceptor);
  file.edits.push({
    start: decorator.getStart(file.source),
    end: decorator.getEnd(),
    text: `@UseInterceptors(${rest.join(', ')})`,
  });
}

function isOnly(file: FileChange, decorator: Decorator): boolean {
  return argumentsOf(file, decorator).length < 2;
}

function nameOf(file: FileChange, { expression }: Decorator): string {
  return file.textOf(file.ts.isCallExpression(expression) ? expression.expression : expression);
}

function argumentsOf(file: FileChange, decorator: Decorator | undefined): readonly Expression[] {
  const expression = decorator?.expression;
  return expression !== undefined && file.ts.isCallExpression(expression) ? expression.arguments : [];
}

function kebab(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/[^a-zA-Z0-9-]+/g, '-')
    .toLowerCase();
}
