import { types } from 'node:util';
import { CacheError } from '../base/errors.js';
import { inSameTurn } from '../base/thenable.js';
import { copyOf } from './caller-copy.js';
import { type ClassTraits, hasSlotsOf, type NativeBase, traitsOf } from './class-traits.js';
import type { HeldInstance } from './held-instance.js';
import { becomeInstance, isRegular } from './instance-properties.js';
import { type JsonText, jsonText } from './json-text.js';
import { extraNamesOf, extraProperty, setExtraProperty } from './extra-properties.js';
import { entriesOf, itemsOf, nativeCopy, nativeRefusal, nativeSize } from './native-copies.js';
import { SeenObjects } from './seen-objects.js';
import {
  arrayBytes,
  bigintBytes,
  MAX_SHARED_SHAPE_FIELDS,
  extraPropertiesBytes,
  nameBytes,
  numberBytes,
  objectBytes,
  SLOT_BYTES,
  stringBytes,
} from './sizes.js';

/*
 * How the cache changes values when it stores and returns them.
 *
 * The cache returns what the handler or method itself would have returned. It stores plain data once, frozen, and all callers share it. It
 * stores objects that cannot be frozen (Date, Map, Buffer …) and instances of classes, which serializers and ORMs change, once and copies
 * them for each caller. A copy of an instance has the same prototype and own data properties. The properties are defined directly, without
 * a constructor or setter. If a copy of any part would not behave the same (a stream, a function, #private members …), the whole value is
 * refused: its caller gets the original, and nothing is stored.
 */

/** A value as the cache stores it. Code outside the cache holds no part of it that can change. */
export interface IsolatedValue {
  readonly value: unknown;
  /** Estimated bytes, computed while the value is copied. */
  readonly size: number;
  /** True if `JSON.parse(JSON.stringify(value))` gives the same value. */
  readonly json: boolean;
  /** True if a part is an instance or cannot be frozen (Date, Map, Set, Buffer …). Each reader then gets a copy. */
  readonly mutable: boolean;
  /** The classes of the instances in the value. */
  readonly instances: ReadonlySet<ClassTraits>;
  /** False if the value holds symbols that mean nothing in another process. */
  readonly portable: boolean;
}

/** Finds the replacements for instances that the application encodes. */
export interface InstanceCodecs {
  /** Returns the prototype of the objects that replace instances with this prototype; undefined if such instances are copied. */
  heldPrototypeOf(prototype: object): object | undefined;
}

export interface IsolateOptions {
  /** False does not freeze the copy, for values that are only encoded. Freezing is a third of the work. @default true */
  readonly freeze?: boolean;
  readonly codecs?: InstanceCodecs | undefined;
  /**
   * True stores objects that cannot be copied but have a `toJSON` as their JSON, for values that are only written as JSON. @default false
   */
  readonly jsonOnly?: boolean;
}

/**
 * Isolates a value: returns a copy by the rules of the structured clone algorithm (HTML, 2.7.3), except that a Buffer stays a Buffer and
 * instances keep their classes. The given object is neither stored nor frozen.
 * @throws CacheError `VALUE_NOT_SERIALIZABLE` if a part cannot be copied faithfully or is nested more than 1,000 deep, or if a getter or an
 * application's codec throws (the cause is kept).
 */
export function isolate(value: unknown, options: IsolateOptions = {}): IsolatedValue {
  try {
    return isolated(value, options, false);
  } catch (error) {
    if (options.jsonOnly !== true || !isRefusal(error)) throw error;
    return isolated(value, options, true);
  }
}

/** A walk that is not in use. If a getter or codec isolates another value during a walk, that value gets a new walk. */
let idle: Isolation | undefined;

function isolated(value: unknown, options: IsolateOptions, asksForJson: boolean): IsolatedValue {
  const walk = idle ?? new Isolation();
  idle = undefined;
  try {
    return walk.of(value, options, asksForJson);
  } finally {
    idle = walk;
  }
}

