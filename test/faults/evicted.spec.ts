import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Layer } from '../../lib/cache/layers/layer.js';
import { entryOf } from '../support/entries.js';
import { beginLoad as begin, LayerProcesses, RedisPlaces } from '../support/redis-places.js';

/** What may come between an invalidation and the eviction, or after it. */
interface Between {
  readonly before?: () => unknown;
  readonly after?: () => unknown;
}

/** What deletes as an eviction does: a single key, and nobody is told. */
interface Evicting {
  del(key: string): Promise<number>;
  pTTL(key: string): Promise<number>;
  exists(key: string): Promise<number>;
}

const places = new RedisPlaces();

describe.each(places.both)('on %s', (place, options) => {
  const processes = new LayerProcesses(options);
  const process = () => processes.start();
  let prefix: string;
  let redis: Evicting & { destroy(): unknown };
  let here: Layer;
  let there: Layer;

  const evict = async (name: 'state' | 'tags' | 'globs') => {
    expect(await redis.del(`${prefix}:~{${prefix}}${name}`)).toBe(1);
  };
  const fenceOf = (key: string) => `${prefix}:~fence:{${prefix}:${key}}`;
  const valuesIn = async (layer: Layer, ...keys: string[]) =>
    (await layer.getMany(keys)).map((entry) => entry?.value as unknown);

  beforeAll(async () => {
    redis = await (place === 'a cluster' ? places.cluster.client() : places.server.client());
  });
  afterAll(() => void redis.destroy());
  beforeEach(() => {
    ({ prefix, here, there } = processes);
  });

  it('everything that guards values has a time to live, the fence of a deletion ten minutes', async () => {
    await here.invalidateTags(['red']);
    await here.deleteByPattern('a*');
    await here.delete('k');
    const names = ['state', 'tags', 'globs'].map((name) => `${prefix}:~{${prefix}}${name}`);
    for (const name of names) expect(await redis.pTTL(name)).toBeGreaterThan(24 * 3_600_000);
    const fence = await redis.pTTL(fenceOf('k'));
    expect([fence > 590_000, fence <= 600_000]).toEqual([true, true]);
  });

  describe('without a value', () => {
    it('it is a miss, and can be loaded again', async () => {
      await here.set('k', entryOf(1));
      expect(await redis.del(`${prefix}:k`)).toBe(1);
      const ticket = await begin(there, 'k');
      expect(await valuesIn(here, 'k')).toEqual([undefined]);
      await there.set('k', entryOf(2), ticket);
      expect(await valuesIn(here, 'k')).toEqual([2]);
    });
  });

  describe('without the order of the namespace', () => {
    it('tagged entries from before count as invalidated for everybody, and the others are there', async () => {
      await here.setMany([
        ['tagged', entryOf(1, { tags: ['red'] })],
        ['plain', entryOf(2)],
      ]);
      expect(await valuesIn(there, 'tagged', 'plain')).toEqual([1, 2]);
      await evict('state');
      for (const layer of [here, there, await process()]) {
        expect(await valuesIn(layer, 'tagged', 'plain')).toEqual([undefined, 2]);
      }
      await there.set('tagged', entryOf(3, { tags: ['red'] }));
      for (const layer of [here, await process()]) expect(await valuesIn(layer, 'tagged')).toEqual([3]);
    });

    it.each<[string, () => unknown]>([
      ['at once', () => undefined],
      ['after another has read', () => there.get('other')],
      ['after another has written', () => there.set('other', entryOf(1))],
      ['after another has invalidated a tag', () => there.invalidateTags(['blue'])],
      ['after the same process has read', () => here.get('other')],
    ])('loads under way are refused, %s', async (_when, meanwhile) => {
      const plain = await begin(here, 'plain');
      const tagged = await begin(here, 'tagged');
      await evict('state');
      await meanwhile();
      await here.set('plain', entryOf('old'), plain);
      await here.set('tagged', entryOf('old', { tags: ['red'] }), tagged);
      for (const layer of [here, there])
        expect(await valuesIn(layer, 'plain', 'tagged')).toEqual([undefined, undefined]);
      await here.set('tagged', entryOf('new', { tags: ['red'] }), await begin(here, 'tagged'));
      expect(await valuesIn(there, 'tagged')).toEqual(['new']);
    });
  });

  describe('without the list of tags', () => {
    const between: [string, Between][] = [
      ['nothing else was invalidated', {}],
      ['a glob was the last to be invalidated', { before: () => there.deleteByPattern('nothing:*') }],
      ['another tag is invalidated afterwards', { after: () => there.invalidateTags(['blue']) }],
      ['a glob is invalidated afterwards', { after: () => there.deleteByPattern('nothing:*') }],
    ];

    it.each(between)(
      'tagged entries from before the last tag count as invalidated for who did not know it, though %s',
      async (_what, { before, after }) => {
        await here.setMany([
          ['red', entryOf('old', { tags: ['red'] })],
          ['green', entryOf('old', { tags: ['green'] })],
          ['plain', entryOf('plain')],
        ]);
        await there.invalidateTags(['red']);
        await there.set('later', entryOf('later', { tags: ['red'] }));
        await before?.();
        await evict('tags');
        await after?.();
        // Its copy ends before the tag.
        const [red, , plain, later] = await valuesIn(here, 'red', 'green', 'plain', 'later');
        expect([red, plain, later]).toEqual([undefined, 'plain', 'later']);
        expect(await valuesIn(await process(), 'red', 'green', 'plain', 'later')).toEqual([
          undefined,
          undefined,
          'plain',
          'later',
        ]);
      },
    );

    it.each(between)('tagged loads that began before it are refused, though %s', async (_what, { before, after }) => {
      const ticket = await begin(here, 'red');
      await there.invalidateTags(['red']);
      const later = await begin(there, 'later');
      await before?.();
      await evict('tags');
      await after?.();
      await here.set('red', entryOf('old', { tags: ['red'] }), ticket);
      await there.set('later', entryOf('later', { tags: ['red'] }), later);
      expect(await redis.exists(`${prefix}:red`)).toBe(0);
      for (const layer of [here, await process()]) {
        expect(await valuesIn(layer, 'red', 'later')).toEqual([undefined, 'later']);
      }
    });
  });

  describe('without the list of globs', () => {
    const between: [string, Between][] = [
      ['nothing else happens', {}],
      ['their process reads something else', { after: () => here.get('other') }],
      ['a tag was the last to be invalidated', { before: () => there.invalidateTags(['blue']) }],
      ['a tag is invalidated afterwards', { after: () => there.invalidateTags(['blue']) }],
      ['another glob is invalidated afterwards', { after: () => there.deleteByPattern('nothing:*') }],
      [
        'another glob is invalidated and their process reads something else',
        { after: async () => [await there.deleteByPattern('nothing:*'), await here.get('other')] },
      ],
    ];

    it.each(between)(
      'loads that began before the last glob are refused, though %s',
      async (_what, { before, after }) => {
        const ticket = await begin(here, 'user:1');
        await there.deleteByPattern('user:*');
        await before?.();
        await evict('globs');
        await after?.();
        await here.set('user:1', entryOf('old'), ticket);
        for (const layer of [here, await process()]) expect(await valuesIn(layer, 'user:1')).toEqual([undefined]);
        await here.set('user:1', entryOf('new'), await begin(here, 'user:1'));
        expect(await valuesIn(there, 'user:1')).toEqual(['new']);
      },
    );

    it('entries that no glob meant are there, tagged or not', async () => {
      await here.setMany([
        ['tagged', entryOf(1, { tags: ['red'] })],
        ['plain', entryOf(2)],
      ]);
      await there.deleteByPattern('user:*');
      await evict('globs');
      for (const layer of [here, await process()]) expect(await valuesIn(layer, 'tagged', 'plain')).toEqual([1, 2]);
    });
  });

  describe('without a fence', () => {
    it('loads of other keys that were deleted are refused, and later loads of its own are kept', async () => {
      const other = await begin(here, 'other');
      await there.deleteMany(['k', 'other']);
      expect(await redis.del(fenceOf('k'))).toBe(1);
      const ticket = await begin(here, 'k');
      await here.setMany([
        ['k', entryOf('new'), ticket],
        ['other', entryOf('old'), other],
      ]);
      expect(await valuesIn(there, 'k', 'other')).toEqual(['new', undefined]);
    });
  });
});
