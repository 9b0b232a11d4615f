import { types } from 'node:util';
import { CacheError } from '../errors.js';

/** A value as the cache keeps it: nobody outside holds a part of it that can change. */
export interface IsolatedValue {
  readonly value: unknown;
  /** Bytes, estimated in the same walk. */
  readonly size: number;
  /** True where `JSON.parse(JSON.stringify(value))` gives the same value. */
  readonly json: boolean;
  /** True where a part cannot be frozen (Date, Map, Set, Buffer …): whoever reads it gets a copy. */
  readonly mutable: boolean;
}

/**
 * Takes a value in: a frozen copy with the semantics of the structured clone algorithm (HTML, 2.7.3), except that a Buffer
 * stays a Buffer and an object with `toJSON` is represented by what that answers. Class instances become plain objects.
 * The given object itself is neither kept nor frozen.
 * @param freeze false leaves the copy as it is, for what is only encoded: freezing is a third of the work.
 * @throws CacheError `VALUE_NOT_SERIALIZABLE` for functions, symbols, promises, weak collections, what nests too deeply,
 *   and where a getter or `toJSON` throws (the cause is kept).
 */
export function isolate(value: unknown, freeze = true): IsolatedValue {
  return new Copy(freeze).of(value);
}

/** A private, mutable copy of an isolated value, with the same types. */
export function copyOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? new Copy(false).of(value).value : value;
}

const MAX_DEPTH = 1_000;
const OBJECT_BYTES = 24;
const SLOT_BYTES = 8;
const STRING_BYTES = 16;

/** One walk over one value. */
class Copy {
  readonly #freeze: boolean;
  readonly #seen = new SeenObjects();
  #size = 0;
  #json = true;
  #mutable = false;

  constructor(freeze: boolean) {
    this.#freeze = freeze;
  }

