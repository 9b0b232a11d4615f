import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Layer } from '../../lib/cache/layers/layer.js';
import { entryOf } from '../support/entries.js';
import { beginLoad as begin, LayerProcesses, RedisPlaces } from '../support/redis-places.js';

/** Events between an invalidation and the eviction, or after it. */
interface Between {
  readonly before?: () => unknown;
  readonly after?: () => unknown;
}

/** Deletes one key without a message to any process, as an eviction does. */
interface Evicting {
  del(key: string): Promise<number>;
  pTTL(key: string): Promise<number>;
  exists(key: string): Promise<number>;
  set(key: string, value: string): Promise<unknown>;
  rPush(key: string, value: string): Promise<unknown>;
}

const places = new RedisPlaces();

describe.each(places.both)('eviction on %s', (place, options) => {
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

  it('every guard key has a time to live, the fence of a deletion ten minutes', async () => {
    await here.invalidateTags(['red']);
    await here.deleteByPattern('a*');
    await here.delete('k');
    const names = ['state', 'tags', 'globs'].map((name) => `${prefix}:~{${prefix}}${name}`);
    for (const name of names) expect(await redis.pTTL(name)).toBeGreaterThan(24 * 3_600_000);
    const fence = await redis.pTTL(fenceOf('k'));
    expect([fence > 590_000, fence <= 600_000]).toEqual([true, true]);
  });

  describe('a guard key of a wrong type', () => {
    const names = ['state', 'tags', 'globs', 'sweeps'] as const;

    it.each(names)('a guard of a wrong type keeps reads, writes and invalidations working (%s)', async (name) => {
      await here.set('k', entryOf(1, { tags: ['red'] }));
      const guard = `${prefix}:~{${prefix}}${name}`;
      const spoil = async () => {
        await redis.del(guard);
        await (name === 'state' ? redis.rPush(guard, 'x') : redis.set(guard, 'x'));
      };
      await spoil();
      await here.set('a', entryOf(2, { tags: ['red'] }));
      expect(await valuesIn(there, 'a')).toEqual([2]);
      await spoil();
      await here.invalidateTags(['red']);
      expect(await valuesIn(there, 'a', 'k')).toEqual([undefined, undefined]);
      await spoil();
      await here.set('b', entryOf(3));
      await here.deleteByPattern('b*');
      expect(await valuesIn(there, 'b')).toEqual([undefined]);
      await spoil();
      const ticket = await begin(there, 'c');
      await there.set('c', entryOf(4, { tags: ['blue'] }), ticket);
      await there.delete('c');
      await here.clear();
      await here.set('d', entryOf(5));
      expect(await valuesIn(there, 'c', 'd')).toEqual([undefined, 5]);
    });

    it.each(['x~tags', 'x~globs', 'x~sweeps', '~tags', '~{a}tags', 'x~state', '~fence:x~tags'])(
      'an entry whose key ends like a guard is kept (%s)',
      async (key) => {
        const ticket = await begin(there, key);
        await here.set(key, entryOf('newer'));
        await here.invalidateTags(['red']);
        await redis.set(`${prefix}:~{${prefix}}tags`, 'x');
        await there.set(key, entryOf('older', { tags: ['blue'] }), ticket);
        expect(await valuesIn(here, key)).toEqual(['newer']);
      },
    );

    it.each([
      '99999999999999999999 0 0 0 0 0 0',
      Array(7).fill('9999999999999999').join(' '),
      Array(7).fill('8999999999999999').join(' '),
      `1 1 1 ${'9'.repeat(400)} 0 0 0`,
    ])('a state with impossible numbers counts as absent: %s', async (state) => {
      await here.set('k', entryOf(1));
      await redis.set(`${prefix}:~{${prefix}}state`, state);
      for (let round = 0; round < 2; round++) {
        const ticket = await begin(there, 'a');
        await there.set('a', entryOf(round), ticket);
      }
      expect(await valuesIn(here, 'a')).toEqual([1]);
      await here.set('b', entryOf(2));
      expect(await valuesIn(there, 'b')).toEqual([2]);
      await here.delete('b');
      expect(await valuesIn(there, 'b')).toEqual([undefined]);
    });

    it.each(['garbage', '9999999999999999', '99'])('a fence of impossible content is ignored: %s', async (fence) => {
      await redis.set(fenceOf('k'), fence);
      const ticket = await begin(there, 'k');
      await there.set('k', entryOf(1), ticket);
      expect(await valuesIn(here, 'k')).toEqual([1]);
    });

    it('a load replaces a value and a fence of a wrong type', async () => {
      await redis.rPush(`${prefix}:k`, 'x');
      await redis.rPush(fenceOf('k'), 'x');
      expect(await valuesIn(here, 'k')).toEqual([undefined]);
      const ticket = await begin(there, 'k');
      await there.set('k', entryOf(1), ticket);
      expect(await valuesIn(here, 'k')).toEqual([1]);
    });
  });

  describe('an evicted value', () => {
    it('an evicted value is a miss and can be loaded again', async () => {
      await here.set('k', entryOf(1));
      expect(await redis.del(`${prefix}:k`)).toBe(1);
      const ticket = await begin(there, 'k');
      expect(await valuesIn(here, 'k')).toEqual([undefined]);
      await there.set('k', entryOf(2), ticket);
      expect(await valuesIn(here, 'k')).toEqual([2]);
    });
  });

  describe('the evicted state of the namespace', () => {
    it('eviction of the state invalidates earlier tagged entries for every process, and keeps the others', async () => {
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
    ])('eviction of the state refuses loads that have begun: %s', async (_when, meanwhile) => {
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

  describe('the evicted list of tags', () => {
    const between: [string, Between][] = [
      ['nothing else was invalidated', {}],
      ['a glob was the last to be invalidated', { before: () => there.deleteByPattern('nothing:*') }],
      ['another tag is invalidated afterwards', { after: () => there.invalidateTags(['blue']) }],
      ['a glob is invalidated afterwards', { after: () => there.deleteByPattern('nothing:*') }],
    ];

    it.each(between)(
      'eviction of the tags invalidates tagged entries from before the last tag, if %s',
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
        // The process's copy of the list ends before the tag.
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

    it.each(between)('eviction of the tags refuses earlier tagged loads, if %s', async (_what, { before, after }) => {
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

  describe('the evicted list of globs', () => {
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
      'eviction of the globs refuses loads before the last glob, if %s',
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

    it('eviction of the globs keeps entries that no glob matched, tagged or not', async () => {
      await here.setMany([
        ['tagged', entryOf(1, { tags: ['red'] })],
        ['plain', entryOf(2)],
      ]);
      await there.deleteByPattern('user:*');
      await evict('globs');
      for (const layer of [here, await process()]) expect(await valuesIn(layer, 'tagged', 'plain')).toEqual([1, 2]);
    });
  });

  describe('an evicted fence', () => {
    it('eviction of a fence refuses loads of other deleted keys, and stores later loads of its own key', async () => {
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
