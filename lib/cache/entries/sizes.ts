/*
 * How many bytes of the heap a value takes, estimated from what V8 allocates for each kind of value (64-bit, pointers
 * uncompressed, as Node.js is built). Bounds in bytes rely on these figures, so they are held within 15 % of the heap's growth.
 */

/** One tagged pointer: a field, an element, a small integer. */
export const SLOT_BYTES = 8;
/** A number that is not a small integer, in a field or in an element of a frozen array. */
const NUMBER_BYTES = 16;
const STRING_HEAD_BYTES = 16;
/** The object's header: its map, properties and elements. */
const OBJECT_HEAD_BYTES = 24;
const ARRAY_HEAD_BYTES = 32;
const ELEMENTS_HEAD_BYTES = 16;
const BIGINT_BYTES = 24;
const SMALL_BIGINT = 2n ** 63n;
/** Names of properties shorter than this are counted as shared by all objects that have them. */
const SHARED_NAME_LENGTH = 64;

/** Fields that V8 reserves in an object created by `{}`. */
const INNER_FIELDS = 4;
const OUTER_HEAD_BYTES = 16;
/** Fields outside of the object are allocated in steps of so many. */
const OUTER_STEP = 3;
/** Above this many fields, a frozen copy has a separate hidden class (see `sharedShapeCopy`). */
export const MAX_SHARED_SHAPE_FIELDS = 16;
const HIDDEN_CLASS_BYTES = 96;
const DESCRIPTOR_BYTES = 24;
/** Above this many fields, names are assumed to be data, such as identifiers, and each object to have separate hidden classes. */
const MAX_DECLARED_FIELDS = 128;
const DATA_FIELD_BYTES = 144;
const NAME_BYTES = 32;
/** Above this many fields, V8 uses a hash table. */
const MAX_DESCRIPTORS = 1_020;
const TABLE_FIELD_BYTES = 24;

/** An object with this many fields, without what the fields refer to. */
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

/** An array of this length, without what its elements refer to. */
export function arrayBytes(length: number): number {
  return ARRAY_HEAD_BYTES + (length === 0 ? 0 : ELEMENTS_HEAD_BYTES + length * SLOT_BYTES);
}

/** Properties of an array besides its items, without the values they refer to: all are outside of the object. */
export function extraPropertiesBytes(fields: number): number {
  return objectBytes(INNER_FIELDS + fields) - objectBytes(0);
}

/** A number, in addition to the slot that holds it. */
export function numberBytes(value: number): number {
  return (value | 0) === value ? 0 : NUMBER_BYTES;
}

/** A BigInt: a header and its digits. */
export function bigintBytes(value: bigint): number {
  if (value < SMALL_BIGINT && value > -SMALL_BIGINT) return BIGINT_BYTES;
  return BIGINT_BYTES + Math.ceil(value.toString(16).length / 2);
}

/** The name of a property, if it is too long to be shared by many objects. */
export function nameBytes(name: string): number {
  return name.length > SHARED_NAME_LENGTH ? stringBytes(name) : 0;
}

/** From this length on, all characters are examined. */
const LOOKED_THROUGH = 64;
const WIDE = /[^\0-\xff]/;

/** A string: two bytes per character if one of them is not Latin-1. */
export function stringBytes(text: string): number {
  const { length } = text;
  const bytes = isWide(text, length) ? 2 * length : length;
  return STRING_HEAD_BYTES + ((bytes + 7) & ~7);
}

/** The engine answers at once for a string that it stores in one byte per character. */
function isWide(text: string, length: number): boolean {
  if (length >= LOOKED_THROUGH) return WIDE.test(text);
  return length > 0 && (text.charCodeAt(0) | text.charCodeAt(length >> 1) | text.charCodeAt(length - 1)) > 0xff;
}

const COLLECTION_BYTES = 72;
const TABLE_ROW_BYTES = { Map: 28, Set: 20 } as const;
const LEAST_ROWS = 4;

/** A Map or Set of this many elements: its table doubles as it grows. */
export function collectionBytes(kind: 'Map' | 'Set', elements: number): number {
  return COLLECTION_BYTES + powerOfTwo(Math.max(LEAST_ROWS, elements)) * TABLE_ROW_BYTES[kind];
}

/** The smallest power of two that is not below a number. */
function powerOfTwo(least: number): number {
  return 2 ** Math.ceil(Math.log2(least));
}
