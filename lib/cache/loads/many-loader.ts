import { CacheError } from '../base/errors.js';

/** The result of a loader of many keys: values in the order of the keys, or by key. A key that is left out counts as undefined. */
export type LoadedMany<V> = readonly (V | undefined)[] | ReadonlyMap<string, V> | Readonly<Record<string, V>>;

/** Loads the missing keys of a batch. */
export type ManyLoader<V> = (
  missing: string[],
  context: { readonly signal: AbortSignal },
) => LoadedMany<V> | Promise<LoadedMany<V>>;

/**
 * Returns the values of such a result in the order of the keys.
 * @throws CacheError `INVALID_OPTIONS` for a list with more or fewer values than keys.
 */
export function valuesInOrder<V>(loaded: LoadedMany<V>, keys: readonly string[], pattern: string): readonly V[] {
  if (Array.isArray(loaded)) {
    const values = loaded as readonly V[];
    if (values.length === keys.length) return values;
    throw new CacheError(
      'INVALID_OPTIONS',
      `getOrSetMany: the loader for ${pattern} returned ${values.length} values for ${keys.length} keys. ` +
        'Return one value per key in their order, or a Map or an object by key.',
    );
  }
  if (loaded instanceof Map) return keys.map((key) => (loaded as ReadonlyMap<string, V>).get(key) as V);
  const record = loaded as Readonly<Record<string, V>>;
  return keys.map((key) => (Object.hasOwn(record, key) ? record[key] : undefined) as V);
}
