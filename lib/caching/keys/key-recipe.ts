import type { Call, Reader } from '../inputs/call.js';
import { encodeInput, encodeSecret } from './key-parts.js';
import { boundedKey } from './key-length.js';
import type { KeyTemplate } from './key-template.js';

/** One input of a key. */
export interface KeyPart {
  /** How it is called in a key, written out; of a whole query undefined: its parameters are named each. */
  readonly label: string | undefined;
  readonly read: Reader;
  /** True where it must not be readable. */
  readonly secret: boolean;
  /** Names that are left out of a whole query. */
  readonly without?: ReadonlySet<string>;
  /** True where the caller should have been told by it and was not: such a call has no key. */
  readonly missing?: ((call: Call) => boolean) | undefined;
}

/** Makes the keys of one handler: compiled once. `undefined`: this caller cannot be told from another, so nothing may be shared. */
export interface KeyRecipe {
  keyOf(call: Call): string | undefined | Promise<string | undefined>;
}

/** `prefix` + route + the inputs by name, such as `feed:GET /feeds/discover?page=2`. */
export class InputsRecipe implements KeyRecipe {
  readonly #base: string | ((call: Call) => string);
  readonly #parts: readonly KeyPart[];

  constructor(base: string | ((call: Call) => string), parts: readonly KeyPart[]) {
    this.#base = base;
    this.#parts = parts;
  }

  keyOf(call: Call): string | undefined | Promise<string | undefined> {
    const base = typeof this.#base === 'string' ? this.#base : this.#base(call);
    let key = base;
    const parts = this.#parts;
    for (let index = 0; index < parts.length; index++) {
      const part = parts[index]!;
      const value = part.read(call);
      if (value === undefined || value === null) {
        if (part.missing?.(call) === true) return undefined;
        if (value === undefined) continue;
      } else if (isThenable(value)) return this.#keyLater(call, base, key, index, value);
      key = appended(key, key.length === base.length, part, value);
    }
    return boundedKey(key);
  }

  /** Where a custom decorator finds its value by a promise. */
  async #keyLater(
    call: Call,
    base: string,
    before: string,
    from: number,
    found: PromiseLike<unknown>,
  ): Promise<string | undefined> {
    let key = before;
    for (let index = from; index < this.#parts.length; index++) {
      const part = this.#parts[index]!;
      const value = await (index === from ? found : part.read(call));
      if ((value === undefined || value === null) && part.missing?.(call) === true) return undefined;
      if (value !== undefined) key = appended(key, key.length === base.length, part, value);
    }
    return boundedKey(key);
  }
}

function appended(key: string, first: boolean, part: KeyPart, value: unknown): string {
  const { label } = part;
  if (label !== undefined) {
    return `${key}${first ? '?' : '&'}${label}=${part.secret ? encodeSecret(value) : encodeInput(value)}`;
  }
  if (typeof value !== 'object' || value === null) return `${key}${first ? '?' : '&'}=${encodeInput(value)}`;
  const query = value as Record<string, unknown>;
  let text = key;
  let separator = first ? '?' : '&';
  for (const name of Object.keys(query).sort()) {
    if (query[name] === undefined || part.without?.has(name) === true) continue;
    text += `${separator}${queryLabel(name)}=${encodeInput(query[name])}`;
    separator = '&';
  }
  return text;
}

/** A query parameter's name; what begins with another character is no query parameter. */
export function queryLabel(name: string): string {
  return encodeInput(name).replaceAll('.', '%2E');
}

/** What stands between the literals of a template. */
export interface TemplatePart {
  readonly read: Reader;
  readonly encode: (value: unknown) => string;
  readonly missing: ((call: Call) => boolean) | undefined;
}

/** A template: the whole key. */
export class TemplateRecipe implements KeyRecipe {
  readonly #literals: readonly string[];
  readonly #parts: readonly TemplatePart[];

  constructor(template: KeyTemplate, parts: readonly TemplatePart[]) {
    this.#literals = template.literals;
    this.#parts = parts;
  }

  keyOf(call: Call): string | undefined | Promise<string | undefined> {
    let key = this.#literals[0]!;
    const parts = this.#parts;
    for (let index = 0; index < parts.length; index++) {
      const part = parts[index]!;
      const value = part.read(call);
      if ((value === undefined || value === null) && part.missing?.(call) === true) return undefined;
      if (isThenable(value)) return this.#keyLater(call, key, index, value);
      key += part.encode(value) + this.#literals[index + 1]!;
    }
    return boundedKey(key);
  }

  async #keyLater(call: Call, before: string, from: number, found: PromiseLike<unknown>): Promise<string | undefined> {
    let key = before;
    for (let index = from; index < this.#parts.length; index++) {
      const part = this.#parts[index]!;
      const value = await (index === from ? found : part.read(call));
      if ((value === undefined || value === null) && part.missing?.(call) === true) return undefined;
      key += part.encode(value) + this.#literals[index + 1]!;
    }
    return boundedKey(key);
  }
}

/** A key of the application's own making, behind prefix and route so that two handlers never share one. */
export class OwnKeyRecipe implements KeyRecipe {
  readonly #base: string | ((call: Call) => string);
  readonly #key: (call: Call) => unknown;

  constructor(base: string | ((call: Call) => string), key: (call: Call) => unknown) {
    this.#base = base;
    this.#key = key;
  }

  keyOf(call: Call): string {
    const own = this.#key(call);
    if (typeof own !== 'string')
      throw new TypeError(`\`key\` returned ${own === null ? 'null' : typeof own}, not a string`);
    return (typeof this.#base === 'string' ? this.#base : this.#base(call)) + own;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
