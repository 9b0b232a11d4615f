import type { RepeatableMethod } from '../decoration/cached-handler.js';
import { type KeyRecipe, TemplateRecipe } from '../keys/key-recipe.js';
import { MethodRecipe } from '../keys/method-recipe.js';
import type { CachedMethod } from './cached-method.js';

/**
 * A method that can be called again for a key. Only texts, numbers, booleans and null are read from a key, because keys also come from Redis;
 * and only if the arguments that were read make the same key again.
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