  of(value: unknown): IsolatedValue {
    try {
      const copy = this.#any(value, 0);
      return { value: copy, size: this.#size, json: this.#json, mutable: this.#mutable };
    } catch (cause) {
      if (cause instanceof CacheError) throw cause;
      throw notSerializable('a property or toJSON() that threw while it was read', cause);
    }
  }

  #any(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case 'string':
        this.#size += STRING_BYTES + value.length;
        return value;
      case 'number':
        this.#size += SLOT_BYTES;
        if (!Number.isFinite(value) || Object.is(value, -0)) this.#json = false;
        return value;
      case 'boolean':
        this.#size += SLOT_BYTES;
        return value;
      case 'undefined':
        this.#size += SLOT_BYTES;
        this.#json = false;
        return value;
      case 'bigint':
        this.#size += 2 * SLOT_BYTES;
        this.#json = false;
        return value;
      case 'object':
        if (value === null) {
          this.#size += SLOT_BYTES;
          return value;
        }
        return this.#object(value, depth);
      default:
        throw notSerializable(`a ${typeof value}`);
    }
  }

  #object(source: object, depth: number): unknown {
    if (depth > MAX_DEPTH) throw notSerializable(`objects nested more than ${MAX_DEPTH} deep`);
    const known = this.#seen.copyOf(source);
    if (known !== undefined) {
      this.#json = false;
      return known;
    }
    this.#size += OBJECT_BYTES;
    if (Array.isArray(source)) return this.#array(source, depth);
    const prototype: unknown = Object.getPrototypeOf(source);
    if (prototype !== Object.prototype && prototype !== null) {
      const builtIn = this.#builtIn(source, depth);
      if (builtIn !== undefined) return builtIn;
    }
    if ('toJSON' in source && typeof source.toJSON === 'function') {
      this.#size -= OBJECT_BYTES;
      return this.#any(source.toJSON(''), depth + 1);
    }
    return this.#plain(source as Record<string, unknown>, depth);
  }

  #array(source: readonly unknown[], depth: number): unknown {
    const { length } = source;
    const copy: unknown[] = length > 0 ? new Array<unknown>(length) : [];
    this.#seen.add(source, copy);
    this.#size += length * SLOT_BYTES;
    for (let index = 0; index < length; index++) {
      const item = source[index];
      if (item === undefined && !(index in source)) this.#json = false;
      else copy[index] = this.#any(item, depth + 1);
    }
    return this.#freeze ? Object.freeze(copy) : copy;
  }

  #plain(source: Record<string, unknown>, depth: number): unknown {
    // Spreading copies the hidden class with the fields, which is several times cheaper than adding them one by one.
    const copy: Record<string, unknown> = { ...source };
    this.#seen.add(source, copy);
    for (const name in copy) {
      const item = copy[name];
      this.#size += SLOT_BYTES + name.length;
      if (typeof item === 'string') this.#size += STRING_BYTES + item.length;
      else {
        const kept = this.#any(item, depth + 1);
        if (kept !== item) copy[name] = kept;
      }
    }
    const symbols = Object.getOwnPropertySymbols(copy);
    if (symbols.length > 0) for (const symbol of symbols) delete copy[symbol as unknown as string];
    return this.#freeze ? Object.freeze(copy) : copy;
  }

  /** A copy of what is neither array nor plain object, or undefined for an instance of a class. */
  #builtIn(source: object, depth: number): unknown {
    if (types.isDate(source)) return this.#thawed(source, new Date(source.getTime()), SLOT_BYTES);
    if (ArrayBuffer.isView(source)) return this.#view(source);
    if (types.isMap(source)) {
      const copy = this.#thawed(source, new Map<unknown, unknown>(), 0);
      for (const [name, item] of source) copy.set(this.#any(name, depth + 1), this.#any(item, depth + 1));
      return copy;
    }
    if (types.isSet(source)) {
      const copy = this.#thawed(source, new Set<unknown>(), 0);
      for (const item of source) copy.add(this.#any(item, depth + 1));
      return copy;
    }
    if (types.isAnyArrayBuffer(source)) {
      const copy = new Uint8Array(source).slice().buffer;
      return this.#thawed(source, copy, copy.byteLength);
    }
    if (types.isRegExp(source)) {
      return this.#thawed(source, new RegExp(source.source, source.flags), source.source.length);
    }
    if (types.isNativeError(source) || types.isBoxedPrimitive(source)) {
      return this.#thawed(source, structuredClone(source), 200);
    }
    const refused = NEVER.find(([is]) => is(source));
    if (refused !== undefined) throw notSerializable(refused[1]);
    return undefined;
  }

  #view(source: ArrayBufferView): unknown {
    const bytes = new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
    if (Buffer.isBuffer(source)) return this.#thawed(source, Buffer.from(bytes), source.byteLength);
    // A view of its own bytes alone: the rest of a shared buffer is nobody's business.
    const { buffer } = bytes.slice();
    const View = viewTypes[types.isDataView(source) ? 'DataView' : source.constructor.name] ?? Uint8Array;
    return this.#thawed(source, new View(buffer), source.byteLength);
  }

  #thawed<T extends object>(source: object, copy: T, bytes: number): T {
    this.#seen.add(source, copy);
    this.#size += bytes;
    this.#json = false;
    this.#mutable = true;
    return copy;
  }
}

const viewTypes: Readonly<Record<string, new (buffer: ArrayBuffer) => ArrayBufferView>> = {
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
};

const NEVER: readonly (readonly [is: (value: unknown) => boolean, what: string])[] = [
  [types.isPromise, 'a promise (await it in the loader)'],
  [types.isWeakMap, 'a WeakMap'],
  [types.isWeakSet, 'a WeakSet'],
  [types.isGeneratorObject, 'a generator (spread it into an array)'],
  [(value) => value instanceof WeakRef, 'a WeakRef'],
];

function notSerializable(what: string, cause?: unknown): CacheError {
  return new CacheError(
    'VALUE_NOT_SERIALIZABLE',
    `The value holds ${what}, which cannot be kept in a cache; cache plain data, or give the class a toJSON().`,
    { cause },
  );
}

const FEW = 24;

/** What has been copied already, for cycles and shared references: a short list searched backwards, then a map. */
class SeenObjects {
  readonly #sources: object[] = [];
  readonly #copies: object[] = [];
  #map: Map<object, object> | undefined;

  add(source: object, copy: object): void {
    if (this.#map !== undefined) this.#map.set(source, copy);
    else if (this.#sources.length < FEW) {
      this.#sources.push(source);
      this.#copies.push(copy);
    } else {
      this.#map = new Map();
      for (let at = 0; at < FEW; at++) this.#map.set(this.#sources[at]!, this.#copies[at]!);
      this.#map.set(source, copy);
    }
  }

  copyOf(source: object): object | undefined {
    if (this.#map !== undefined) return this.#map.get(source);
    const sources = this.#sources;
    for (let at = sources.length - 1; at >= 0; at--) if (sources[at] === source) return this.#copies[at];
    return undefined;
  }
}
