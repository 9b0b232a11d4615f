import { CacheError } from '../errors.js';

/** What a batch's loader may answer: values in the order of the keys, or by key. A key left out counts as undefined. */
export type LoadedMany<V> = readonly (V | undefined)[] | ReadonlyMap<string, V> | Readonly<Record<string, V>>;

/** Loads what is missing of a batch. */
export type ManyLoader<V> = (
  missing: string[],
  context: { readonly signal: AbortSignal },
) => LoadedMany<V> | Promise<LoadedMany<V>>;

/**
 * How to find a key's value in what a loader answered.
 * @throws CacheError `INVALID_OPTIONS` for a list of another length than that of the keys.
 */
export function valuesOf<V>(
  loaded: LoadedMany<V>,
  expected: number,
  pattern: string,
): (key: string, index: number) => V | undefined {
  if (Array.isArray(loaded)) {
    const values = loaded as readonly (V | undefined)[];
    if (values.length === expected) return (_, index) => values[index];
    throw new CacheError(
      'INVALID_OPTIONS',
      `The loader of a batch for ${pattern} answered ${values.length} values for ${expected} keys; ` +
        'answer one value a key in their order, or a Map or an object by key.',
    );
  }
  if (loaded instanceof Map) return (key) => (loaded as ReadonlyMap<string, V>).get(key);
  const record = loaded as Readonly<Record<string, V>>;
  return (key) => (Object.hasOwn(record, key) ? record[key] : undefined);
}
