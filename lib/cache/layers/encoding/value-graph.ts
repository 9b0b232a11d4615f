import { types } from 'node:util';
import { type ClassTraits, type NativeBase, traitsOf } from '../../entries/class-traits.js';
import { type OwnProperty, ownPropertiesOf } from '../../entries/instance-properties.js';
import { isArrayIndex, keptExtraNamesOf, extraProperty, setExtraProperty } from '../../entries/extra-properties.js';
import { entriesOf, itemsOf, timeOf, viewName } from '../../entries/native-copies.js';
import type { ClassName, ClassNames } from '../../entries/entry.js';
import { ForeignBytesError, MAX_DEPTH, parseBoundedJson } from '../../base/bounded-json.js';
import { Cost, ReadBudget } from '../../base/read-budget.js';
import { type GraphInstances, type InstanceExtras, Integrity } from './packed-value.js';

/*
 * Encodes values that JSON cannot represent as bytes: flags, the length of a text (32 bits little-endian), the text, then the raw bytes of
 * Buffers, typed arrays and array buffers in the order of the text.
 *
 * The text is JSON: [shapes, value]. A value that JSON can represent is written as it is. Every other value is an array whose first item is
 * a string of `!` and a letter: ["!d",0] is a Date, ["!m","a",1] a Map. An array whose own first item is such a string is written as ["!a",
 * …its items].
 *
 * An object with a part that JSON cannot represent is ["!p", shape, …its values]. The shape lists the names of its properties once for all
 * such objects, because most of them are rows of a database. Each name follows `=`, or `d` if the value is a Date, which is then written as
 * milliseconds. An instance is ["!i", class, the value without its class], and [shapes, value, classes] lists the names of classes. If
 * assignment would not create all properties of an instance, its integrity and its properties follow, three items each: a name or
 * [registered symbol], flags, a value. An array with properties besides its items is ["!l", items, name, value, …].
 *
 * Objects are numbered in the order in which they are written, parents first. ["!r",n] refers to the n-th object, so that cycles and shared
 * references are restored.
 *
 * V8's own format (`v8.serialize`) is not used, because its decoder trusts the bytes: a few bytes make it create an array of four billion
 * items. Here the number of bytes limits the decoded value.
 */
const HEADER = 5;
const HAS_REFERENCES = 1;
const MARK = 0x21;
/** The most hexadecimal digits of a BigInt. They are read in linear time. */
const MAX_DIGITS = 1_000_000;
const RECENT_SHAPES = 8;
/** The most characters, roughly, of a value if JSON wrote out every shared part. */
const MAX_EXPANDED = 64 * 1024 * 1024;

/** Exists from Node.js 24 on. */
const Float16 = (globalThis as { Float16Array?: typeof Float32Array }).Float16Array;

