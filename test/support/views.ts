import { types } from 'node:util';

/** Everything visible of a value: its JSON, the results of serializers, and its parts with their classes. */
export function views(value: unknown, serializers: readonly ((value: unknown) => unknown)[] = []): unknown {
  return [
    attempt(() => JSON.stringify(value)),
    ...serializers.map((serialize) => attempt(() => new Description().of(serialize(value)))),
    new Description().of(value),
  ];
}

function attempt(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    // A cycle, a BigInt: the same error with and without a cache.
    return `throws ${(error as Error).constructor.name}`;
  }
}

/** Describes a graph of objects as plain data, so that two graphs of one shape are equal. */
class Description {
  readonly #numbers = new Map<object, number>();

  of(value: unknown): unknown {
    if (typeof value === 'bigint') return `${value}n`;
    if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : (value ?? String(value));
    const known = this.#numbers.get(value);
    if (known !== undefined) return { again: known };
    this.#numbers.set(value, this.#numbers.size);
    return { class: classOf(value), slots: this.#slots(value), own: this.#own(value), open: openness(value) };
  }

  #slots(value: object): unknown {
    if (types.isDate(value)) return Date.prototype.getTime.call(value);
    if (types.isRegExp(value)) return String(value);
    if (types.isMap(value)) return [...value].map(([key, item]) => [this.of(key), this.of(item)]);
    if (types.isSet(value)) return [...value].map((item) => this.of(item));
    if (ArrayBuffer.isView(value)) return [Object.prototype.toString.call(value), Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')]; // prettier-ignore
    if (types.isNativeError(value)) return [value.message, value.stack];
    return Object.prototype.toString.call(value);
  }

  #own(value: object): unknown[] {
    const own: unknown[] = [];
    for (const key of Reflect.ownKeys(value)) {
      // Described among the slots. Whether a stack is a value or an accessor depends on the engine.
      if (ArrayBuffer.isView(value) && typeof key === 'string' && /^\d+$/.test(key)) continue;
      if (types.isNativeError(value) && (key === 'stack' || key === 'message')) continue;
      const { value: item, writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(value, key)!;
      // Shared values are frozen.
      const flags = isPlain(value) ? [enumerable] : [writable, enumerable, configurable];
      own.push([String(key), ...flags, this.of(item)]);
    }
    return own;
  }
}

function isPlain(value: object): boolean {
  return [Object.prototype, Array.prototype, null].includes(Object.getPrototypeOf(value) as object | null);
}

function openness(value: object): unknown {
  return isPlain(value) ? undefined : [Object.isExtensible(value), Object.isFrozen(value)];
}

function classOf(value: object): unknown {
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === null || prototype === Object.prototype) return 'Object';
  classes.set(prototype, classes.get(prototype) ?? classes.size);
  return `${value.constructor.name} ${classes.get(prototype)}`;
}

/** Numbers classes of the same name. */
const classes = new Map<object, number>();
