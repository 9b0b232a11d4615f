import { inSameTurn } from '../base/thenable.js';
import { type ClassTraits, traitsOf } from './class-traits.js';
import type { HeldInstance } from './held-instance.js';
import { becomeInstance } from './instance-properties.js';
import { JsonText } from './json-text.js';
import { keptExtraNamesOf, extraProperty, setExtraProperty } from './extra-properties.js';
import { entriesOf, itemsOf, nativeCopy } from './native-copies.js';
import { SeenObjects } from './seen-objects.js';

/** Returns a private, mutable copy of an isolated value, with the same types and classes. */
export function copyOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? new CallerCopy().of(value) : value;
}

type Properties = Record<string, unknown>;

/** Copies a value that `isolate` has checked and copied; see values.ts. */
class CallerCopy {
  readonly #seen = new SeenObjects();

  of(source: object): object {
    const known = this.#seen.copyOf(source);
    if (known !== undefined) return known;
    const prototype = Object.getPrototypeOf(source) as object | null;
    if (prototype === Object.prototype || prototype === null) return this.#plain(source as Properties);
    if (prototype === Array.prototype && Array.isArray(source)) return this.#array(source);
    if (source instanceof JsonText) return source.copy();
    const traits = traitsOf(prototype);
    if (traits.codec !== undefined) return this.#decoded(source as HeldInstance, traits);
    if (traits.type !== undefined || traits.base === 'Error') return this.#instance(source, traits);
    if (traits.base === 'Object') return this.#plain(source as Properties);
    if (traits.base === 'Array') return this.#array(source as readonly unknown[]);
    return this.#native(source, traits);
  }

  #any(value: unknown): unknown {
    return typeof value === 'object' && value !== null ? this.of(value) : value;
  }

  #array(source: readonly unknown[]): unknown[] {
    const { length } = source;
    const copy: unknown[] = length > 0 ? new Array<unknown>(length) : [];
    this.#seen.add(source, copy);
    for (let index = 0; index < length; index++) {
      const item = source[index];
      if (typeof item === 'object' && item !== null) copy[index] = this.of(item);
      else if (item !== undefined || index in source) copy[index] = item;
    }
    const names = keptExtraNamesOf(source);
    if (names !== undefined)
      for (const name of names) setExtraProperty(copy, name, this.#any(extraProperty(source, name)));
    return copy;
  }

  #plain(source: Properties): Properties {
    const copy = { ...source };
    this.#seen.add(source, copy);
    for (const name in copy) {
      const item = copy[name];
      if (typeof item === 'object' && item !== null) copy[name] = this.of(item);
    }
    return copy;
  }

  #native(source: object, { base }: ClassTraits): object {
    const copy = nativeCopy(source, base);
    this.#seen.add(source, copy);
    this.#elements(source, copy);
    return copy;
  }

  #elements(source: object, copy: object): void {
    if (Array.isArray(copy)) {
      const items = itemsOf(source as readonly unknown[]);
      copy.length = items.length;
      items.forEach((item, index) => (copy[index] = this.#any(item)));
    } else if (copy instanceof Map) {
      for (const [key, item] of entriesOf(source as Map<unknown, unknown>)) copy.set(this.#any(key), this.#any(item));
    } else if (copy instanceof Set) {
      for (const [item] of entriesOf(source as Set<unknown>)) copy.add(this.#any(item));
    }
  }

  #instance(source: object, traits: ClassTraits): object {
    if (traits.base === 'Object' && !traits.irregular) {
      const copy = Object.assign(Object.create(traits.prototype) as Properties, source);
      this.#seen.add(source, copy);
      for (const name of Object.keys(copy)) {
        const item = copy[name];
        if (typeof item === 'object' && item !== null) copy[name] = this.of(item);
      }
      return copy;
    }
    const copy = nativeCopy(source, traits.base);
    this.#seen.add(source, copy);
    this.#elements(source, copy);
    return becomeInstance(copy, source, traits, (value) => this.#any(value));
  }

  #decoded(source: HeldInstance, { codec }: ClassTraits): object {
    const instance = inSameTurn(codec!.decode(this.#any(source.data)), 'decode');
    this.#seen.add(source, instance);
    return instance;
  }
}