const VIEWS: Readonly<Record<string, new (buffer: ArrayBuffer) => ArrayBufferView>> = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
  ...(Float16 !== undefined && { Float16Array: Float16 }),
};
const ERRORS: Readonly<Record<string, { readonly prototype: Error }>> = {
  Error,
  AggregateError,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

/** Flags of a property. */
const WRITABLE = 1;
const ENUMERABLE = 2;
const CONFIGURABLE = 4;

/** A decoded value with the facts about its parts. */
export interface DecodedValue {
  readonly value: unknown;
  /** True if a part cannot be frozen. */
  readonly mutable: boolean;
  /** True if `JSON.parse(JSON.stringify(value))` gives the same value. */
  readonly json: boolean;
  /** The instances in the value, which have no class yet; undefined if there are none. */
  readonly instances: GraphInstances | undefined;
}

/**
 * Encodes a value. @param names names the classes of its instances. @throws Error for a part that cannot be encoded, such as a function.
 */
export function encodeGraph(value: unknown, names?: ClassNames): Buffer {
  return new GraphWriter(names).write(value);
}

/** Decodes a value. @throws ForeignBytesError or SyntaxError for bytes that {@link encodeGraph} does not write. */
export function decodeGraph(bytes: Buffer, budget = new ReadBudget(), symbols = new KnownSymbols()): DecodedValue {
  return new GraphReader(bytes, budget, symbols).read();
}

/** The most registered symbols that records may name, because a process keeps each of them forever. */
const MAX_SYMBOLS = 1_000;

export class KnownSymbols {
  readonly #names = new Set<string>();

  /** Returns the registered symbol of a name. @throws ForeignBytesError if there are too many. */
  of(name: string): symbol {
    if (!this.#names.has(name)) {
      if (this.#names.size >= MAX_SYMBOLS) throw new ForeignBytesError('too many symbols');
      this.#names.add(name);
    }
    return Symbol.for(name);
  }
}

const ERROR_TRAITS = traitsOf(Error.prototype);

/** The names of an object's properties, in order, and which values are dates. */
interface Shape {
  readonly names: readonly string[];
  readonly dates: readonly boolean[];
}

class GraphWriter {
  readonly #shapes: Shape[] = [];
  readonly #numbers = new Map<object, number>();
  readonly #raw: Uint8Array[] = [];
  readonly #names: ClassNames | undefined;
  readonly #classes = new Map<ClassTraits, number>();
  /** The budget for reading the result. */
  readonly #budget = new ReadBudget();
  #hasReferences = false;

  constructor(names: ClassNames | undefined) {
    this.#names = names;
  }

  write(value: unknown): Buffer {
    const written = this.#any(value);
    const shapes = this.#shapes.map(({ names, dates }) =>
      names.map((name, at) => (dates[at] === true ? 'd' : '=') + name),
    );
    const text = JSON.stringify(this.#classes.size === 0 ? [shapes, written] : [shapes, written, this.#classNames()]);
    if (this.#hasReferences) checkExpansion(value);
    const length = Buffer.byteLength(text);
    const rawLength = this.#raw.reduce((sum, { byteLength }) => sum + byteLength, 0);
    const bytes = Buffer.allocUnsafe(HEADER + length + rawLength);
    bytes[0] = this.#hasReferences ? HAS_REFERENCES : 0;
    bytes.writeUInt32LE(length, 1);
    let at = HEADER + bytes.write(text, HEADER, length, 'utf8');
    this.#budget.text(bytes.subarray(HEADER, at));
    for (const raw of this.#raw) {
      bytes.set(raw, at);
      at += raw.byteLength;
    }
    return bytes;
  }

  /** Returns the JSON of a value in the text: the value itself if JSON can represent it. */
  #any(value: unknown): unknown {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return value;
      case 'number':
        return Number.isFinite(value) && !Object.is(value, -0)
          ? value
          : ['!n', Object.is(value, -0) ? '-0' : String(value)];
      case 'undefined':
        return ['!u'];
      case 'bigint':
        return ['!b', value.toString(16)];
      case 'object':
        return value === null ? value : this.#object(value);
      default:
        throw new TypeError(`A ${typeof value} cannot be encoded.`);
    }
  }

  #object(source: object): unknown {
    const number = this.#numbers.get(source);
    if (number !== undefined) {
      this.#hasReferences = true;
      return ['!r', number];
    }
    this.#numbers.set(source, this.#numbers.size);
    const prototype: unknown = Object.getPrototypeOf(source);
    if (prototype === Object.prototype || prototype === null) return this.#plain(source as Record<string, unknown>);
    if (prototype === Array.prototype && Array.isArray(source)) return this.#array(source);
    const traits = this.#names === undefined ? undefined : traitsOf(prototype as object);
    if (traits?.type !== undefined || traits?.codec !== undefined) return this.#instance(source, traits);
    if (Array.isArray(source)) return this.#array(source);
    return this.#builtIn(source) ?? this.#plain(source as Record<string, unknown>);
  }

  #instance(source: object, traits: ClassTraits): unknown[] {
    let index = this.#classes.get(traits);
    if (index === undefined) this.#classes.set(traits, (index = this.#classes.size));
    if (!traits.irregular) return ['!i', index, this.#plain({ ...source })];
    return ['!i', index, this.#slots(source, traits.base), integrityOf(source), ...this.#properties(source, traits)];
  }

  /** Returns the JSON of an instance without its own properties. */
  #slots(source: object, base: NativeBase): unknown {
    if (base === 'Object') return {};
    if (base === 'Array') return this.#array(itemsOf(source as readonly unknown[]));
    return base === 'Error' ? ['!e', 'Error'] : this.#builtIn(source);
  }

  #properties(source: object, traits: ClassTraits): unknown[] {
    const written: unknown[] = [];
    for (const { key, descriptor } of ownPropertiesOf(source, traits)) {
      this.#budget.spend(Cost.property);
      const name = typeof key === 'string' ? key : [Symbol.keyFor(key) ?? ''];
      written.push(name, flagsOf(descriptor), this.#any(descriptor.value));
    }
    return written;
  }

  #classNames(): unknown[] {
    return [...this.#classes.keys()].map(({ prototype }) => {
      const { alias, name, fingerprint } = this.#names!.nameOf(prototype);
      return [alias ?? 0, name, fingerprint];
    });
  }

  #array(source: readonly unknown[]): unknown {
    let items: unknown[] | undefined;
    for (let at = 0; at < source.length; at++) {
      const item = source[at];
      const written = item === undefined && !(at in source) ? ['!h'] : this.#any(item);
      if (written !== item) (items ??= source.slice())[at] = written;
    }
    const [first] = source;
    const isMarked = typeof first === 'string' && first.charCodeAt(0) === MARK;
    const written = isMarked ? ['!a', ...(items ?? source)] : (items ?? source);
    const names = keptExtraNamesOf(source);
    return names === undefined ? written : this.#named(source, written, names);
  }

  #named(source: readonly unknown[], items: readonly unknown[], names: readonly string[]): unknown[] {
    // JSON writes only the items of the array, so write the properties separately.
    const written: unknown[] = ['!l', items];
    for (const name of names) {
      this.#budget.spend(Cost.property);
      written.push(name, this.#any(extraProperty(source, name)));
    }
    return written;
  }

  #plain(source: Record<string, unknown>): unknown {
    const names = Object.keys(source);
    let tuple: unknown[] | undefined;
    let dates: boolean[] = [];
    for (let at = 0; at < names.length; at++) {
      const item = source[names[at]!];
      const date = typeof item === 'object' && types.isDate(item) && !this.#isClassed(item) && !this.#numbers.has(item);
      const written = date ? this.#time(item) : this.#any(item);
      if (tuple === undefined) {
        if (written === item) continue;
        tuple = ['!p', 0];
        dates = new Array<boolean>(at).fill(false);
        for (let before = 0; before < at; before++) tuple.push(source[names[before]!]);
      }
      tuple.push(written);
      dates.push(date);
    }
    if (tuple === undefined) return source;
    tuple[1] = this.#shapeOf(names, dates);
    return tuple;
  }

  #isClassed(item: object): boolean {
    return this.#names !== undefined && traitsOf(Object.getPrototypeOf(item) as object).type !== undefined;
  }

  /** Returns a date as milliseconds. JSON writes an invalid date as null. */
  #time(date: Date): number {
    this.#numbers.set(date, this.#numbers.size);
    this.#budget.spend(Cost.date);
    return date.getTime();
  }

  /** Returns the index of a shape. Searches only the last shapes, because rows of a table alternate between few. */
  #shapeOf(names: readonly string[], dates: readonly boolean[]): number {
    const shapes = this.#shapes;
    for (let at = shapes.length - 1; at >= 0 && at >= shapes.length - RECENT_SHAPES; at--) {
      const shape = shapes[at]!;
      if (equal(shape.names, names) && equal(shape.dates, dates)) return at;
    }
    this.#budget.spend(names.length * Cost.name);
    return shapes.push({ names, dates }) - 1;
  }

  /** Returns the JSON of a built-in object; undefined for other objects. */
  #builtIn(source: object): unknown[] | undefined {
    if (types.isDate(source)) {
      const time = timeOf(source);
      this.#budget.spend(Cost.date);
      return ['!d', Number.isNaN(time) ? null : time];
    }
    if (ArrayBuffer.isView(source)) return this.#view(source);
    if (types.isAnyArrayBuffer(source)) return this.#bytes('ArrayBuffer', new Uint8Array(source));
    if (types.isMap(source)) {
      this.#budget.spend(Cost.collection);
      const written: unknown[] = ['!m'];
      for (const [key, item] of entriesOf(source)) written.push(this.#any(key), this.#any(item));
      return written;
    }
    if (types.isSet(source)) {
      this.#budget.spend(Cost.collection);
      const written: unknown[] = ['!s'];
      for (const [item] of entriesOf(source)) written.push(this.#any(item));
      return written;
    }
    if (types.isRegExp(source)) {
      this.#budget.spend(Cost.regExp);
      return ['!x', source.source, source.flags];
    }
    if (types.isNativeError(source)) {
      this.#budget.spend(Cost.error);
      return ['!e', errorName(source), ...this.#properties(source, ERROR_TRAITS)];
    }
    if (types.isBoxedPrimitive(source)) return ['!o', this.#any(source.valueOf())];
    return undefined;
  }

  #view(source: ArrayBufferView): unknown[] {
    const bytes = new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
    if (Buffer.isBuffer(source)) return this.#bytes('Buffer', bytes);
    const name = types.isDataView(source) ? 'DataView' : viewName(source);
    return this.#bytes(Object.hasOwn(VIEWS, name) ? name : 'Uint8Array', bytes);
  }

  #bytes(type: string, bytes: Uint8Array): unknown[] {
    this.#budget.spend(Cost.bytes);
    this.#raw.push(bytes);
    return ['!v', type, bytes.byteLength];
  }
}

