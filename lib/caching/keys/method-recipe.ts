import type { Call } from '../inputs/call.js';
import { argumentNotEncodable, encodeValue, NotEncodable } from './argument-encoding.js';
import type { KeyPart, KeyRecipe } from './key-recipe.js';
import { encodeInput, encodeSecret } from './key-parts.js';
import { LONGEST_KEY, boundedKey } from './key-length.js';
import { PropertyLayouts } from './property-layouts.js';

/** The keys of a method: `seller:SellerService.find(7,"x")`, with what else it varies by behind `|`. */
export class MethodRecipe implements KeyRecipe {
  readonly #open: string;
  /** The key of a call without arguments. */
  readonly #bare: string;
  readonly #owner: string;
  readonly #parts: readonly KeyPart[];
  readonly #ignored: ReadonlySet<number>;
  readonly #nameOf: (index: number) => string;
  readonly #plain: boolean;
  readonly #countsArguments: boolean;
  readonly #layouts = new PropertyLayouts();

  constructor(options: {
    /** Prefix, class and method. */
    readonly base: string;
    /** For messages: `SellerService.find()`. */
    readonly owner: string;
    readonly parts: readonly KeyPart[];
    /** Arguments that stay out of the key. */
    readonly ignored: ReadonlySet<number>;
    /** A parameter's name, for messages. */
    readonly nameOf: (index: number) => string;
    /** A call with undefined at its end may differ from one without: see {@link countsArguments}. */
    readonly countsArguments: boolean;
  }) {
    this.#open = `${options.base}(`;
    this.#bare = boundedKey(`${options.base}()`);
    this.#owner = options.owner;
    this.#parts = options.parts;
    this.#ignored = options.ignored;
    this.#nameOf = options.nameOf;
    this.#countsArguments = options.countsArguments;
    this.#plain = options.parts.length === 0 && options.ignored.size === 0;
  }

  /** @throws CacheError `ARGUMENT_NOT_ENCODABLE` */
  keyOf(call: Call): string | undefined {
    return this.#plain ? this.ofArguments(call.args) : this.#withParts(call);
  }

  /** True where arguments alone make the key, so that {@link ofArguments} answers. */
  get plain(): boolean {
    return this.#plain;
  }

  /** @throws CacheError `ARGUMENT_NOT_ENCODABLE` */
  ofArguments(args: readonly unknown[]): string {
    const length = this.#lengthOf(args);
    if (length === 0) return this.#bare;
    let key = this.#open;
    for (let index = 0; index < length; index++) {
      if (index > 0) key += ',';
      const value = args[index];
      // Numbers are what most methods are called with.
      key += typeof value === 'number' && value !== 0 ? value : this.#encoded(value, index);
    }
    key += ')';
    return key.length <= LONGEST_KEY ? key : boundedKey(key);
  }

  #withParts(call: Call): string | undefined {
    let key = this.#open;
    const length = this.#lengthOf(call.args);
    for (let index = 0; index < length; index++) {
      if (index > 0) key += ',';
      if (!this.#ignored.has(index)) key += this.#encoded(call.args[index], index);
    }
    for (const part of this.#parts) {
      const value = part.read(call);
      if ((value === undefined || value === null) && part.missing?.(call) === true) return undefined;
      if (value !== undefined) key += `|${part.label ?? ''}=${part.secret ? encodeSecret(value) : encodeInput(value)}`;
    }
    return boundedKey(`${key})`);
  }

  /** `find(7)` and `find(7, undefined)` are the same call to a method that does not count its arguments. */
  #lengthOf(args: readonly unknown[]): number {
    let length = args.length;
    if (!this.#countsArguments) while (length > 0 && args[length - 1] === undefined) length--;
    return length;
  }

  #encoded(value: unknown, index: number): string {
    try {
      return encodeValue(value, this.#layouts);
    } catch (fault) {
      if (fault instanceof NotEncodable) throw argumentNotEncodable(fault, this.#owner, this.#nameOf(index));
      throw fault;
    }
  }
}

/** True where a function can tell an argument that is undefined from one that is absent: it has a rest parameter or reads `arguments`. */
export function countsArguments(implementation: (...args: never[]) => unknown): boolean {
  return /\.\.\.|\barguments\b|\[native code\]/.test(Function.prototype.toString.call(implementation));
}

/** The names a function's parameters have in its source, for messages; their numbers where that cannot be told. */
export function parameterNames(implementation: (...args: never[]) => unknown): (index: number) => string {
  return (index) => {
    const source = Function.prototype.toString.call(implementation);
    const list = source.slice(source.indexOf('(') + 1, source.indexOf(')'));
    const name = /^\s*(?:\.{3})?([\p{L}_$][\p{L}\p{N}_$]*)/u.exec(list.split(',')[index] ?? '')?.[1];
    return name === undefined ? String(index) : `${index} ('${name}')`;
  };
}
