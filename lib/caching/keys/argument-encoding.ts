import { types } from 'node:util';
import { NotEncodable } from './not-encodable.js';
import { layoutOf, type PropertyLayouts, quoted } from './property-layouts.js';

/**
 * Encodes a value as text; two values share a text only if they are equal. Types are distinguished (`1` from `'1'`, `-0` from
 * `0`, a Date from its milliseconds). The order of an object's properties does not matter. Class instances are encoded by class
 * name and own properties.
 * @param layouts remembers the property names of values. Pass it to encode many similar values faster.
 * @throws NotEncodable for functions, promises, streams, sockets, cycles, objects whose state cannot be read, and text that is
 *   not well-formed Unicode.
 */
export function encodeValue(value: unknown, layouts?: PropertyLayouts): string {
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'undefined':
      return 'undefined';
    default:
      return encode(value, '', { holder: undefined, above: undefined, depth: 0, layouts });
  }
}

const MAX_DEPTH = 64;

/** The position while a value is encoded: the chain of parents, and the depth. */
interface Walk {
  readonly holder: object | undefined;
  readonly above: Walk | undefined;
  readonly depth: number;
  readonly layouts: PropertyLayouts | undefined;
}

function encode(value: unknown, path: string, walk: Walk): string {
  switch (typeof value) {
    case 'object':
      return value === null ? 'null' : encodeObject(value, path, walk);
    case 'bigint':
      return `${value}n`;
    case 'symbol': {
      const name = Symbol.keyFor(value);
      if (name !== undefined) return `Symbol(${quoted(name)})`;
      throw new NotEncodable(path, 'a symbol');
    }
    case 'function':
      throw new NotEncodable(path, 'a function');
    default:
      return encodeValue(value);
  }
}

function encodeObject(value: object, path: string, above: Walk): string {
  const { depth, layouts } = above;
  for (let walk: Walk | undefined = above; walk !== undefined; walk = walk.above) {
    if (walk.holder === value) throw new NotEncodable(path, 'an object that contains itself');
  }
  if (depth >= MAX_DEPTH) throw new NotEncodable(path, `nested more than ${MAX_DEPTH} deep`);
  const walk = { holder: value, above, depth: depth + 1, layouts };
  if (Array.isArray(value)) return `[${items(value, path, walk)}]`;
  if (isPlainObject(value)) return properties(value, path, walk);
  return builtIn(value, path, walk) ?? instance(value, path, walk);
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return true;
  // A plain object of another realm has the Object.prototype of that realm, which ends its prototype chain.
  return Object.getPrototypeOf(prototype) === null && Object.prototype.toString.call(value) === '[object Object]';
}

/** Encodes a primitive; undefined for other values. */
function primitive(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'number':
    case 'boolean':
      return encodeValue(value);
    default:
      return undefined;
  }
}

function items(values: readonly unknown[], path: string, walk: Walk): string {
  let text = '';
  for (let index = 0; index < values.length; index++) {
    if (index > 0) text += ',';
    if (!(index in values)) text += 'hole';
    else text += primitive(values[index]) ?? encode(values[index], `${path}[${index}]`, walk);
  }
  return text;
}

function properties(value: object, path: string, walk: Walk): string {
  let text = '{';
  const names = Object.keys(value);
  const { sorted, labels } = walk.layouts?.of(names) ?? layoutOf(names);
  for (let index = 0; index < sorted.length; index++) {
    const name = sorted[index]!;
    const held = (value as Record<string, unknown>)[name];
    text += labels[index]! + (primitive(held) ?? encode(held, `${path}.${name}`, walk));
  }
  for (const symbol of Object.getOwnPropertySymbols(value)) {
    if (!Object.prototype.propertyIsEnumerable.call(value, symbol)) continue;
    const name = encode(symbol, `${path}[${String(symbol)}]`, walk);
    text += `,${name}:${encode((value as Record<symbol, unknown>)[symbol], `${path}[${String(symbol)}]`, walk)}`;
  }
  return `${text}}`;
}

function builtIn(value: object, path: string, walk: Walk): string | undefined {
  if (types.isDate(value)) return `Date(${value.getTime()})`;
  if (types.isMap(value)) return `Map[${items([...value], path, walk)}]`;
  if (types.isSet(value)) return `Set[${items([...value], path, walk)}]`;
  if (types.isRegExp(value)) return `RegExp(${quoted(value.source)},${value.flags})`;
  if (types.isBoxedPrimitive(value)) return `Object(${encode(value.valueOf(), path, walk)})`;
  if (ArrayBuffer.isView(value)) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
    return `${className(value)}(${bytes})`;
  }
  if (types.isAnyArrayBuffer(value)) return `${className(value)}(${Buffer.from(value).toString('base64')})`;
  if (value instanceof URL || value instanceof URLSearchParams)
    return `${className(value)}(${quoted(value.toString())})`;
  if (types.isPromise(value)) throw new NotEncodable(path, 'a promise');
  if (types.isWeakMap(value) || types.isWeakSet(value)) throw new NotEncodable(path, `a ${className(value)}`);
  return undefined;
}

/**
 * Encodes an instance by its own properties. An instance with private state is encoded by its `toJSON()`; without that method
 * it cannot be encoded.
 */
function instance(value: object, path: string, walk: Walk): string {
  const name = className(value);
  if (typeof (value as { pipe?: unknown }).pipe === 'function') throw new NotEncodable(path, `a stream (${name})`);
  if (Object.keys(value).length > 0 && !hasHiddenState(value)) return `${name}${properties(value, path, walk)}`;
  const toJson = (value as { toJSON?: unknown }).toJSON;
  if (typeof toJson === 'function') return `${name}(${encode(toJson.call(value, ''), path, walk)})`;
  if (!hasBehaviour(value) && !hasHiddenState(value)) return `${name}{}`;
  throw new NotEncodable(path, `an instance of ${name || 'a class'} whose state cannot be read`);
}

function hasHiddenState(value: object): boolean {
  return Object.getOwnPropertySymbols(value).some((symbol) => Symbol.keyFor(symbol) === undefined);
}

function hasBehaviour(value: object): boolean {
  for (
    let prototype: unknown = Object.getPrototypeOf(value);
    prototype !== null && prototype !== Object.prototype;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    if (Reflect.ownKeys(prototype as object).some((key) => key !== 'constructor')) return true;
  }
  return false;
}

function className(value: object): string {
  const constructor: unknown = (value as { constructor?: unknown }).constructor;
  return typeof constructor === 'function' ? constructor.name : '';
}