function equal(one: readonly unknown[], other: readonly unknown[]): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false;
  return true;
}

/**
 * Refuses a value that is small only because its parts are shared, but huge as JSON: for example forty arrays, each of which holds the
 * previous one twice. Also refuses chains of references that nest more deeply than their text.
 */
function checkExpansion(value: unknown): void {
  const known = new Map<object, { size: number; height: number }>();
  const measure = (part: unknown, depth: number): { size: number; height: number } => {
    if (typeof part === 'string') return { size: part.length + 3, height: 0 };
    if (typeof part !== 'object' || part === null) return LEAF;
    const before = known.get(part);
    if (before !== undefined) return before;
    const total = { size: 2, height: 1 };
    known.set(part, total);
    if (ArrayBuffer.isView(part) || types.isAnyArrayBuffer(part)) total.size += 4 * part.byteLength;
    for (const child of childrenOf(part)) {
      const { size, height } = measure(child, depth + 1);
      total.size += size;
      if (height >= total.height) total.height = height + 1;
      if (total.size > MAX_EXPANDED) throw new ForeignBytesError('too large once its shared parts are written out');
      if (total.height > MAX_DEPTH || depth > MAX_DEPTH) throw new ForeignBytesError('nested too deeply');
    }
    return total;
  };
  measure(value, 0);
}

