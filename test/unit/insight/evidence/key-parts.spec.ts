import { describe, expect, it } from '@jest/globals';
import { keyHash } from '../../../../lib/insight/stream/key-hash.js';
import {
  hashNumbered,
  keyPartsOf,
  KeyTemplateText,
  MOST_KEY_PARTS,
  numbered,
} from '../../../../lib/insight/evidence/key-parts.js';

const read = (key: string, template?: string) =>
  keyPartsOf(key, template === undefined ? undefined : new KeyTemplateText(template))?.map(
    ({ name, value, identifying }) => `${name}=${value}${identifying ? '!' : ''}`,
  );

describe('the inputs of a key', () => {
  it('the inputs of a key have the names of its handler', () => {
    expect(read('feed:GET /feeds/:id?:id=7&page=2&.headers.accept=json&~user.id=9')).toEqual([
      'params.id=7',
      'query.page=2',
      'headers.accept=json',
      'user.id=9!',
    ]);
  });

  it('the inputs of a key have the names of its template', () => {
    expect(read('item:7:de', 'item:{params.id}:{query.lang?}')).toEqual(['params.id=7', 'query.lang=de']);
    expect(read('cart:9/2', 'cart:{user.id}/{query.page}')).toEqual(['user.id=9!', 'query.page=2']);
    expect(read('other:7:de', 'item:{params.id}:{query.lang}')).toBeUndefined();
  });

  it('the parts of a key are numbered if code wrote the key', () => {
    expect(read('search:lamp:2')).toEqual(['part 1=search', 'part 2=lamp', 'part 3=2']);
  });

  it('a key with one part, too many parts or too many characters has no parts', () => {
    expect(read('search')).toBeUndefined();
    expect(read('feed:GET /feeds?page=2')).toBeUndefined();
    expect(read('a:'.repeat(20))).toBeUndefined();
    expect(read(`a:${'x'.repeat(2_000)}`)).toBeUndefined();
  });
});

describe('hashes of key parts', () => {
  const seeds = Int32Array.from({ length: MOST_KEY_PARTS }, (_, index) => keyHash(numbered(index), 7));

  it.each([
    'a:b',
    'search:lamp:2',
    ':',
    'a/b|c#d',
    'a::b',
    'x',
    '',
    'a:'.repeat(20),
    `a:${'x'.repeat(2_000)}`,
    'é:漢字',
  ])('the hashes of a key that code wrote equal the hashes of its parts: %j', (key) => {
    const hashes = new Uint32Array(MOST_KEY_PARTS);
    const count = hashNumbered(key, seeds, hashes);
    const expected = keyPartsOf(key)?.map(({ name, value }) => keyHash(value, keyHash(name, 7)) >>> 0) ?? [];
    expect([...hashes.slice(0, count)]).toEqual(expected);
  });
});
