import { checkKey } from '../../cache/base/keys.js';
import { BypassReason } from '../../cache/base/observer.js';
import { inSameTurn, isThenable } from '../../cache/base/thenable.js';
import type { Call, Reader } from '../inputs/call.js';
import { boundedKey } from './key-length.js';
import type { KeyTemplate } from './key-template.js';
import type { TemplateSlot } from './template-slot.js';
import { encodeInput } from './value-encoding.js';

/** One input of a key. */
export interface KeyPart {
  /** Its name in a key, escaped. Undefined for a whole query, whose parameters have their own names. */
  readonly label: string | undefined;
  readonly read: Reader;
  /** Encodes a value other than undefined. For a whole query, encodes each parameter. */
  readonly encode: (value: unknown) => string;
  /** The names of parameters that a whole query leaves out. */
  readonly without?: ReadonlySet<string>;
  /** Called if the input is undefined or null. True if the call then has no key. */
  readonly missing?: ((call: Call) => boolean) | undefined;
}

/** A call's key, or the reason why it has none. Calls without a key share nothing. */
export type KeyOrReason = string | BypassReason;

/** Makes the keys of one handler. */
export interface KeyRecipe {
  keyOf(call: Call): KeyOrReason | Promise<KeyOrReason>;
}

/** `prefix` + route + the inputs by name, such as `feed:GET /feeds/discover?page=2`. */
export class InputsRecipe implements KeyRecipe {
  constructor(
    private readonly base: string | ((call: Call) => string),
    private readonly parts: readonly KeyPart[],
  ) {}

  keyOf(call: Call): KeyOrReason | Promise<KeyOrReason> {
    const base = typeof this.base === 'string' ? this.base : this.base(call);
    let key = base;
    const parts = this.parts;
    for (let index = 0; index < parts.length; index++) {
      const part = parts[index]!;
      const value = part.read(call);
      if (value === undefined || value === null) {
        if (part.missing?.(call) === true) return BypassReason.vary;
        if (value === undefined) continue;
      } else if (isThenable(value)) return this.#keyLater(call, base, key, index, value);
      key = appended(key, key.length === base.length, part, value);
    }
    return boundedKey(base, key);
  }

  /** Completes the key when the promise of a custom decorator resolves. */
  async #keyLater(
    call: Call,
    base: string,
    before: string,
    from: number,
    found: PromiseLike<unknown>,
  ): Promise<KeyOrReason> {
    let key = before;
    for (let index = from; index < this.parts.length; index++) {
      const part = this.parts[index]!;
      const value = await (index === from ? found : part.read(call));
      if ((value === undefined || value === null) && part.missing?.(call) === true) return BypassReason.vary;
      if (value !== undefined) key = appended(key, key.length === base.length, part, value);
    }
    return boundedKey(base, key);
  }
}

function appended(key: string, first: boolean, part: KeyPart, value: unknown): string {
  const { label } = part;
  if (label !== undefined) {
    return `${key}${first ? '?' : '&'}${label}=${part.encode(value)}`;
  }
  if (typeof value !== 'object' || value === null) return `${key}${first ? '?' : '&'}=${part.encode(value)}`;
  const query = value as Record<string, unknown>;
  let text = key;
  let separator = first ? '?' : '&';
  for (const name of Object.keys(query).sort()) {
    if (query[name] === undefined || part.without?.has(name) === true) continue;
    text += `${separator}${queryLabel(name)}=${part.encode(query[name])}`;
    separator = '&';
  }
  return text;
}

/** Returns the label of a query parameter. Only such labels begin with this character. */
export function queryLabel(name: string): string {
  return encodeInput(name).replaceAll('.', '%2E');
}

/** A placeholder between the literals of a template. */
export interface TemplatePart {
  /** The name of its input: see `InputPath.name`. */
  readonly name: string;
  readonly read: Reader;
  readonly slot: TemplateSlot;
  readonly missing: ((call: Call) => boolean) | undefined;
}

/** Makes keys of a template, which is the whole key. */
export class TemplateRecipe implements KeyRecipe {
  readonly #literals: readonly string[];
  readonly #parts: readonly TemplatePart[];

  constructor(template: KeyTemplate, parts: readonly TemplatePart[]) {
    this.#literals = template.literals;
    this.#parts = parts;
  }

  get parts(): readonly TemplatePart[] {
    return this.#parts;
  }

  /** Reads the arguments from a key; undefined if the template does not make this key, or does not name whole arguments. */
  argumentsOf(key: string): unknown[] | undefined {
    if (!key.startsWith(this.#literals[0]!)) return undefined;
    const args: unknown[] = [];
    let from = this.#literals[0]!.length;
    for (const [index, { name, slot }] of this.#parts.entries()) {
      const behind = this.#literals[index + 1]!;
      const to = behind === '' ? key.length : key.indexOf(behind, from);
      const value = to === -1 || !/^\d+$/.test(name) ? undefined : slot.scalarOf(key.slice(from, to));
      if (value === undefined) return undefined;
      args[Number(name)] = value;
      from = to + behind.length;
    }
    return from === key.length && !args.includes(undefined) ? args : undefined;
  }

  keyOf(call: Call): KeyOrReason | Promise<KeyOrReason> {
    let key = this.#literals[0]!;
    const parts = this.#parts;
    for (let index = 0; index < parts.length; index++) {
      const part = parts[index]!;
      const value = part.read(call);
      if ((value === undefined || value === null) && part.missing?.(call) === true) return BypassReason.vary;
      if (isThenable(value)) return this.#keyLater(call, key, index, value);
      key += part.slot.encode(value) + this.#literals[index + 1]!;
    }
    return key;
  }

  async #keyLater(call: Call, before: string, from: number, found: PromiseLike<unknown>): Promise<KeyOrReason> {
    let key = before;
    for (let index = from; index < this.#parts.length; index++) {
      const part = this.#parts[index]!;
      const value = await (index === from ? found : part.read(call));
      if ((value === undefined || value === null) && part.missing?.(call) === true) return BypassReason.vary;
      key += part.slot.encode(value) + this.#literals[index + 1]!;
    }
    return key;
  }
}

/** Makes keys with the option `key`. Prefix and route precede its result, so that two handlers never share a key. */
export class OwnKeyRecipe implements KeyRecipe {
  constructor(
    private readonly base: string | ((call: Call) => string),
    private readonly key: (call: Call) => unknown,
  ) {}

  /** @throws CacheError `INVALID_KEY`, `KEY_TOO_LONG`, `INVALID_OPTIONS` for a promise. */
  keyOf(call: Call): string {
    const own = inSameTurn(this.key(call), '`key`');
    if (typeof own !== 'string')
      throw new TypeError(`\`key\` returned ${own === null ? 'null' : typeof own}, not a string`);
    const key = (typeof this.base === 'string' ? this.base : this.base(call)) + own;
    checkKey(key);
    return key;
  }
}
