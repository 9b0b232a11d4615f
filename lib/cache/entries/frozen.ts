import { keptItemNamesOf, namedItem } from './named-items.js';

/**
 * Freezes what a decoder has just made, plain objects and arrays all the way down: nobody else holds a part of it, so that
 * no copy is needed to share it.
 */
export function frozen(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  // Before its parts: a structured clone may hold itself.
  Object.freeze(value);
  if (Array.isArray(value)) {
    for (const item of value) frozen(item);
    for (const name of keptItemNamesOf(value) ?? []) frozen(namedItem(value, name));
  } else for (const name in value) frozen((value as Record<string, unknown>)[name]);
  return value;
}
