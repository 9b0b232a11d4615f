import { BypassReason } from '../../cache/base/observer.js';
import type { Call } from '../inputs/call.js';
import { encodeValue } from './argument-encoding.js';
import type { KeyOrReason, KeyPart, KeyRecipe } from './key-recipe.js';
import { escapeText } from './escape.js';
import { beginning, boundedKey, digest, LONGEST_REST, LONGEST_VALUE } from './key-length.js';
import { argumentNotEncodable, NotEncodable } from './not-encodable.js';
import { PropertyLayouts } from './property-layouts.js';

/** Makes the keys of a method: `seller:SellerService.find(7,"x")`, followed by `|` and the inputs of `vary`. */
export class MethodRecipe implements KeyRecipe {
  readonly #open: string;
  readonly #longest: number;
  /** The key of a call without arguments. */
  readonly #bare: string;
  readonly #plain: boolean;
  readonly #layouts = new PropertyLayouts();

  /**
   * @param base prefix, class and method.
   * @param owner for messages: `SellerService.find()`.
   * @param ignored arguments that stay out of the key.
   * @param nameOf a parameter's name, for messages.
   * @param countsArguments true if undefined arguments at the end are part of the key: see {@link countsArguments}.
   */
  constructor(
    base: string,
    private readonly owner: string,
    private readonly parts: readonly KeyPart[],
    private readonly ignored: ReadonlySet<number>,
    private readonly nameOf: (index: number) => string,
    private readonly countsArguments: boolean,
  ) {
    this.#open = `${base}(`;
    this.#longest = this.#open.length + LONGEST_REST;
    this.#bare = `${base}()`;
    this.#plain = parts.length === 0 && ignored.size === 0;
  }

  /** @throws CacheError `ARGUMENT_NOT_ENCODABLE` */
  keyOf(call: Call): KeyOrReason {
    return this.#plain ? this.ofArguments(call.args) : this.#withParts(call);
  }

  /** True if the key contains only arguments. Then {@link ofArguments} can make it. */
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
      // Most arguments are numbers, so they take the shortest path.
      key += typeof value === 'number' && value !== 0 ? value : this.#encoded(value, index);
    }
    key += ')';
    // Compare the length here and not in a function, because every hit takes this path.
    return key.length <= this.#longest ? key : boundedKey(this.#open, key);
  }

  /** Reads the arguments from a key; undefined if the method does not make this key, or if an argument is not a scalar. */
  argumentsOf(key: string): unknown[] | undefined {
    if (!this.#plain || !key.startsWith(this.#open) || !key.endsWith(')')) return undefined;
    try {
      return JSON.parse(`[${key.slice(this.#open.length, -1)}]`) as unknown[];
    } catch {
      // The argument is not a scalar, or was shortened.
      return undefined;
    }
  }

  #withParts(call: Call): KeyOrReason {
    let key = this.#open;
    const length = this.#lengthOf(call.args);
    for (let index = 0; index < length; index++) {
      if (index > 0) key += ',';
      if (!this.ignored.has(index)) key += this.#encoded(call.args[index], index);
    }
    for (const part of this.parts) {
      const value = part.read(call);
      if ((value === undefined || value === null) && part.missing?.(call) === true) return BypassReason.vary;
      if (value !== undefined) key += `|${part.label ?? ''}=${part.encode(value)}`;
    }
    return boundedKey(this.#open, `${key})`);
  }

  /**
   * Returns the number of arguments in the key. `find(7)` and `find(7, undefined)` have one key if the method does not count
   * its arguments.
   */
  #lengthOf(args: readonly unknown[]): number {
    let length = args.length;
    if (!this.countsArguments) while (length > 0 && args[length - 1] === undefined) length--;
    return length;
  }

  #encoded(value: unknown, index: number): string {
    try {
      const encoded = encodeValue(value, this.#layouts);
      // Other values contain `…` only inside quotes. This form has no quotes, so it equals none of them.
      return encoded.length <= LONGEST_VALUE ? encoded : `${escapeText(beginning(encoded))}…${digest(encoded)}`;
    } catch (fault) {
      if (fault instanceof NotEncodable) throw argumentNotEncodable(fault, this.owner, this.nameOf(index));
      throw fault;
    }
  }
}

/** True if a function can distinguish an undefined argument from a missing one, by a rest parameter or `arguments`. */
export function countsArguments(implementation: (...args: never[]) => unknown): boolean {
  return /\.\.\.|\barguments\b|\[native code\]/.test(Function.prototype.toString.call(implementation));
}

/** Returns the name of a function's parameter for messages: as in its source, or its number if the source cannot be parsed. */
export function parameterNames(implementation: (...args: never[]) => unknown): (index: number) => string {
  return (index) => {
    const source = Function.prototype.toString.call(implementation);
    const list = source.slice(source.indexOf('(') + 1, source.indexOf(')'));
    const name = /^\s*(?:\.{3})?([\p{L}_$][\p{L}\p{N}_$]*)/u.exec(list.split(',')[index] ?? '')?.[1];
    return name === undefined ? String(index) : `${index} ('${name}')`;
  };
}
