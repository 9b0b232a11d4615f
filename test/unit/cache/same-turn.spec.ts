import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createObservedCache, type ObservedCacheOptions } from '../../../lib/index.js';
import { OwnKeyRecipe } from '../../../lib/caching/keys/key-recipe.js';

class Price {
  constructor(readonly cents: number) {}
}

const rejects = () => Promise.reject(new Error('secret')) as never;
const unhandled: unknown[] = [];
const note = (error: unknown) => void unhandled.push(error);

beforeEach(() => void process.on('unhandledRejection', note));
afterEach(() => void process.off('unhandledRejection', note));

/** Lets Node report what nobody handled. */
async function turn(): Promise<void> {
  for (let times = 0; times < 3; times++) await new Promise((resolve) => setImmediate(resolve));
}

describe('a function that must return its value itself', () => {
  it.each<[string, ObservedCacheOptions]>([
    ['insight.compare', { insight: { compare: rejects } }],
    ['metrics.patternOf', { metrics: { patternOf: rejects } }],
    ['encode', { classes: { Price: { class: Price, encode: rejects, decode: () => new Price(1) } } }],
    ['decode', { classes: { Price: { class: Price, encode: () => 1, decode: rejects } } }],
    ['policy.cacheIf', { policy: { cacheIf: rejects } }],
  ])('%s may reject without ending the process or failing a caller', async (_name, options) => {
    const cache = createObservedCache({ ttl: '1m', ...options });
    for (let times = 0; times < 2; times++)
      expect(await cache.getOrSet('price:1', () => new Price(5))).toMatchObject({ cents: 5 });
    await turn();
    expect(unhandled).toEqual([]);
    await cache.disconnect();
  });

  it('`key` is refused where it returns a promise, and its rejection is handled', async () => {
    const recipe = new OwnKeyRecipe('feed:', rejects);
    expect(() => recipe.keyOf({} as never)).toThrow('`key` returned a promise. Return the value itself.');
    await turn();
    expect(unhandled).toEqual([]);
  });
});
