import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { KeyTable, type KeyTableItem } from '../../../lib/cache/base/key-table.js';

class Item implements KeyTableItem<Item> {
  hash = 0;
  nextInBucket: Item | undefined;

  constructor(readonly key: string) {}
}

describe('a table of objects that are added and removed all the time', () => {
  it('has the same items as a Map after any calls', () => {
    const call = fc.record({
      key: fc.integer({ min: 0, max: 60 }).map(String),
      adds: fc.boolean(),
      again: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(call, { maxLength: 300 }), (calls) => {
        const table = new KeyTable<Item>();
        const map = new Map<string, Item>();
        for (const { key, adds, again } of calls) {
          const known = map.get(key);
          expect(table.get(key)).toBe(known);
          if (adds && known === undefined) {
            const item = new Item(key);
            table.add(item);
            map.set(key, item);
          } else if (!adds && known !== undefined) {
            table.remove(known);
            map.delete(key);
            if (again) table.remove(known);
          } else if (!adds) table.remove(new Item(key));
          expect(table.items()).toHaveLength(map.size);
        }
        expect(new Set(table.items())).toEqual(new Set(map.values()));
        table.clear();
        expect([table.items(), table.get('1')]).toEqual([[], undefined]);
      }),
    );
  });

  it('an item that was removed links to no other', () => {
    const table = new KeyTable<Item>();
    const items = Array.from({ length: 100 }, (_, index) => new Item(`k${index}`));
    for (const item of items) table.add(item);
    for (const item of items.slice(0, 50)) table.remove(item);
    table.clear();
    expect(items.map(({ nextInBucket }) => nextInBucket)).toEqual(items.map(() => undefined));
  });
});
