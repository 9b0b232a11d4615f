import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { globMatcher } from '../../../lib/cache/base/glob.js';
import { cacheGlobOf, cacheKeyOf } from '../../../lib/caching/keys/cache-key-of.js';

describe('cacheKeyOf', () => {
  it('cacheKeyOf() fills a template from the parts of a request', () => {
    expect(
      cacheKeyOf('offer:{params.id}:{query.page}:{headers.accept-language}', {
        params: { id: 7 },
        query: { page: '2' },
        headers: { 'accept-language': 'de' },
      }),
    ).toBe('offer:7:2:de');
  });

  it('cacheKeyOf() escapes text so that no value looks like another part of a key', () => {
    expect(cacheKeyOf('search:{query.q}', { query: { q: 'desk lamp' } })).toBe('search:desk%20lamp');
    expect(cacheKeyOf('a:{query.x}:{query.y}', { query: { x: '1:2', y: '3' } })).not.toBe(
      cacheKeyOf('a:{query.x}:{query.y}', { query: { x: '1', y: '2:3' } }),
    );
  });

  it('cacheKeyOf() returns a template without inputs unchanged', () => {
    expect(cacheKeyOf('categories', {})).toBe('categories');
  });

  it.each([
    ['search:{query.q}', {}, 'have no text of that name'],
    ['basket:{user.id}', { query: { id: '1' } }, 'which only its handler can read'],
    ['seller:{0}', {}, 'which only its handler can read'],
    ['feed:*', {}, 'matches many keys'],
    ['search:{query.q', {}, "has '{' without '}'"],
  ])('cacheKeyOf() refuses %s with %j', (template, inputs, why) => {
    expect(() => cacheKeyOf(template, inputs)).toThrow(
      expect.objectContaining({ code: 'INVALID_TEMPLATE', message: expect.stringContaining(why) }),
    );
  });

  it('cacheKeyOf() refuses text that is not well-formed Unicode', () => {
    const made = () => cacheKeyOf('search:{query.q}', { query: { q: 'x\ud800' } });
    expect(made).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }));
  });

  it('a key contains no readable credential', () => {
    const key = cacheKeyOf('mine:{headers.authorization}', { headers: { authorization: 'Bearer secret' } });
    expect(key).toMatch(/^mine:~sha256-[\w-]{43}$/);
  });
});

describe('cacheGlobOf', () => {
  const OFFER = 'offer-{params.id}-{query.page}[1]';

  it('cacheGlobOf() matches the keys of the given inputs, with any other inputs', () => {
    const matches = globMatcher(cacheGlobOf(OFFER, { params: { id: 'a-b' } }));
    const keyOf = (id: string, page: string) => cacheKeyOf(OFFER, { params: { id }, query: { page } });
    expect([keyOf('a-b', '1'), keyOf('a-b', 'x-y')].map(matches)).toEqual([true, true]);
    expect([keyOf('a', 'b-1'), keyOf('a-b-c', '1'), 'offer-a-b-c1'].map(matches)).toEqual([false, false, false]);
  });

  it('cacheGlobOf() matches every key of a pattern without inputs', () => {
    expect(cacheGlobOf('feed:*', {})).toBe('feed:*');
    expect(cacheGlobOf(OFFER, {})).toBe('offer\\-*\\-*\\[1\\]');
  });

  it('cacheGlobOf() refuses inputs that the pattern does not name', () => {
    for (const [pattern, inputs] of [
      [OFFER, { params: { idd: 1 } }],
      ['feed:*', { query: { page: 1 } }],
    ] as const) {
      expect(() => cacheGlobOf(pattern, inputs)).toThrow(expect.objectContaining({ code: 'INVALID_TEMPLATE' }));
    }
  });
});
