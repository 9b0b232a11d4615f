import { describe, expect, it } from '@jest/globals';
import { countsArguments, MethodRecipe } from '../../../../lib/caching/keys/method-recipe.js';

const recipeOf = (method: (...args: never[]) => unknown) =>
  new MethodRecipe('x:A.b', 'A.b()', [], new Set(), String, countsArguments(method));

describe('the key of a method', () => {
  it('the key of a method is the same for an omitted and an undefined argument', () => {
    const recipe = recipeOf((_id: number, _options?: object) => undefined);
    expect(recipe.ofArguments([7, undefined])).toBe(recipe.ofArguments([7]));
    expect(recipe.ofArguments([undefined, 7])).not.toBe(recipe.ofArguments([7]));
    expect(recipe.ofArguments([null])).not.toBe(recipe.ofArguments([]));
  });

  it('the key of a method differs for an omitted and an undefined argument if the method can detect the difference', () => {
    const rest = recipeOf((...list: unknown[]) => list.length);
    expect(rest.ofArguments([undefined])).not.toBe(rest.ofArguments([]));
    const counting = recipeOf(function () {
      return arguments.length;
    });
    expect(counting.ofArguments([1, undefined])).not.toBe(counting.ofArguments([1]));
  });
});