const LEAF = { size: 8, height: 0 } as const;

function* childrenOf(part: object): Iterable<unknown> {
  if (Array.isArray(part)) {
    yield* part;
    for (const name of keptExtraNamesOf(part) ?? []) {
      yield name;
      yield extraProperty(part, name);
    }
  } else if (types.isMap(part)) for (const entry of part) yield* entry;
  else if (types.isSet(part)) yield* part;
  else if (types.isNativeError(part)) for (const name of Object.getOwnPropertyNames(part)) yield valueOf(part, name);
  else if (!ArrayBuffer.isView(part)) {
    for (const [name, item] of Object.entries(part)) {
      yield name;
      yield item;
    }
  }
}

/** Converts the parsed text to the value. Changes plain objects and arrays in place. */
class GraphReader {
  readonly #bytes: Buffer;
  readonly #budget: ReadBudget;
  readonly #symbols: KnownSymbols;
  #shapes: readonly Shape[] = [];
  #classes: readonly ClassName[] | undefined;
  /** The instances of each class, by the number of the class. */
  readonly #instances: object[][] = [];
  readonly #extras: InstanceExtras[] = [];
  #objects: object[] | undefined;
  #rawAt = 0;
  #mutable = false;
  #json = true;

  constructor(bytes: Buffer, budget: ReadBudget, symbols: KnownSymbols) {
    this.#bytes = bytes;
    this.#budget = budget;
    this.#symbols = symbols;
  }

