/*
 * Estimates the heap bytes of values from what V8 allocates for each kind of value (64-bit, uncompressed pointers, as Node.js is built).
 * Limits in bytes depend on these figures, so tests hold them within 15 % of the growth of the heap.
 */

/** One tagged pointer, which a field, an element or a small integer takes. */
export const SLOT_BYTES = 8;
/** A number in a field, or in an element of a frozen array, that is not a small integer. */
const NUMBER_BYTES = 16;
const STRING_HEAD_BYTES = 16;
/** The header of an object: pointers to its map, properties and elements. */
const OBJECT_HEAD_BYTES = 24;
const ARRAY_HEAD_BYTES = 32;
const ELEMENTS_HEAD_BYTES = 16;
const BIGINT_BYTES = 24;
const SMALL_BIGINT = 2n ** 63n;
/** A property name shorter than this counts as shared by all objects that have it. */
const SHARED_NAME_LENGTH = 64;

/** The fields that V8 reserves in an object created by `{}`. */
const INNER_FIELDS = 4;
const OUTER_HEAD_BYTES = 16;
/** V8 allocates fields outside the object in steps of this many. */
const OUTER_STEP = 3;
/** A frozen copy with more fields has a separate hidden class (see `sharesShape`). */
export const MAX_SHARED_SHAPE_FIELDS = 16;
const HIDDEN_CLASS_BYTES = 96;
const DESCRIPTOR_BYTES = 24;
/** Names of more fields are assumed to be data, such as identifiers. Then each object is assumed to have hidden classes of its own. */
const MAX_DECLARED_FIELDS = 128;
const DATA_FIELD_BYTES = 144;
const NAME_BYTES = 32;
/** For more fields, V8 uses a hash table. */
const MAX_DESCRIPTORS = 1_020;
const TABLE_FIELD_BYTES = 24;

/** Returns the bytes of an object with this many fields, without the values of the fields. */
export function objectBytes(fields: number): number {
  if (fields > MAX_DESCRIPTORS) return powerOfTwo(1.5 * fields) * TABLE_FIELD_BYTES + fields * NAME_BYTES;
  if (fields > MAX_DECLARED_FIELDS) return OBJECT_HEAD_BYTES + fields * (DATA_FIELD_BYTES + NAME_BYTES);
  if (fields > MAX_SHARED_SHAPE_FIELDS) {
    return OBJECT_HEAD_BYTES + HIDDEN_CLASS_BYTES + fields * (SLOT_BYTES + DESCRIPTOR_BYTES);
  }
  const inner = OBJECT_HEAD_BYTES + INNER_FIELDS * SLOT_BYTES;
  if (fields <= INNER_FIELDS) return inner;
  return inner + OUTER_HEAD_BYTES + Math.ceil((fields - INNER_FIELDS) / OUTER_STEP) * OUTER_STEP * SLOT_BYTES;
}

/** Returns the bytes of an array of this length, without the values of its elements. */
export function arrayBytes(length: number): number {
  return ARRAY_HEAD_BYTES + (length === 0 ? 0 : ELEMENTS_HEAD_BYTES + length * SLOT_BYTES);
}

/** Returns the bytes of an array's properties besides its items, without their values. V8 allocates all of them outside the object. */
export function extraPropertiesBytes(fields: number): number {
  return objectBytes(INNER_FIELDS + fields) - objectBytes(0);
}

/** Returns the bytes of a number, in addition to the slot that holds it. */
export function numberBytes(value: number): number {
  return (value | 0) === value ? 0 : NUMBER_BYTES;
}

/** Returns the bytes of a BigInt: a header and its digits. */
export function bigintBytes(value: bigint): number {
  if (value < SMALL_BIGINT && value > -SMALL_BIGINT) return BIGINT_BYTES;
  return BIGINT_BYTES + Math.ceil(value.toString(16).length / 2);
}

/** Returns the bytes of a property's name if it is too long to be shared by many objects, otherwise 0. */
export function nameBytes(name: string): number {
  return name.length > SHARED_NAME_LENGTH ? stringBytes(name) : 0;
}

/** From this length on, all characters are checked. */
const LOOKED_THROUGH = 64;
const WIDE = /[^\0-\xff]/;

/** Returns the bytes of a string. It takes two bytes per character if one character is not Latin-1. */
export function stringBytes(text: string): number {
  const { length } = text;
  const bytes = isWide(text, length) ? 2 * length : length;
  return STRING_HEAD_BYTES + ((bytes + 7) & ~7);
}

/** Returns true if a string takes two bytes per character. For short strings it checks only three characters. */
function isWide(text: string, length: number): boolean {
  if (length >= LOOKED_THROUGH) return WIDE.test(text);
  return length > 0 && (text.charCodeAt(0) | text.charCodeAt(length >> 1) | text.charCodeAt(length - 1)) > 0xff;
}

const COLLECTION_BYTES = 72;
const TABLE_ROW_BYTES = { Map: 28, Set: 20 } as const;
const LEAST_ROWS = 4;

/** Returns the bytes of a Map or Set with this many elements. Its table doubles as it grows. */
export function collectionBytes(kind: 'Map' | 'Set', elements: number): number {
  return COLLECTION_BYTES + powerOfTwo(Math.max(LEAST_ROWS, elements)) * TABLE_ROW_BYTES[kind];
}

/** Returns the smallest power of two that is not below a number. */
function powerOfTwo(least: number): number {
  return 2 ** Math.ceil(Math.log2(least));
}
