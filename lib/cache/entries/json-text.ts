import { frozen } from './frozen.js';
import { extraNamesOf } from './extra-properties.js';

/**
 * A value stored as JSON text, which costs the garbage collector less than a tree of objects. Used for values that are sent as JSON. Other
 * readers get the parsed value.
 */
export class JsonText {
  #shared: WeakRef<object> | undefined;

  constructor(readonly text: string) {}

  /**
   * Returns the parsed, frozen value. Readers share it while one of them holds it. It is held weakly, so the entry's size counts only the
   * text.
   */
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

/** Returns the text of an object or array that JSON represents without loss; undefined for other values. @throws the error of a getter */
export function jsonText(value: object): JsonText | undefined {
  if (!survivesJson(value, new OnceOnly())) return undefined;
  return new JsonText(JSON.stringify(value));
}

/** The general copy checks values that are nested deeper, and can refuse them. */
const MAX_DEPTH = 100;

/** From this number of objects on, a set is faster than a search. */
const MANY = 32;

/** The objects of a value. Each may occur only once, because JSON cannot represent shared references. */
class OnceOnly {
  /** Most values hold few objects. A set would store a hash in each of them and grow several times. */
  readonly #few: object[] = [];
  #many: Set<object> | undefined;

  /** @returns false if the object occurred before. */
  add(object: object): boolean {
    if (this.#many !== undefined) {
      const before = this.#many.size;
      return this.#many.add(object).size > before;
    }
    if (this.#few.includes(object)) return false;
    this.#few.push(object);
    if (this.#few.length === MANY) this.#many = new Set(this.#few);
    return true;
  }
}

/** Returns true if `JSON.parse(JSON.stringify(value))` gives the same value. */
function survivesJson(value: unknown, seen: OnceOnly, depth = 0): boolean {
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
  if (depth > MAX_DEPTH || !seen.add(value)) return false;
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