  read(): DecodedValue {
    const bytes = this.#bytes;
    if (bytes.length < HEADER) throw new ForeignBytesError('too short');
    const flags = bytes[0]!;
    if (flags > HAS_REFERENCES) throw new ForeignBytesError('unknown flags');
    const length = bytes.readUInt32LE(1);
    if (length > bytes.length - HEADER) throw new ForeignBytesError('it ends within its text');
    this.#rawAt = HEADER + length;
    if (flags === HAS_REFERENCES) this.#objects = [];
    const text = parseBoundedJson(bytes.subarray(HEADER, this.#rawAt), this.#budget);
    if (!Array.isArray(text) || text.length < 2 || text.length > 3 || !Array.isArray(text[0]))
      throw new ForeignBytesError('no graph');
    this.#shapes = text[0].map((fields: unknown) => this.#shape(fields));
    if (text.length === 3) this.#classes = classNamesIn(text[2]);
    const value = this.#any(text[1], 0);
    if (this.#rawAt !== bytes.length) throw new ForeignBytesError('it has bytes after its end');
    if (flags === HAS_REFERENCES) checkExpansion(value);
    const classes = this.#classes;
    const instances = classes && { classes, instances: this.#instances, extras: this.#extras };
    return { value, mutable: this.#mutable, json: this.#json, instances };
  }

  #any(node: unknown, depth: number): unknown {
    return typeof node === 'object' && node !== null ? this.#object(node, depth + 1) : node;
  }

  #object(node: object, depth: number): unknown {
    if (depth > MAX_DEPTH) throw new ForeignBytesError('nested too deeply');
    if (Array.isArray(node)) {
      const [first] = node as readonly unknown[];
      return typeof first === 'string' && first.charCodeAt(0) === MARK
        ? this.#marked(first, node, depth)
        : this.#items(node, depth);
    }
    this.#objects?.push(node);
    const fields = node as Record<string, unknown>;
    for (const name in fields) {
      const item = fields[name];
      if (typeof item !== 'object' || item === null) continue;
      const value = this.#object(item, depth + 1);
      if (value !== item) fields[name] = value;
    }
    return node;
  }

  #items(items: unknown[], depth: number): unknown[] {
    this.#objects?.push(items);
    for (let at = 0; at < items.length; at++) {
      const item = items[at];
      if (typeof item !== 'object' || item === null) continue;
      if (isHole(item)) {
        this.#json = false;
        delete items[at];
        continue;
      }
      const value = this.#object(item, depth + 1);
      if (value !== item) items[at] = value;
    }
    return items;
  }

  #marked(mark: string, node: unknown[], depth: number): unknown {
    if (mark === '!a') return this.#items(node.slice(1), depth);
    this.#json = false;
    switch (mark) {
      case '!l':
        return this.#named(node, depth);
      case '!p':
        return this.#plain(node, depth);
      case '!u':
        return undefined;
      case '!n':
        return specialNumber(node[1]);
      case '!b':
        return bigintOf(node[1]);
      case '!r':
        return this.#reference(node[1]);
    }
    this.#mutable = true;
    switch (mark) {
      case '!i':
        return this.#instance(node, depth);
      case '!d':
        return this.#date(node[1]);
      case '!m': {
        if (node.length % 2 === 0) throw new ForeignBytesError('a Map with half an entry');
        this.#budget.spend(Cost.collection);
        const map = this.#made(new Map<unknown, unknown>());
        for (let at = 1; at < node.length; at += 2) map.set(this.#any(node[at], depth), this.#any(node[at + 1], depth));
        return map;
      }
      case '!s': {
        this.#budget.spend(Cost.collection);
        const set = this.#made(new Set<unknown>());
        for (let at = 1; at < node.length; at++) set.add(this.#any(node[at], depth));
        return set;
      }
      case '!v':
        return this.#made(this.#view(textOf(node[1]), node[2]));
      case '!x':
        this.#budget.spend(Cost.regExp);
        return this.#made(new RegExp(textOf(node[1]), textOf(node[2])));
      case '!e':
        return this.#error(node, depth);
      case '!o':
        return this.#made(boxed(this.#any(node[1], depth)));
    }
    throw new ForeignBytesError('an unknown mark');
  }

  #named([, items, ...named]: readonly unknown[], depth: number): unknown[] {
    if (!Array.isArray(items) || named.length === 0 || named.length % 2 !== 0)
      throw new ForeignBytesError('an array without its names');
    const [first] = items as readonly unknown[];
    const isMarked = typeof first === 'string' && first.charCodeAt(0) === MARK;
    if (isMarked && first !== '!a') throw new ForeignBytesError('property names without an array');
    const array = this.#items(isMarked ? items.slice(1) : items, depth + 1);
    for (let at = 0; at < named.length; at += 2) {
      this.#budget.spend(Cost.property);
      const name = textOf(named[at]);
      // Either name would create an array with billions of items.
      if (name === 'length' || isArrayIndex(name)) throw new ForeignBytesError('an item among the named properties');
      setExtraProperty(array, name, this.#any(named[at + 1], depth));
    }
    return array;
  }

  #shape(fields: unknown): Shape {
    const shape = shapeIn(fields);
    this.#budget.spend(shape.names.length * Cost.name);
    return shape;
  }

  #plain(node: readonly unknown[], depth: number): object {
    const shape = this.#shapes[numberOf(node[1])];
    if (shape === undefined) throw new ForeignBytesError('an unknown shape');
    const { names, dates } = shape;
    if (node.length !== names.length + 2) throw new ForeignBytesError('an object that does not have its shape');
    const object = this.#made<Record<string, unknown>>({});
    for (let at = 0; at < names.length; at++) {
      const name = names[at]!;
      const item = node[at + 2];
      let value = item;
      if (dates[at] === true) value = this.#date(item);
      else if (typeof item === 'object' && item !== null) value = this.#object(item, depth + 1);
      if (name === '__proto__')
        Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
      else object[name] = value;
    }
    return object;
  }

  #instance([, index, data, ...extras]: readonly unknown[], depth: number): object {
    const at = numberOf(index);
    if (this.#classes?.[at] === undefined) throw new ForeignBytesError('an unknown class');
    const instance = this.#any(data, depth);
    if (typeof instance !== 'object' || instance === null) throw new ForeignBytesError('an instance without data');
    (this.#instances[at] ??= []).push(instance);
    const [integrity, ...properties] = extras;
    if (extras.length > 0) {
      const own = this.#propertiesIn(properties, depth);
      this.#extras.push({ instance, properties: own, integrity: integrityIn(integrity) });
    }
    return instance;
  }

  #propertiesIn(properties: readonly unknown[], depth: number): OwnProperty[] {
    if (properties.length % 3 !== 0) throw new ForeignBytesError('an incomplete property');
    const own: OwnProperty[] = [];
    for (let at = 0; at < properties.length; at += 3) {
      this.#budget.spend(Cost.property);
      const name = properties[at];
      const flags = numberOf(properties[at + 1]);
      const descriptor = {
        value: this.#any(properties[at + 2], depth),
        writable: (flags & WRITABLE) !== 0,
        enumerable: (flags & ENUMERABLE) !== 0,
        configurable: (flags & CONFIGURABLE) !== 0,
      };
      own.push({ key: Array.isArray(name) ? this.#symbols.of(textOf(name[0])) : textOf(name), descriptor });
    }
    return own;
  }

  #date(time: unknown): Date {
    this.#mutable = true;
    this.#budget.spend(Cost.date);
    return this.#made(new Date(time === null ? NaN : numberOf(time)));
  }

  #made<T extends object>(object: T): T {
    this.#objects?.push(object);
    return object;
  }

  #reference(number: unknown): object {
    const object = this.#objects?.[numberOf(number)];
    if (object === undefined) throw new ForeignBytesError('a reference to nothing');
    return object;
  }

