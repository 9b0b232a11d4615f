import { expect, it } from '@jest/globals';
import { keyPattern } from '../../../lib/caching/keys/key-template.js';

it.each(['a\ud800:*', 'a\udc00:{params.id}'])('a pattern with a lone surrogate is refused: %j', (pattern) => {
  expect(() => keyPattern(pattern)).toThrow('lone surrogate');
});

it('a pattern with a pair of surrogates is accepted', () => {
  expect(keyPattern('😀:*')).toMatchObject({ kind: 'prefix' });
});
