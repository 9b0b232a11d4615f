import { keptExtraNamesOf, extraProperty } from './extra-properties.js';

/**
 * Freezes the result of a decoder with all its plain objects and arrays. No other code holds a part of it, so it can be shared without a
 * copy.
 */
export function frozen(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  // Freeze the object before its parts, because a structured clone may contain itself.
  Object.freeze(value);
  if (Array.isArray(value)) {
    for (const item of value) frozen(item);
    for (const name of keptExtraNamesOf(value) ?? []) frozen(extraProperty(value, name));
  } else for (const name in value) frozen((value as Record<string, unknown>)[name]);
  return value;
}