/** Isolates a value that is sent as JSON as its text; undefined if JSON would lose a part of it. */
export function isolateAsJson(value: object): IsolatedValue | undefined {
  const json = textOf(value);
  if (json === undefined) return undefined;
  const size = SLOT_BYTES + objectBytes(0) + SLOT_BYTES + stringBytes(json.text);
  return { value: json, size, json: true, mutable: true, instances: NO_INSTANCES, portable: true };
}

function textOf(value: object): JsonText | undefined {
  try {
    return jsonText(value);
  } catch {
    // The general walk reports what cannot be read.
    return undefined;
  }
}

/** Returns the error for a value that a shared layer cannot store, because it has no meaning in another process. */
export function notPortable(): CacheError {
  return refusal(
    'an instance with properties named by symbols, which a shared layer cannot keep (`Symbol.for(…)` can)',
  );
}

function isRefusal(error: unknown): boolean {
  return error instanceof CacheError && error.code === 'VALUE_NOT_SERIALIZABLE';
}

const MAX_DEPTH = 1_000;
const NO_INSTANCES: ReadonlySet<ClassTraits> = new Set();

const NO_OPTIONS: IsolateOptions = {};

/** One walk over a value. It is reused, because creating a walk costs as much as copying a small object. */
class Isolation {
  #size = 0;
  #json = true;
  #mutable = false;
  #portable = true;
  #instances: ReadonlySet<ClassTraits> = NO_INSTANCES;
  #options = NO_OPTIONS;
  /** True if the walk calls `toJSON` of objects that have it and cannot be copied. */
  #asksForJson = false;
  readonly #seen = new SeenObjects();
  #freeze = true;
  /** The name of the property that is copied now, for `toJSON`. */
  #key = '';

  of(value: unknown, options: IsolateOptions, asksForJson: boolean): IsolatedValue {
    this.#size = SLOT_BYTES;
    this.#json = true;
    this.#mutable = false;
    this.#portable = true;
    this.#instances = NO_INSTANCES;
    this.#options = options;
    this.#asksForJson = asksForJson;
    this.#freeze = options.freeze ?? true;
    this.#key = '';
    try {
      const copy = this.#any(value, 0);
      return {
        value: copy,
        size: this.#size,
        json: this.#json,
        mutable: this.#mutable,
        instances: this.#instances,
        portable: this.#portable,
      };
    } catch (cause) {
      if (cause instanceof CacheError) throw cause;
      throw refusal('something that threw while it was read', cause);
    } finally {
      this.#seen.clear();
      this.#options = NO_OPTIONS;
    }
  }

