import type { Expression, ObjectLiteralExpression } from 'typescript';
import type { FileChange } from './findings.js';

/** A layer in source text, and the names that it needs from this package. */
export interface LayerText {
  readonly text: string;
  readonly needs: 'memoryLayer' | 'redisLayer' | 'keyvLayer' | 'legacyStoreLayer';
}

/** Returns the layers that replace the stores of a `CacheModule`, the fastest first. */
export function layersOf(file: FileChange, stores: Expression): LayerText[] {
  const { ts } = file;
  return ts.isArrayLiteralExpression(stores)
    ? stores.elements.map((store) => layerOf(file, store))
    : [layerOf(file, stores)];
}

function layerOf(file: FileChange, store: Expression): LayerText {
  return memoryOf(file, store) ?? redisOf(file, store) ?? wrappedOf(file, store) ?? keyv(file, store);
}

/** Returns the layer for `new CacheableMemory({ lruSize })` or `new Keyv()`. */
function memoryOf(file: FileChange, store: Expression): LayerText | undefined {
  const { ts } = file;
  if (!ts.isNewExpression(store)) return undefined;
  const made = file.textOf(store.expression);
  const [options] = store.arguments ?? [];
  if (made === 'Keyv' && options === undefined) return { text: 'memoryLayer()', needs: 'memoryLayer' };
  if (made !== 'CacheableMemory') return undefined;
  if (options === undefined) return { text: 'memoryLayer()', needs: 'memoryLayer' };
  const fields = fieldsOf(file, options);
  if (fields === undefined || Object.keys(fields).some((name) => name !== 'lruSize' && name !== 'ttl'))
    return undefined;
  if (fields['ttl'] !== undefined) {
    file.note(
      store,
      `CacheableMemory had its own ttl (${file.textOf(fields['ttl'])}). Now every layer keeps an entry for the entry's ttl.`,
    );
  }
  const size = fields['lruSize'];
  const text = size === undefined ? 'memoryLayer()' : `memoryLayer({ maxEntries: ${file.textOf(size)} })`;
  return { text, needs: 'memoryLayer' };
}

/** Returns the layer for `createKeyv(url)` or `new KeyvRedis(url)` of @keyv/redis. */
function redisOf(file: FileChange, store: Expression): LayerText | undefined {
  const { ts } = file;
  const isRedis =
    (ts.isCallExpression(store) && file.textOf(store.expression) === 'createKeyv' && fromKeyvRedis(file)) ||
    (ts.isNewExpression(store) && file.textOf(store.expression) === 'KeyvRedis');
  if (!isRedis) return undefined;
  const given = store.arguments ?? [];
  if (given.length === 0) return { text: 'redisLayer()', needs: 'redisLayer' };
  if (given.length > 1) return undefined;
  const fields = fieldsOf(file, given[0]!);
  if (fields === undefined) {
    return isText(file, given[0]!)
      ? { text: `redisLayer({ url: ${file.textOf(given[0]!)} })`, needs: 'redisLayer' }
      : undefined;
  }
  const names = Object.keys(fields);
  if (names.length !== 1 || names[0] !== 'url') return undefined;
  return { text: `redisLayer({ url: ${file.textOf(fields['url']!)} })`, needs: 'redisLayer' };
}

/** Returns the store inside `new Keyv(store)` or `new Keyv({ store })`. */
function wrappedOf(file: FileChange, store: Expression): LayerText | undefined {
  const { ts } = file;
  if (!ts.isNewExpression(store) || file.textOf(store.expression) !== 'Keyv') return undefined;
  const given = store.arguments ?? [];
  if (given.length !== 1) return undefined;
  const fields = fieldsOf(file, given[0]!);
  if (fields === undefined) return memoryOf(file, given[0]!) ?? redisOf(file, given[0]!);
  const inner = fields['store'];
  if (inner === undefined || Object.keys(fields).length !== 1) return undefined;
  return memoryOf(file, inner) ?? redisOf(file, inner);
}

function keyv(file: FileChange, store: Expression): LayerText {
  return { text: `keyvLayer(${file.textOf(store)})`, needs: 'keyvLayer' };
}

/** Returns the fields of an object literal; undefined for anything else, or if a field is not written as `name: value`. */
export function fieldsOf(file: FileChange, value: Expression): Record<string, Expression> | undefined {
  const { ts } = file;
  const object = ts.isParenthesizedExpression(value) ? value.expression : value;
  if (!ts.isObjectLiteralExpression(object)) return undefined;
  const fields: Record<string, Expression> = {};
  for (const property of (object satisfies ObjectLiteralExpression).properties) {
    if (ts.isPropertyAssignment(property))
      fields[property.name.getText(file.source).replace(/^['"]|['"]$/g, '')] = property.initializer;
    else if (ts.isShorthandPropertyAssignment(property)) fields[property.name.text] = property.name;
    else return undefined;
  }
  return fields;
}

/** True for an expression that may be a text by its syntax: a literal, a template, a call, or a variable of the environment. */
function isText(file: FileChange, value: Expression): boolean {
  const { ts } = file;
  if (ts.isStringLiteralLike(value) || ts.isTemplateExpression(value)) return true;
  return /^process\.env\b|url/i.test(file.textOf(value)) && !ts.isNewExpression(value) && !ts.isAwaitExpression(value);
}

function fromKeyvRedis(file: FileChange): boolean {
  return /from\s+['"]@keyv\/redis['"]/.test(file.text);
}
