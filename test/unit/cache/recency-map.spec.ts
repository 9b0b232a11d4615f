import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { KeptEntry } from '../../../lib/cache/entries/kept-entry.js';
import { RecencyMap } from '../../../lib/cache/entries/recency-map.js';
import { entryOf } from '../../support/entries.js';

const inOrderOfUse = (map: RecencyMap): (string | undefined)[] => {
  const keys: (string | undefined)[] = [];
  for (let entry = map.oldest; entry !== undefined; entry = entry.newer) keys.push(entry.key);
  return keys;
};

describe('entries in the order of their use', () => {
  it('are in that order whatever is done to them', () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const step = fc.tuple(fc.constantFrom('get', 'peek', 'set', 'delete'), key);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const map = new RecencyMap();
        const model: string[] = [];
        for (const [what, name] of steps) {
          const at = model.indexOf(name);
          if (what === 'set') map.set(name, entryOf(name));
          else if (what === 'delete') expect(map.delete(name)).toBe(at !== -1);
          else expect(map[what as 'get' | 'peek'](name)?.value).toBe(at === -1 ? undefined : name);
          if (what === 'peek') continue;
          if (at !== -1) model.splice(at, 1);
          if (what === 'set' || (what === 'get' && at !== -1)) model.push(name);
        }
        expect(inOrderOfUse(map)).toEqual(model);
        expect(map.size).toBe(model.length);
        expect(map.bytes).toBe(model.reduce((sum, name) => sum + entryOf(name).size, 0));
      }),
    );
  });

  it('keeps an entry of its own where another map keeps the given one', () => {
    const [here, there] = [new RecencyMap(), new RecencyMap()];
    here.set('k', entryOf('v', { ttl: 1_000, grace: 500, tags: ['t'] }));
    const entry = here.peek('k')!;
    there.set('other', entryOf('x'));
    there.set('k', entry);
    there.delete('other');
    here.set('another', entryOf('y'));
    expect(inOrderOfUse(here)).toEqual(['k', 'another']);
    expect(inOrderOfUse(there)).toEqual(['k']);
    const { value, tags, freshUntil, staleUntil, goneAt } = there.peek('k')!;
    expect({ value, tags, freshUntil, staleUntil, goneAt }).toMatchObject({
      value: 'v',
      tags: ['t'],
      freshUntil: entry.freshUntil,
      staleUntil: entry.freshUntil + 500,
      goneAt: entry.freshUntil + 500,
    });
  });

  it('keeps the very entry that it is given, and lets it go without its neighbours', () => {
    const map = new RecencyMap();
    map.set('a', entryOf(1));
    const entry = map.peek('a')!;
    map.set('b', entryOf(2));
    map.delete('a');
    expect([entry.key, entry.older, entry.newer]).toEqual([undefined, undefined, undefined]);
    map.set('c', entry);
    expect(map.peek('c')).toBe(entry);
    map.clear();
    expect([map.size, map.bytes, map.oldest, entry.key]).toEqual([0, 0, undefined, undefined]);
    expect(entry).toBeInstanceOf(KeptEntry);
  });
});