  /** Returns a copy, because a view would keep all bytes of the read in memory. */
  #view(type: string, length: unknown): object {
    this.#budget.spend(Cost.bytes);
    const size = numberOf(length);
    const from = this.#rawAt;
    if (!Number.isInteger(size) || size < 0 || size > this.#bytes.length - from) {
      throw new ForeignBytesError('it ends within its bytes');
    }
    this.#rawAt = from + size;
    const raw = this.#bytes.subarray(from, this.#rawAt);
    if (type === 'Buffer') return Buffer.from(raw);
    const buffer = new Uint8Array(raw).buffer;
    if (type === 'ArrayBuffer') return buffer;
    const View = Object.hasOwn(VIEWS, type) ? VIEWS[type] : undefined;
    if (View === undefined) throw new ForeignBytesError('an unknown typed array');
    return new View(buffer);
  }

  #error([, name, ...properties]: unknown[], depth: number): Error {
    this.#budget.spend(Cost.error);
    const error = this.#made(stackless(textOf(name)));
    for (const { key, descriptor } of this.#propertiesIn(properties, depth))
      Object.defineProperty(error, key, descriptor);
    return error;
  }
}

/** Creates an error without capturing the stack, which would take most of the time. */
function stackless(type: string): Error {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    const error = new Error();
    delete error.stack;
    if (Object.hasOwn(ERRORS, type)) Object.setPrototypeOf(error, ERRORS[type]!.prototype);
    return error;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function shapeIn(fields: unknown): Shape {
  if (!Array.isArray(fields)) throw new ForeignBytesError('no shape');
  const names: string[] = [];
  const dates: boolean[] = [];
  for (const field of fields) {
    const text = textOf(field);
    if (text[0] !== '=' && text[0] !== 'd') throw new ForeignBytesError('no field');
    names.push(text.slice(1));
    dates.push(text[0] === 'd');
  }
  return { names, dates };
}

function classNamesIn(names: unknown): ClassName[] {
  if (!Array.isArray(names)) throw new ForeignBytesError('no classes');
  return names.map((name: unknown) => {
    if (!Array.isArray(name)) throw new ForeignBytesError('no class');
    const alias: unknown = name[0];
    return { alias: alias === 0 ? undefined : textOf(alias), name: textOf(name[1]), fingerprint: textOf(name[2]) };
  });
}

function integrityOf(source: object): Integrity {
  if (Object.isExtensible(source)) return Integrity.open;
  return Object.isFrozen(source) ? Integrity.frozen : Integrity.fixed;
}

function integrityIn(value: unknown): Integrity {
  if (value === Integrity.open || value === Integrity.fixed || value === Integrity.frozen) return value;
  throw new ForeignBytesError('an unknown integrity');
}

function flagsOf({ writable, enumerable, configurable }: PropertyDescriptor): number {
  return (writable ? WRITABLE : 0) | (enumerable ? ENUMERABLE : 0) | (configurable ? CONFIGURABLE : 0);
}

/** Returns the name of a built-in error, otherwise 'Error'. */
function errorName(error: Error): string {
  const { constructor } = Object.getPrototypeOf(error) as { constructor: { name: string } };
  return Object.hasOwn(ERRORS, constructor.name) ? constructor.name : 'Error';
}

/** Reads a data property without running an accessor. */
function valueOf(object: object, name: string): unknown {
  return Object.getOwnPropertyDescriptor(object, name)?.value;
}

function isHole(item: object): boolean {
  return Array.isArray(item) && item[0] === '!h';
}

function numberOf(value: unknown): number {
  if (typeof value !== 'number') throw new ForeignBytesError('a number is missing');
  return value;
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new ForeignBytesError('a text is missing');
  return value;
}

function specialNumber(name: unknown): number {
  switch (name) {
    case '-0':
      return -0;
    case 'NaN':
      return NaN;
    case 'Infinity':
      return Infinity;
    case '-Infinity':
      return -Infinity;
  }
  throw new ForeignBytesError('an unknown number');
}

function bigintOf(digits: unknown): bigint {
  const text = textOf(digits);
  if (text.length > MAX_DIGITS || !/^-?[0-9a-f]+$/.test(text)) throw new ForeignBytesError('no BigInt');
  return text.startsWith('-') ? -BigInt(`0x${text.slice(1)}`) : BigInt(`0x${text}`);
}

function boxed(value: unknown): object {
  if (typeof value === 'object' || value === undefined) throw new ForeignBytesError('no primitive');
  return Object(value) as object;
}
