import type { RepeatableMethod } from '../decoration/cached-handler.js';
import { type KeyRecipe, TemplateRecipe } from '../keys/key-recipe.js';
import { MethodRecipe } from '../keys/method-recipe.js';
import type { CachedMethod } from './cached-method.js';

/**
 * Returns a method that can be called again for one of its keys. Arguments are read from a key only if they are texts, numbers,
 * booleans or null, and only if they make the same key again, because keys also come from Redis.
 */
export function repeatableMethod(
  method: CachedMethod,
  recipe: KeyRecipe,
  instance: object,
): RepeatableMethod | undefined {
  if (!(recipe instanceof MethodRecipe || recipe instanceof TemplateRecipe)) return undefined;
  return {
    loaderOf(key) {
      const args = recipe.argumentsOf(key);
      if (args === undefined || !args.every(isScalar)) return undefined;
      try {
        if (recipe.keyOf({ args, instance, execution: undefined }) !== key) return undefined;
      } catch {
        return undefined;
      }
      return (context) => method.load(instance, [...args], context);
    },
  };
}

function isScalar(value: unknown): boolean {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}
