import { types } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Clock } from '../../lib/cache/clock.js';
import type { Entry } from '../../lib/cache/entry.js';
import type { Layer } from '../../lib/cache/layers/layer.js';
import { isolate } from '../../lib/cache/entries/values.js';

/** One layer under test, fresh and connected. */
export interface LayerUnderTest {
  readonly layer: Layer;
  /** The clock the layer was made with. */
  readonly clock: Clock;
  /** Lets this much time pass for the layer: turns its clock, or waits for a server that has its own. */
  pass(ms: number): Promise<void>;
  /** The epoch of an entry whose load begins now; 0 where the layer does not ask for it. */
  epoch?(): number;
  /** A second layer over the same store in another process, where there is such a thing. */
  beside?(): Promise<Layer>;
  close(): Promise<void>;
}

/** What a layer may not be able to do. */
export interface LayerLimits {
  /** Without tags, `invalidateTags` is not tested. */
  readonly tags?: boolean;
  /** Without globs, `deleteByPattern` and `keys` are not tested. */
  readonly globs?: boolean;
  /** Without rich values, only what JSON holds is tested. */
  readonly richValues?: boolean;
}

/** The contract of every layer: run by each of them over its own store. */
export function describeLayer(name: string, make: () => Promise<LayerUnderTest>, limits: LayerLimits = {}): void {
  const withTags = limits.tags === false ? it.skip : it;
  const withGlobs = limits.globs === false ? it.skip : it;
  const withRichValues = limits.richValues === false ? it.skip : it;

  describe(`layer contract: ${name}`, () => {
    let subject: LayerUnderTest;
    let layer: Layer;

    beforeEach(async () => {
      subject = await make();
      layer = subject.layer;
    });
    afterEach(async () => {
      await subject.close();
    });

    const entry = (value: unknown, { ttl = 60_000, grace = 0, tags = [] as string[] } = {}): Entry => {
      const isolated = isolate(value);
      const now = subject.clock.now();
      return {
        ...isolated,
        createdAt: now - 5,
        freshUntil: now + ttl,
        staleUntil: now + ttl + grace,
        goneAt: now + ttl + grace,
        tags,
        cost: 5,
        epoch: subject.epoch?.() ?? 0,
        meta: undefined,
        derived: undefined,
      };
    };
    const keysOf = async (glob: string): Promise<string[]> => {
      const found: string[] = [];
      for await (const batch of layer.keys(glob)) found.push(...batch);
      return found.sort();
    };

    it('answers undefined for what it does not have', async () => {
      expect(await layer.get('absent')).toBeUndefined();
    });

    it('gives back a value with its times, tags and cost', async () => {
      const written = entry({ name: 'teapot', price: 12.5, labels: ['a', null] }, { grace: 5_000, tags: ['t1', 't2'] });
      await layer.set('k', written);
      const read = await layer.get('k');
      expect(read?.value).toEqual(written.value);
      expect(Math.abs(read!.freshUntil - written.freshUntil)).toBeLessThan(50);
      expect(Math.abs(read!.staleUntil - written.staleUntil)).toBeLessThan(50);
      expect(Math.abs(read!.goneAt - written.goneAt)).toBeLessThan(50);
      expect(read!.cost).toBeCloseTo(5, 0);
      if (limits.tags !== false) expect([...read!.tags].sort()).toEqual(['t1', 't2']);
    });

    it('keeps null apart from absence', async () => {
      await layer.set('null', entry(null));
      const read = await layer.get('null');
      expect(read).toBeDefined();
      expect(read!.value).toBeNull();
    });

    it.each([
      ['an empty string', ''],
      ['zero', 0],
      ['false', false],
      ['an empty object', {}],
      ['an empty array', []],
      ['text of several scripts', 'žluťoučký 漢字 🫖 \u0000 "quoted"'],
      ['nesting', { a: [{ b: [{ c: 1 }] }] }],
    ])('keeps %s', async (_, value) => {
      await layer.set('k', entry(value));
      expect((await layer.get('k'))?.value).toEqual(value);
    });

    withRichValues('keeps Date, Map, Set, BigInt, Buffer, undefined, NaN and -0 as they are', async () => {
      const value = {
        date: new Date(1_700_000_000_000),
        map: new Map<unknown, unknown>([['a', { deep: new Date(5) }]]),
        set: new Set([1, 'two']),
        big: 2n ** 70n,
        buffer: Buffer.from('bytes'),
        bytes: new Uint8Array([1, 2, 3]),
        nothing: undefined,
        nan: NaN,
        minusZero: -0,
      };
      await layer.set('rich', entry(value));
      const read = (await layer.get('rich'))?.value as typeof value;
      expect(read).toEqual(value);
      expect(types.isDate(read.date)).toBe(true);
      expect(types.isMap(read.map)).toBe(true);
      expect(Buffer.isBuffer(read.buffer)).toBe(true);
      expect('nothing' in read).toBe(true);
      expect(Object.is(read.minusZero, -0)).toBe(true);
    });

    it.each([
      ['spaces and : colons', 'spaces and : colons'],
      ['characters beyond ASCII', 'ünïcödé 🫖'],
      ['characters of globs', 'a*b?c[d]\\e'],
      ['braces', '{braces}:{two}'],
      ['ten thousand characters', 'x'.repeat(10_000)],
    ])('takes any text as a key: %s', async (_, key) => {
      await layer.set(key, entry('v'));
      expect((await layer.get(key))?.value).toBe('v');
      expect(await layer.get(`${key}x`)).toBeUndefined();
      expect(await layer.delete(key)).toBe(true);
      expect(await layer.get(key)).toBeUndefined();
    });

    it('replaces', async () => {
      await layer.set('k', entry(1));
      await layer.set('k', entry(2));
      expect((await layer.get('k'))?.value).toBe(2);
    });

    it('answers nothing once its time has passed', async () => {
      await layer.set('short', entry('v', { ttl: 80 }));
      await layer.set('long', entry('v'));
      await subject.pass(200);
      expect(await layer.get('short')).toBeUndefined();
      expect((await layer.getMany(['short', 'long'])).map((one) => one?.value)).toEqual([undefined, 'v']);
    });

    it('keeps what is stale until it is gone', async () => {
      await layer.set('k', entry('v', { ttl: 80, grace: 60_000 }));
      await subject.pass(200);
      const read = await layer.get('k');
      expect(read?.value).toBe('v');
      expect(read!.freshUntil).toBeLessThan(subject.clock.now());
    });

    it('keeps for ever what has no expiry', async () => {
      const forever = { ...entry('v'), freshUntil: Infinity, staleUntil: Infinity, goneAt: Infinity };
      await layer.set('k', forever);
      const read = await layer.get('k');
      expect(read?.value).toBe('v');
      expect(read!.freshUntil).toBe(Infinity);
      expect(read!.goneAt).toBe(Infinity);
    });

    it('reads and writes batches in the order of the keys', async () => {
      await layer.setMany([
        ['a', entry(1)],
        ['b', entry(2)],
        ['c', entry(3)],
      ]);
      const read = await layer.getMany(['c', 'absent', 'a', 'b', 'a']);
      expect(read.map((one) => one?.value)).toEqual([3, undefined, 1, 2, 1]);
    });

    it('takes empty batches', async () => {
      await layer.setMany([]);
      expect(await layer.getMany([])).toEqual([]);
      expect(await layer.deleteMany([])).toBe(0);
      await layer.invalidateTags([]);
    });

    it('takes a batch of a thousand', async () => {
      const keys = Array.from({ length: 1_000 }, (_, index) => `many:${index}`);
      await layer.setMany(keys.map((key, index) => [key, entry({ index })] as const));
      const read = await layer.getMany(keys);
      expect(read.map((one) => (one?.value as { index: number }).index)).toEqual(keys.map((_, index) => index));
    });

    it('says whether there was something to delete', async () => {
      await layer.set('k', entry(1));
      expect(await layer.delete('k')).toBe(true);
      expect(await layer.delete('k')).toBe(false);
    });

    it('counts what a batch deleted', async () => {
      await layer.setMany([
        ['a', entry(1)],
        ['b', entry(2)],
      ]);
      expect(await layer.deleteMany(['a', 'absent', 'b'])).toBe(2);
      expect(await layer.getMany(['a', 'b'])).toEqual([undefined, undefined]);
    });

    withGlobs('deletes by glob and nothing else', async () => {
      for (const key of ['user:1', 'user:2', 'user:2:cart', 'users', 'other', 'user*1']) {
        await layer.set(key, entry(key));
      }
      expect(await layer.deleteByPattern('user:?')).toBe(2);
      expect(await keysOf('*')).toEqual(['other', 'user*1', 'user:2:cart', 'users']);
      expect(await layer.deleteByPattern('user\\*1')).toBe(1);
      expect(await layer.deleteByPattern('nothing*')).toBe(0);
      expect(await keysOf('*')).toEqual(['other', 'user:2:cart', 'users']);
    });

    withGlobs('lists keys by glob: text, one character, sets, ranges', async () => {
      for (const key of ['a1', 'a2', 'a3', 'b1', 'ab1']) await layer.set(key, entry(1));
      expect(await keysOf('a*')).toEqual(['a1', 'a2', 'a3', 'ab1']);
      expect(await keysOf('a?')).toEqual(['a1', 'a2', 'a3']);
      expect(await keysOf('a[13]')).toEqual(['a1', 'a3']);
      expect(await keysOf('a[2-9]')).toEqual(['a2', 'a3']);
      expect(await keysOf('[^a]1')).toEqual(['b1']);
    });

    withGlobs('deletes two thousand by glob', async () => {
      await layer.setMany(Array.from({ length: 2_000 }, (_, index) => [`bulk:${index}`, entry(index)] as const));
      await layer.set('kept', entry(1));
      expect(await layer.deleteByPattern('bulk:*')).toBe(2_000);
      expect(await keysOf('*')).toEqual(['kept']);
    });

    withTags('forgets what carries an invalidated tag and keeps the rest', async () => {
      await layer.set('a', entry(1, { tags: ['red'] }));
      await layer.set('b', entry(2, { tags: ['red', 'blue'] }));
      await layer.set('c', entry(3, { tags: ['blue'] }));
      await layer.set('d', entry(4));
      await layer.invalidateTags(['red']);
      expect((await layer.getMany(['a', 'b', 'c', 'd'])).map((one) => one?.value)).toEqual([
        undefined,
        undefined,
        3,
        4,
      ]);
      expect(await layer.get('a')).toBeUndefined();
    });

    withTags('keeps what is written with a tag after it was invalidated', async () => {
      await layer.invalidateTags(['red']);
      await layer.set('a', entry(1, { tags: ['red'] }));
      expect((await layer.get('a'))?.value).toBe(1);
      await layer.invalidateTags(['red', 'unknown']);
      expect(await layer.get('a')).toBeUndefined();
    });

    it('clears itself and stays usable', async () => {
      await layer.set('a', entry(1));
      await layer.clear();
      expect(await layer.get('a')).toBeUndefined();
      await layer.set('a', entry(2));
      expect((await layer.get('a'))?.value).toBe(2);
    });

    it('shares with another process what it says it shares', async () => {
      const other = await subject.beside?.();
      expect(other !== undefined).toBe(layer.shared);
      if (other === undefined) return;
      await layer.set('k', entry({ from: 'here' }));
      expect((await other.get('k'))?.value).toEqual({ from: 'here' });
      await other.delete('k');
      expect(await layer.get('k')).toBeUndefined();
      await other.disconnect();
    });

    it('does not let a caller change what it keeps', async () => {
      const source = { list: [1] };
      await layer.set('k', entry(source));
      source.list.push(2);
      expect((await layer.get('k'))?.value).toEqual({ list: [1] });
    });

    it('says what it holds', async () => {
      const status = layer.status();
      expect(status.connected).toBe(true);
      expect(status.queueDepth).toBe(0);
      expect(status.entries === null || status.entries === 0).toBe(true);
    });
  });
}