  #any(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case 'string':
        this.#size += stringBytes(value);
        return value;
      case 'number':
        this.#size += numberBytes(value);
        if (!Number.isFinite(value) || Object.is(value, -0)) this.#json = false;
        return value;
      case 'boolean':
        return value;
      case 'undefined':
        this.#json = false;
        return value;
      case 'bigint':
        this.#size += bigintBytes(value);
        this.#json = false;
        return value;
      case 'object':
        return value === null ? value : this.#object(value, depth);
      default:
        throw refusal(`a ${typeof value}`);
    }
  }

  #object(source: object, depth: number): unknown {
    if (depth > MAX_DEPTH) throw refusal(`objects nested more than ${MAX_DEPTH} deep`);
    const known = this.#seen.copyOf(source);
    if (known !== undefined) {
      this.#json = false;
      return known;
    }
    if (this.#asksForJson && hasToJson(source) && !this.#isCopyable(source)) return this.#jsonOf(source, depth);
    const prototype = Object.getPrototypeOf(source) as object | null;
    if (prototype === Object.prototype || prototype === null) return this.#plain(source as Properties, depth);
    if (prototype === Array.prototype && Array.isArray(source)) return this.#array(source, depth);
    return this.#classed(source, prototype, depth);
  }

  #array(source: readonly unknown[], depth: number): unknown {
    const { length } = source;
    checkNative(source, 'Array');
    const copy: unknown[] = length > 0 ? new Array<unknown>(length) : [];
    this.#seen.add(source, copy);
    this.#size += arrayBytes(length);
    for (let index = 0; index < length; index++) {
      const item = source[index];
      if (typeof item === 'string') {
        this.#size += stringBytes(item);
        copy[index] = item;
        continue;
      }
      if (this.#asksForJson) this.#key = String(index);
      if (item === undefined && !(index in source)) this.#json = false;
      else copy[index] = this.#any(item, depth + 1);
    }
    // JSON leaves out these names.
    const names = this.#asksForJson ? undefined : extraNamesOf(source);
    if (names !== undefined) this.#extraPropertys(source, copy, names, depth);
    return this.#freeze ? Object.freeze(copy) : copy;
  }

  #extraPropertys(source: readonly unknown[], copy: unknown[], names: readonly string[], depth: number): void {
    this.#json = false;
    this.#size += extraPropertiesBytes(names.length);
    for (const name of names) {
      this.#size += nameBytes(name);
      setExtraProperty(copy, name, this.#any(extraProperty(source, name), depth + 1));
    }
  }

  #plain(source: Properties, depth: number): unknown {
    const { length } = Object.keys(source);
    this.#size += objectBytes(length);
    if (this.#freeze && sharesShape(source, length)) {
      const copy: Properties = {};
      this.#seen.add(source, copy);
      // `for…in` reads by position, which is faster than by name. It lists own properties before inherited ones.
      let left = length;
      for (const name in source) {
        if (left-- === 0) break;
        copy[name] = this.#property(name, source[name], depth);
      }
      return Object.freeze(copy);
    }
    const copy = { ...source };
    this.#seen.add(source, copy);
    for (const name in copy) {
      const item = copy[name];
      const kept = this.#property(name, item, depth);
      if (kept !== item) copy[name] = kept;
    }
    const symbols = Object.getOwnPropertySymbols(copy);
    if (symbols.length > 0) for (const symbol of symbols) delete copy[symbol as unknown as string];
    return this.#freeze ? Object.freeze(copy) : copy;
  }

  #property(name: string, item: unknown, depth: number): unknown {
    this.#size += nameBytes(name);
    if (typeof item === 'string') {
      this.#size += stringBytes(item);
      return item;
    }
    if (this.#asksForJson) this.#key = name;
    return this.#any(item, depth + 1);
  }

  /** Copies an object that is neither an array nor plain: an object of a built-in class, or an instance. */
  #classed(source: object, prototype: object, depth: number): unknown {
    const held = this.#options.codecs?.heldPrototypeOf(prototype);
    if (held !== undefined) return this.#held(source, held, depth);
    const traits = traitsOf(prototype);
    const { base } = traits;
    if (traits.refusal !== undefined) throw refusal(traits.refusal);
    if (types.isProxy(source)) throw refusal('a Proxy');
    if (!hasSlotsOf(base, source)) throw refusal(`an object that only inherits from ${base}`);
    checkNative(source, base);
    if (traits.type !== undefined) return this.#instance(source, traits, depth);
    // A plain object or array of another realm.
    if (base === 'Object') return this.#plain(source as Properties, depth);
    if (base === 'Array') return this.#array(source as readonly unknown[], depth);
    return this.#native(source, traits, depth);
  }

  #native(source: object, traits: ClassTraits, depth: number): object {
    const { base } = traits;
    if (base === 'Error') return this.#withProperties(source, traits, depth);
    const copy = this.#unfrozen(source, nativeCopy(source, base));
    this.#size += nativeSize(source, base);
    this.#elements(source, copy, depth);
    return copy;
  }

  /** Copies the elements of a collection. */
  #elements(source: object, copy: object, depth: number): void {
    if (Array.isArray(copy)) {
      copy.length = (source as unknown[]).length;
      itemsOf(source as unknown[]).forEach((item, index) => (copy[index] = this.#any(item, depth + 1)));
    } else if (copy instanceof Map) {
      for (const [key, item] of entriesOf(source as Map<unknown, unknown>))
        copy.set(this.#any(key, depth + 1), this.#any(item, depth + 1));
    } else if (copy instanceof Set) {
      for (const [item] of entriesOf(source as Set<unknown>)) copy.add(this.#any(item, depth + 1));
    }
  }

  #instance(source: object, traits: ClassTraits, depth: number): object {
    this.#noteInstance(traits);
    // Each reader gets a copy, so no part of this value needs to be frozen.
    this.#freeze = false;
    if (traits.isMangled) traits.noteProperties(Object.getOwnPropertyNames(source));
    if (traits.base === 'Object' && isRegular(source, traits)) {
      const copy = this.#unfrozen(source, Object.assign(Object.create(traits.prototype) as Properties, source));
      const names = Object.keys(copy);
      this.#size += objectBytes(names.length);
      for (const name of names) {
        this.#size += nameBytes(name);
        if (this.#asksForJson) this.#key = name;
        const item = copy[name];
        const kept = this.#any(item, depth + 1);
        if (kept !== item) copy[name] = kept;
      }
      return copy;
    }
    traits.irregular = true;
    return this.#withProperties(source, traits, depth);
  }

  /** Copies an object with its internal slots and all own properties. */
  #withProperties(source: object, traits: ClassTraits, depth: number): object {
    const copy = this.#unfrozen(source, nativeCopy(source, traits.base));
    this.#size += nativeSize(source, traits.base);
    this.#elements(source, copy, depth);
    this.#portable &&= Object.getOwnPropertySymbols(source).every((symbol) => Symbol.keyFor(symbol) !== undefined);
    let fields = 0;
    for (const name of Object.keys(source)) this.#size += nameBytes(name);
    const instance = becomeInstance(copy, source, traits, (value) => {
      fields++;
      return this.#any(value, depth + 1);
    });
    this.#size += objectBytes(fields);
    return instance;
  }

  #held(source: object, prototype: object, depth: number): object {
    const held = this.#unfrozen(source, Object.create(prototype) as HeldInstance);
    const traits = traitsOf(prototype);
    this.#noteInstance(traits);
    this.#freeze = false;
    const { codec } = traits;
    this.#size += objectBytes(1);
    held.data = this.#any(inSameTurn(codec!.encode(source), 'encode'), depth + 1);
    // Refuse data that cannot be decoded now, because it would fail for each reader.
    inSameTurn(codec!.decode(copyOf(held.data)), 'decode');
    return held;
  }

  #unfrozen<T extends object>(source: object, copy: T): T {
    this.#seen.add(source, copy);
    this.#json = false;
    this.#mutable = true;
    return copy;
  }

  #noteInstance(traits: ClassTraits): void {
    if (this.#instances === NO_INSTANCES) this.#instances = new Set();
    (this.#instances as Set<ClassTraits>).add(traits);
  }

  #isCopyable(source: object): boolean {
    try {
      isolate(source, { freeze: false, codecs: this.#options.codecs });
      return true;
    } catch {
      return false;
    }
  }

  /** Returns the value of the JSON that `JSON.stringify` would write for the object. */
  #jsonOf(source: object, depth: number): unknown {
    const text = JSON.stringify({ [this.#key]: source });
    return this.#any((JSON.parse(text) as Properties)[this.#key], depth);
  }
}

type Properties = Record<string, unknown>;

/**
 * Returns true if a frozen copy of this plain object must be made by assignment. V8 gives each frozen copy made by spreading a separate
 * hidden class: that costs a microsecond and about 200 bytes per object, and makes later reads of its properties slow. Copies made by
 * assignment share one. With too many fields V8 would use a hash table instead.
 */
function sharesShape(source: Properties, fields: number): boolean {
  // Assigning `__proto__` would set the prototype.
  return fields <= MAX_SHARED_SHAPE_FIELDS && !Object.hasOwn(source, '__proto__');
}

function checkNative(source: object, base: NativeBase): void {
  const refused = nativeRefusal(source, base);
  if (refused !== undefined) throw refusal(refused);
}

function hasToJson(source: object): boolean {
  return 'toJSON' in source && typeof source.toJSON === 'function';
}

function refusal(what: string, cause?: unknown): CacheError {
  return new CacheError(
    'VALUE_NOT_SERIALIZABLE',
    `The value holds ${what}, of which no copy behaves the same; return plain data or instances with plain properties, or list the class with \`encode\` and \`decode\` in \`classes\`.`,
    { cause },
  );
}
