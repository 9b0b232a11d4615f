import { types } from 'node:util';
import type { NativeBase } from './class-traits.js';
import { arrayBytes, collectionBytes, bigintBytes, stringBytes } from './sizes.js';

type ViewConstructor = new (buffer: ArrayBuffer) => ArrayBufferView;

/** Copies the internal slots of an object of a built-in class, without own properties and elements. */
export function nativeCopy(source: object, base: NativeBase): object {
  switch (base) {
    case 'Array':
      return [];
    case 'Map':
      return new Map();
    case 'Set':
      return new Set();
    case 'Date':
      return new Date(timeOf(source as Date));
    case 'RegExp': {
      const { source: pattern, flags } = source as RegExp;
      return new RegExp(pattern, flags);
    }
    case 'ArrayBuffer':
      return new Uint8Array(source as ArrayBuffer).slice().buffer;
    case 'Buffer':
      return Buffer.from(bytesOf(source as Uint8Array));
    case 'TypedArray':
    case 'DataView':
      return viewCopy(source as ArrayBufferView);
    // The message and the stack of an error are own properties, which are copied later.
    case 'Error':
      return new Error();
    case 'Boxed':
      return structuredClone(source);
    case 'Object':
      return {};
  }
}

/** The most holes in an array that is copied. An array with few elements may be billions long. */
const MAX_HOLES = 100_000;

/** Describes why a built-in object cannot be copied; undefined if it can. */
export function nativeRefusal(source: object, base: NativeBase): string | undefined {
  switch (base) {
    case 'Array':
      return hasManyHoles(source as readonly unknown[]) ? `an array with more than ${MAX_HOLES} holes` : undefined;
    case 'ArrayBuffer':
      return bufferRefusal(source as ArrayBuffer);
    case 'Buffer':
    case 'TypedArray':
    case 'DataView':
      return bufferRefusal((source as ArrayBufferView).buffer);
    default:
      return undefined;
  }
}

/** Counts the holes of an array, up to the limit. */
function hasManyHoles(source: readonly unknown[]): boolean {
  const { length } = source;
  if (length <= MAX_HOLES) return false;
  let holes = 0;
  for (let index = 0; index < length && holes <= MAX_HOLES; index++)
    if (source[index] === undefined && !(index in source)) holes++;
  return holes > MAX_HOLES;
}

function bufferRefusal(buffer: ArrayBufferLike): string | undefined {
  if (types.isSharedArrayBuffer(buffer)) return 'shared memory, which others write into';
  return (buffer as { resizable?: boolean }).resizable === true ? 'an ArrayBuffer that can be resized' : undefined;
}

/** Returns the elements of a Map or Set. Uses the built-in iterator, because a subclass may override it. */
export function entriesOf(source: ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>): Iterable<[unknown, unknown]> {
  const { entries } = types.isMap(source) ? Map.prototype : Set.prototype;
  return entries.call(source as never) as Iterable<[unknown, unknown]>;
}

/** Returns the items of an array of any class in a plain array, with the same holes. */
export function itemsOf(source: readonly unknown[]): unknown[] {
  const items: unknown[] = [];
  items.length = source.length;
  for (let index = 0; index < source.length; index++) if (index in source) items[index] = source[index];
  return items;
}

export function timeOf(source: Date): number {
  return Date.prototype.getTime.call(source);
}

/** Returns the estimated bytes of an object with its internal slots, without the contents of a collection. */
export function nativeSize(source: object, base: NativeBase): number {
  switch (base) {
    case 'Object':
      return 0;
    case 'Array':
      return arrayBytes((source as unknown[]).length);
    case 'Map':
    case 'Set':
      return collectionBytes(base, sizeOfCollection(source as Map<unknown, unknown> | Set<unknown>));
    case 'Date':
      return SLOTS_BYTES;
    case 'Boxed':
      return SLOTS_BYTES + primitiveBytes((source as { valueOf(): unknown }).valueOf());
    case 'RegExp':
      return SLOTS_BYTES + stringBytes((source as RegExp).source);
    case 'Error':
      return ERROR_BYTES;
    case 'ArrayBuffer':
      return SLOTS_BYTES + (source as ArrayBuffer).byteLength;
    case 'Buffer':
      return bufferBytes((source as Uint8Array).byteLength);
    case 'TypedArray':
    case 'DataView':
      return 2 * SLOTS_BYTES + (source as ArrayBufferView).byteLength;
  }
}

function primitiveBytes(value: unknown): number {
  if (typeof value === 'string') return stringBytes(value);
  return typeof value === 'bigint' ? bigintBytes(value) : 0;
}

/** Bytes of an object with internal slots. */
const SLOTS_BYTES = 96;
const ERROR_BYTES = 40;

/** A small copy lies in a pool that other buffers share. */
function bufferBytes(length: number): number {
  return (length < Buffer.poolSize >>> 1 ? SLOTS_BYTES : 2 * SLOTS_BYTES) + length;
}

/** Returns the size of a Map or Set. Uses the built-in getter, because a subclass may override it. */
function sizeOfCollection(source: ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>): number {
  return (types.isMap(source) ? MAP_SIZE : SET_SIZE).call(source as never);
}

const MAP_SIZE = sizeGetter(Map.prototype);
const SET_SIZE = sizeGetter(Set.prototype);

function sizeGetter(prototype: object): (this: never) => number {
  return Object.getOwnPropertyDescriptor(prototype, 'size')!.get as (this: never) => number;
}

/** Copies a view with its own bytes only; the rest of a shared buffer is not copied. */
function viewCopy(source: ArrayBufferView): ArrayBufferView {
  const { buffer } = bytesOf(source).slice();
  return new (viewConstructor(source))(buffer);
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Returns the constructor in this realm. Finds it by the engine's name of the type, because a subclass may have another name. */
function viewConstructor(source: ArrayBufferView): ViewConstructor {
  if (types.isDataView(source)) return DataView;
  return (globalThis as unknown as Record<string, ViewConstructor | undefined>)[viewName(source)] ?? Uint8Array;
}

/** Returns the engine's name of a typed array, which does not depend on the name of its class. */
export function viewName(source: ArrayBufferView): string {
  return VIEW_NAME.call(source);
}

const VIEW_NAME = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!
  .get as (this: ArrayBufferView) => string;
