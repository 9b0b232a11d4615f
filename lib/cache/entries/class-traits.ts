import { createHash } from 'node:crypto';
import { types } from 'node:util';
import { declaresPrivateState } from './class-source.js';
import { codecOf, type InstanceCodec } from './held-instance.js';

/** The kind of an object in the engine. It determines which internal slots a copy needs. */
export type NativeBase =
  | 'Object'
  | 'Array'
  | 'ArrayBuffer'
  | 'Boxed'
  | 'Buffer'
  | 'DataView'
  | 'Date'
  | 'Error'
  | 'Map'
  | 'RegExp'
  | 'Set'
  | 'TypedArray';

/** The facts that all objects with one prototype share. */
export class ClassTraits {
  /** True if an object had properties that assignment does not copy: hidden, constant or named by symbols. */
  irregular = false;
  #fingerprint: string | undefined;
  #words: ReadonlySet<string> | undefined;
  #properties: Set<string> | undefined;

  constructor(
    readonly prototype: object,
    readonly base: NativeBase,
    /** The class of an application or library; undefined for plain data and built-in classes. */
    readonly type: ClassConstructor | undefined,
    /** Describes the objects, if they cannot be copied; otherwise undefined. */
    readonly refusal: string | undefined,
    /** Names that an assignment does not turn into own properties: accessors and constants of the prototypes. */
    readonly inherited: ReadonlySet<string>,
    /** Set if the objects stand for instances that the application encodes. */
    readonly codec: InstanceCodec | undefined,
  ) {}

  get name(): string {
    return this.type === undefined ? '' : nameOf(this.type);
  }

