import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { cacheKeyOf } from '../../../lib/caching/keys/cache-key-of.js';

describe('cacheKeyOf', () => {
  it('fills a template from the parts of a request', () => {
    expect(
      cacheKeyOf('offer:{params.id}:{query.page}:{headers.accept-language}', {
        params: { id: 7 },
        query: { page: '2' },
        headers: { 'accept-language': 'de' },
      }),
    ).toBe('offer:7:2:de');
  });

  it('writes text out so that no value passes for another part of a key', () => {
    expect(cacheKeyOf('search:{query.q}', { query: { q: 'desk lamp' } })).toBe('search:desk%20lamp');
    expect(cacheKeyOf('a:{query.x}:{query.y}', { query: { x: '1:2', y: '3' } })).not.toBe(
      cacheKeyOf('a:{query.x}:{query.y}', { query: { x: '1', y: '2:3' } }),
    );
  });

  it('gives a template without inputs back as it is', () => {
    expect(cacheKeyOf('categories', {})).toBe('categories');
  });

  it.each([
    ['search:{query.q}', {}, 'hold no text of that name'],
    ['basket:{user.id}', { query: { id: '1' } }, 'known to its handler only'],
    ['seller:{0}', {}, 'known to its handler only'],
    ['feed:*', {}, 'stands for many keys'],
    ['search:{query.q', {}, "has '{' without '}'"],
  ])('refuses %s with %j', (template, inputs, why) => {
    expect(() => cacheKeyOf(template, inputs)).toThrow(
      expect.objectContaining({ code: 'INVALID_TEMPLATE', message: expect.stringContaining(why) }),
    );
  });
});
