import { frozen } from './frozen.js';
import { extraNamesOf } from './extra-properties.js';

/**
 * A value stored as JSON text, which costs the garbage collector less than a tree of objects. Used for values that are sent as JSON; any
 * other reader gets the parsed value.
 */
export class JsonText {
  #shared: WeakRef<object> | undefined;

  constructor(readonly text: string) {}

  /** Returns the frozen value. Readers share it while one of them holds it: the entry's size counts the text alone. */
  shared(): object {
    let value = this.#shared?.deref();
    if (value === undefined) {
      value = frozen(this.copy()) as object;
      this.#shared = new WeakRef(value);
    }
    return value;
  }

  /** Returns a copy that its caller may change. */
  copy(): object {
    return JSON.parse(this.text) as object;
  }
}

/** The text of an object or array that JSON represents without loss; undefined for other values. @throws what a getter throws */
export function jsonText(value: object): JsonText | undefined {
  if (!survivesJson(value, new Set())) return undefined;
  return new JsonText(JSON.stringify(value));
}

/** Deeper values are checked by the general copy, which can refuse them. */
const MAX_DEPTH = 100;

/** True if `JSON.parse(JSON.stringify(value))` gives the same value. @param seen objects of the value, each of which may occur once */
function survivesJson(value: unknown, seen: Set<object>, depth = 0): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0);
    case 'object':
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (depth > MAX_DEPTH || seen.has(value)) return false;
  seen.add(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) {
    for (const name in value)
      if (!survivesJson((value as Record<string, unknown>)[name], seen, depth + 1)) return false;
    return true;
  }
  if (prototype !== Array.prototype || !Array.isArray(value)) return false;
  // A hole is read as undefined.
  for (const item of value as unknown[]) if (!survivesJson(item, seen, depth + 1)) return false;
  return extraNamesOf(value) === undefined;
}