  /** A digest of the sources of the classes. It leaves out the class names, because a minifier may change them. */
  get fingerprint(): string {
    return (this.#fingerprint ??= fingerprintOf(classChain(this.prototype)));
  }

  /** True if a minifier may have chosen the name: it has one or two characters, or three that do not look like a word. */
  get isMangled(): boolean {
    const { name } = this;
    return name.length < 3 || (name.length === 3 && !/^[A-Z][a-z]{2}$/.test(name));
  }

  /** Records the properties of an instance whose class cannot be identified by its name alone. */
  noteProperties(names: readonly string[]): void {
    this.#properties ??= new Set();
    for (const name of names) if (this.#properties.size < NOTED_PROPERTIES) this.#properties.add(name);
  }

  /** Returns true if instances have this property: an instance had it, the source contains the name, or a decorator declares it. */
  hasProperty(name: string): boolean {
    if (this.#properties?.has(name) === true) return true;
    this.#words ??= new Set(classChain(this.prototype).flatMap((type) => sourceOf(type).match(WORD) ?? []));
    return this.#words.has(name) || isDecorated(this.prototype, name);
  }
}

const NOTED_PROPERTIES = 1_000;

/** Uses reflect-metadata if the application has loaded it. */
function isDecorated(prototype: object, property: string): boolean {
  const { getMetadataKeys } = Reflect as { getMetadataKeys?: (target: object, property: string) => readonly unknown[] };
  return typeof getMetadataKeys === 'function' && getMetadataKeys(prototype, property).length > 0;
}

export type ClassConstructor = abstract new (...args: never[]) => object;

const NATIVE_CODE = /\{\s*\[native code\]\s*\}\s*$/;
const WORD = /[\p{ID_Start}$_][\p{ID_Continue}$]*/gu;
const FINGERPRINT_LENGTH = 22;
const TYPED_ARRAY = /^(?:Uint8Clamped|(?:Big)?(?:Ui|I)nt\d+|Float\d+)Array$/;
const BASES = new Map<string, NativeBase>([
  ['Object', 'Object'],
  ['Array', 'Array'],
  ['ArrayBuffer', 'ArrayBuffer'],
  ['DataView', 'DataView'],
  ['Date', 'Date'],
  ['Map', 'Map'],
  ['RegExp', 'RegExp'],
  ['Set', 'Set'],
  ...['BigInt', 'Boolean', 'Number', 'String'].map((name) => [name, 'Boxed'] as const),
  ...[
    'Error',
    'AggregateError',
    'EvalError',
    'RangeError',
    'ReferenceError',
    'SyntaxError',
    'TypeError',
    'URIError',
  ].map((name) => [name, 'Error'] as const),
]);

/** Caches a pure function. The facts about a prototype do not change after its objects are returned. */
const known = new WeakMap<object, ClassTraits>();

export function traitsOf(prototype: object): ClassTraits {
  let traits = known.get(prototype);
  if (traits === undefined) known.set(prototype, (traits = readTraits(prototype)));
  return traits;
}

/** Returns the classes of an object, from its own up to the first built-in one, which is left out. */
export function classChain(prototype: object): ClassConstructor[] {
  const chain: ClassConstructor[] = [];
  for (let level: object | null = prototype; level !== null; level = Object.getPrototypeOf(level) as object | null) {
    if (nativeBase(level) !== undefined) break;
    const type = constructorOf(level);
    if (type !== undefined) chain.push(type);
  }
  return chain;
}

/** Returns a class's name in its source; empty if a static member hides it. */
export function nameOf(type: ClassConstructor): string {
  const { name } = type as { name: unknown };
  return typeof name === 'string' ? name : '';
}

export function sourceOf(type: ClassConstructor): string {
  return Function.prototype.toString.call(type);
}

function fingerprintOf(chain: readonly ClassConstructor[]): string {
  const names = new Set(chain.map(nameOf));
  const hash = createHash('sha256');
  for (const type of chain) {
    const nameless = sourceOf(type).replace(WORD, (word) => (names.has(word) ? '' : word));
    hash.update(nameless).update('\0');
  }
  return hash.digest('base64url').slice(0, FINGERPRINT_LENGTH);
}

function readTraits(prototype: object): ClassTraits {
  const inherited = new Set(['__proto__']);
  const own = nativeBase(prototype);
  let base = own;
  let refusal = own === undefined ? readOnceRefusal(prototype) : undefined;
  for (let level = prototype; base === undefined;) {
    refusal ??= refusalOf(level);
    for (const [name, { writable }] of Object.entries(Object.getOwnPropertyDescriptors(level)))
      if (writable !== true) inherited.add(name);
    const next = Object.getPrototypeOf(level) as object | null;
    if (next === null) break;
    level = next;
    base = nativeBase(level);
  }
  const type = own === undefined ? constructorOf(prototype) : undefined;
  return new ClassTraits(prototype, base ?? 'Object', type, refusal, inherited, codecOf(prototype));
}

/** Returns undefined for a prototype that is not built-in, or whose objects cannot be copied. */
function nativeBase(prototype: object): NativeBase | undefined {
  if (prototype === Object.prototype) return 'Object';
  if (prototype === Buffer.prototype) return 'Buffer';
  const type = constructorOf(prototype);
  if (type === undefined || !NATIVE_CODE.test(sourceOf(type))) return undefined;
  const name = nameOf(type);
  return TYPED_ARRAY.test(name) ? 'TypedArray' : BASES.get(name);
}

function constructorOf(prototype: object): ClassConstructor | undefined {
  const constructor: unknown = Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
  if (typeof constructor !== 'function') return undefined;
  return (constructor as ClassConstructor).prototype === prototype ? (constructor as ClassConstructor) : undefined;
}

function refusalOf(prototype: object): string | undefined {
  const type = constructorOf(prototype);
  // Libraries give dictionaries an empty prototype, because it is fast.
  if (type === undefined && Reflect.ownKeys(prototype).length === 0) return undefined;
  if (type === undefined) return 'an object that inherits from another object and has no class';
  const name = nameOf(type);
  if (NATIVE_CODE.test(sourceOf(type))) return NATIVE_REFUSALS[name] ?? `an instance of ${name}`;
  if (isOfPlatform(name, type)) return `an instance of ${name}`;
  if (declaresPrivateState(sourceOf(type))) return `an instance of ${name}, a class with #private members`;
  return undefined;
}

const NATIVE_REFUSALS: Readonly<Record<string, string>> = {
  Promise: 'a promise (await it in the loader)',
  SharedArrayBuffer: 'shared memory, which others write into',
};

/** Returns true for `Response`, `Headers`, `Blob`, `URL` and others: JavaScript classes with hidden state that a copy would not have. */
function isOfPlatform(name: string, type: ClassConstructor): boolean {
  return Object.hasOwn(globalThis, name) && (globalThis as Record<string, unknown>)[name] === type;
}

/** Methods of Node and web streams, observables, Nest's `StreamableFile` and asynchronous iterators. */
const READ_ONCE = ['pipe', 'getReader', 'getStream', Symbol.asyncIterator] as const;

/** Describes a stream, observable or iterator, which can be read only once; undefined for other objects. */
function readOnceRefusal(prototype: object): string | undefined {
  if (READ_ONCE.some((name) => hasMethod(prototype, name)))
    return 'a stream or asynchronous iterator, which can be read once';
  if (hasMethod(prototype, 'next') && hasMethod(prototype, Symbol.iterator))
    return 'a generator or iterator, which can be read once (spread it into an array)';
  return undefined;
}

/** Returns true if an object has this method. Runs no accessor. */
function hasMethod(prototype: object, name: string | symbol): boolean {
  for (let level: object | null = prototype; level !== null; level = Object.getPrototypeOf(level) as object | null) {
    const descriptor = Object.getOwnPropertyDescriptor(level, name);
    if (descriptor !== undefined) return typeof descriptor.value === 'function';
  }
  return false;
}

/** Returns false for an object that only inherits from a built-in class: it has no internal state to copy. */
export function hasSlotsOf(base: NativeBase, source: object): boolean {
  switch (base) {
    case 'Object':
      return true;
    case 'Array':
      return Array.isArray(source);
    case 'ArrayBuffer':
      return types.isAnyArrayBuffer(source);
    case 'Boxed':
      return types.isBoxedPrimitive(source);
    case 'Buffer':
      return types.isUint8Array(source);
    case 'DataView':
      return types.isDataView(source);
    case 'Date':
      return types.isDate(source);
    case 'Error':
      return types.isNativeError(source);
    case 'Map':
      return types.isMap(source);
    case 'RegExp':
      return types.isRegExp(source);
    case 'Set':
      return types.isSet(source);
    case 'TypedArray':
      return types.isTypedArray(source);
  }
}
