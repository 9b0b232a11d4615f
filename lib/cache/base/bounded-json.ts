import { ForeignBytesError, ReadBudget } from './read-budget.js';

export { ForeignBytesError } from './read-budget.js';

/**
 * The largest body that this library reads from other processes. It never writes a larger one. These limits bound the memory for a decoded value,
 * even if the bytes are malicious.
 */
export const MAX_BODY_BYTES = 32 * 1024 * 1024;
/** The most levels of objects and arrays in a body. A value has at most 1,000 levels; its encoding adds a few. */
export const MAX_DEPTH = 1_010;

/**
 * Parses UTF-8 JSON from an untrusted source. `JSON.parse` takes time proportional to the text and does not recurse, so only its result needs limits.
 * @throws ForeignBytesError beyond {@link MAX_BODY_BYTES}, {@link MAX_DEPTH} or the budget of its read; SyntaxError for other text.
 */
export function parseBoundedJson(bytes: Buffer, budget = new ReadBudget()): unknown {
  if (bytes.length > MAX_BODY_BYTES) throw new ForeignBytesError('too long');
  budget.text(bytes);
  const value: unknown = JSON.parse(bytes.toString('utf8'));
  // Each level takes two brackets, so a shorter text cannot be too deep.
  if (bytes.length > 2 * MAX_DEPTH && typeof value === 'object' && value !== null) checkDepth(value, 1);
  return value;
}

/** Parses JSON as {@link parseBoundedJson} does, from a string. */
export function parseBoundedText(text: string): unknown {
  if (text.length > MAX_BODY_BYTES) throw new ForeignBytesError('too long');
  return parseBoundedJson(Buffer.from(text));
}

/**
 * Checks the nesting of a value that the application's serializer read from untrusted bytes.
 * @param onArray is called with each array.
 * @throws ForeignBytesError if the value is nested too deeply or an array has more than {@link MAX_BODY_BYTES} items.
 */
export function checkForeignValue(value: unknown, onArray: (array: readonly unknown[]) => void): void {
  if (typeof value === 'object' && value !== null) checkNested(value, 1, new Set(), onArray);
}

function checkNested(
  value: object,
  depth: number,
  seen: Set<object>,
  onArray: (array: readonly unknown[]) => void,
): void {
  if (seen.has(value)) return;
  seen.add(value);
  if (depth > MAX_DEPTH) throw new ForeignBytesError('nested too deeply');
  if (Array.isArray(value)) {
    if (value.length > MAX_BODY_BYTES) throw new ForeignBytesError('too long an array');
    onArray(value);
  }
  if (ArrayBuffer.isView(value)) return;
  const parts: Iterable<unknown> =
    value instanceof Map ? [...value].flat() : value instanceof Set ? value : Object.values(value);
  for (const part of parts) if (typeof part === 'object' && part !== null) checkNested(part, depth + 1, seen, onArray);
}

function checkDepth(value: object, depth: number): void {
  if (depth > MAX_DEPTH) throw new ForeignBytesError('nested too deeply');
  if (Array.isArray(value)) {
    const items = value as readonly unknown[];
    for (let at = 0; at < items.length; at++) {
      const item = items[at];
      if (typeof item === 'object' && item !== null) checkDepth(item, depth + 1);
    }
    return;
  }
  for (const name in value) {
    const item = (value as Record<string, unknown>)[name];
    if (typeof item === 'object' && item !== null) checkDepth(item, depth + 1);
  }
}
