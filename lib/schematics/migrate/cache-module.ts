import type { CallExpression, Expression, Node, ObjectLiteralExpression } from 'typescript';
import type { FileChange } from './findings.js';
import { fieldsOf, type LayerText, layersOf } from './layers-of-stores.js';

/** Options of `CacheModule` that have the same meaning here, or no effect. */
const KNOWN = new Set(['ttl', 'max', 'isGlobal', 'store', 'stores', 'namespace']);

/** Returns the calls of `CacheModule.register()` and `registerAsync()` in a file. */
export function registrations(file: FileChange, cacheModule: string): CallExpression[] {
  const { ts, source } = file;
  const calls: CallExpression[] = [];
  const visit = (node: Node): void => {
    if (ts.isCallExpression(node) && /^register(?:Async)?$/.test(methodOf(file, node, cacheModule) ?? ''))
      calls.push(node);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return calls;
}

/** True if a registration has `isGlobal: true`. */
export function isGlobal(file: FileChange, call: CallExpression): boolean {
  const fields = call.arguments[0] === undefined ? undefined : fieldsOf(file, call.arguments[0]);
  return fields?.['isGlobal'] !== undefined && file.textOf(fields['isGlobal']) === 'true';
}

/** Rewrites the registration that becomes `CacheObservabilityModule`. */
export function rewriteRegistration(file: FileChange, call: CallExpression, cacheModule: string): void {
  const isAsync = methodOf(file, call, cacheModule) === 'registerAsync';
  const [given] = call.arguments;
  if (isAsync) rewriteAsync(file, call, given);
  else rewriteStatic(file, call, given);
}

function rewriteStatic(file: FileChange, call: CallExpression, given: Expression | undefined): void {
  const options = given === undefined ? '' : optionsOf(file, call, given);
  if (options === undefined) return;
  file.needed.add('CacheObservabilityModule');
  file.replace(
    call,
    `CacheObservabilityModule.forRoot(${options})`,
    'CacheModule.register() is CacheObservabilityModule.forRoot().',
  );
}

function rewriteAsync(file: FileChange, call: CallExpression, given: Expression | undefined): void {
  const { ts } = file;
  const fields = given === undefined ? undefined : fieldsOf(file, given);
  const factory = fields?.['useFactory'];
  const made = factory === undefined ? undefined : returnedObject(file, factory);
  if (given === undefined || !ts.isObjectLiteralExpression(given) || made === undefined) {
    return file.leave(
      call,
      'options that no useFactory returns as an object are not rewritten: write CacheObservabilityModule.forRootAsync().',
    );
  }
  const options = optionsOf(file, call, made);
  if (options === undefined) return;
  file.needed.add('CacheObservabilityModule');
  file.edits.push({ start: made.getStart(file.source), end: made.getEnd(), text: options });
  const { expression } = call;
  file.edits.push({
    start: expression.getStart(file.source),
    end: expression.getEnd(),
    text: 'CacheObservabilityModule.forRootAsync',
  });
  for (const property of given.properties) {
    if (property.name?.getText(file.source) !== 'isGlobal') continue;
    const comma = /^\s*,[ \t]*(?:\r?\n[ \t]*)?/.exec(file.text.slice(property.getEnd()))?.[0].length ?? 0;
    file.edits.push({ start: property.getStart(file.source), end: property.getEnd() + comma, text: '' });
  }
  file.rewritten(call, 'CacheModule.registerAsync() is CacheObservabilityModule.forRootAsync().');
}

/** Returns the new options as text; undefined if the call is not rewritten. */
function optionsOf(file: FileChange, call: CallExpression, given: Expression): string | undefined {
  const fields = fieldsOf(file, given);
  if (fields === undefined) {
    return void file.leave(
      call,
      'options that are not written as one object here are not rewritten: write CacheObservabilityModule.forRoot().',
    );
  }
  const unknown = Object.keys(fields).filter((name) => !KNOWN.has(name));
  if (unknown.length > 0)
    return void file.leave(
      call,
      `${unknown.join(', ')} has no equal option: see docs/migration.md, then write CacheObservabilityModule.forRoot().`,
    );
  const { ttl, max, store, stores, namespace } = fields;
  if (store !== undefined && !isMade(file, store)) {
    return void file.leave(
      call,
      'a store that CacheModule creates is not rewritten: use redisLayer({ url }) and CacheObservabilityModule.forRoot().',
    );
  }
  const layers = layersFor(file, store, stores, max);
  for (const { needs } of layers) file.needed.add(needs);
  const parts = [
    ...(ttl === undefined ? [] : [`ttl: ${file.textOf(ttl)}`]),
    ...(namespace === undefined ? [] : [`namespace: ${file.textOf(namespace)}`]),
    ...(layers.length === 0 ? [] : [`layers: [${layers.map(({ text }) => text).join(', ')}]`]),
  ];
  if (ttl === undefined)
    file.note(
      call,
      'No ttl was given: CacheModule kept entries forever, and this module keeps them for 5 minutes. ttl: 0 keeps them forever.',
    );
  if (layers.length > 0 && !layers.some(({ needs }) => needs === 'memoryLayer')) {
    file.note(call, 'No layer is in memory: put memoryLayer() first for fast hits.');
  }
  return parts.length === 0 ? '' : `{ ${parts.join(', ')} }`;
}

function layersFor(file: FileChange, store?: Expression, stores?: Expression, max?: Expression): LayerText[] {
  const memory: LayerText[] =
    max === undefined ? [] : [{ text: `memoryLayer({ maxEntries: ${file.textOf(max)} })`, needs: 'memoryLayer' }];
  if (stores !== undefined) {
    const layers = layersOf(file, stores);
    return layers.some(({ needs }) => needs === 'memoryLayer') ? layers : [...memory, ...layers];
  }
  if (store === undefined || isMemory(file, store)) return memory;
  return [{ text: `legacyStoreLayer(${file.textOf(store)})`, needs: 'legacyStoreLayer' }];
}

function isMemory(file: FileChange, store: Expression): boolean {
  return /^['"]memory['"]$/.test(file.textOf(store));
}

/** True for a store. False for a function that creates a store from the other options. */
function isMade(file: FileChange, store: Expression): boolean {
  if (isMemory(file, store) || file.ts.isAwaitExpression(store)) return true;
  const name = file.textOf(store);
  return (
    /^[\w$]+$/.test(name) &&
    new RegExp(`\\b(?:const|let)\\s+${name.replace(/\$/g, '\\$&')}\\b[^;=]*=\\s*await\\b`).test(file.text)
  );
}

/** Returns the object literal that a factory returns; undefined if it has several returns or returns something else. */
function returnedObject(file: FileChange, factory: Expression): ObjectLiteralExpression | undefined {
  const { ts } = file;
  if (!ts.isArrowFunction(factory) && !ts.isFunctionExpression(factory)) return undefined;
  const { body } = factory;
  if (!ts.isBlock(body)) {
    const value = ts.isParenthesizedExpression(body) ? body.expression : body;
    return ts.isObjectLiteralExpression(value) ? value : undefined;
  }
  const returned: (Expression | undefined)[] = [];
  const visit = (node: Node): void => {
    if (ts.isReturnStatement(node)) returned.push(node.expression);
    if (!ts.isFunctionLike(node)) ts.forEachChild(node, visit);
  };
  ts.forEachChild(body, visit);
  const [only] = returned;
  return returned.length === 1 && only !== undefined && ts.isObjectLiteralExpression(only) ? only : undefined;
}

function methodOf(file: FileChange, { expression }: CallExpression, cacheModule: string): string | undefined {
  const isOurs = file.ts.isPropertyAccessExpression(expression) && file.textOf(expression.expression) === cacheModule;
  return isOurs ? expression.name.text : undefined;
}
