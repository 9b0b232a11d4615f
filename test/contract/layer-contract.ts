import { types } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Clock } from '../../lib/cache/base/clock.js';
import type { Entry } from '../../lib/cache/entries/entry.js';
import type { Layer } from '../../lib/cache/layers/layer.js';
import { isolate } from '../../lib/cache/entries/values.js';
import { eventually } from '../support/redis.js';
import { LoadTicket } from '../../lib/cache/layers/load-ticket.js';

/** One layer under test, fresh and connected. */
export interface LayerUnderTest {
  readonly layer: Layer;
  /** The clock of the layer. */
  readonly clock: Clock;
  /** Lets time pass for the layer: advances its clock, or waits if a server has its own clock. */
  pass(ms: number): Promise<void>;
  /** The epoch of an entry whose load begins now; 0 if the layer does not use epochs. */
  epoch?(): number;
  /** A second layer over the same store in another process, if the kind of layer supports one. */
  beside?(): Promise<Layer>;
  close(): Promise<void>;
}

/** Features that a layer may lack. */
export interface LayerLimits {
  /** Without tags, `invalidateTags` is not tested. */
  readonly tags?: boolean;
  /** Without globs, `deleteByPattern` and `keys` are not tested. */
  readonly globs?: boolean;
  /** Without rich values, only JSON values are tested. */
  readonly richValues?: boolean;
}

/** The contract of every layer: each layer runs it over its own store. */
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
        classes: undefined,
        createdAt: now - 5,
        freshUntil: now + ttl,
        staleUntil: now + ttl + grace,
        removeAt: now + ttl + grace,
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

    it('a layer returns undefined for a key that it does not have', async () => {
      expect(await layer.get('absent')).toBeUndefined();
    });

    it('a layer returns a stored value with its times, tags and cost', async () => {
      const written = entry({ name: 'teapot', price: 12.5, labels: ['a', null] }, { grace: 5_000, tags: ['t1', 't2'] });
      await layer.set('k', written);
      const read = await layer.get('k');
      expect(read?.value).toEqual(written.value);
      expect(Math.abs(read!.freshUntil - written.freshUntil)).toBeLessThan(50);
      expect(Math.abs(read!.staleUntil - written.staleUntil)).toBeLessThan(50);
      expect(Math.abs(read!.removeAt - written.removeAt)).toBeLessThan(50);
      expect(read!.cost).toBeCloseTo(5, 0);
      if (limits.tags !== false) expect([...read!.tags].sort()).toEqual(['t1', 't2']);
    });

    it('a layer distinguishes null from a missing value', async () => {
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
    ])('a layer stores and returns %s', async (_, value) => {
      await layer.set('k', entry(value));
      expect((await layer.get('k'))?.value).toEqual(value);
    });

    it.each([
      ['a lone surrogate', 'x\ud800y', 'INVALID_KEY'],
      ['no character', '', 'INVALID_KEY'],
      ['more than 64 KiB', 'ž'.repeat(32_769), 'KEY_TOO_LONG'],
    ])('a layer refuses keys, globs and tags with %s, and still serves others', async (_, text, code) => {
      const refused = async (operation: () => unknown) =>
        expect(async () => await operation()).rejects.toMatchObject({ code });
      await layer.set('fine', entry(1));
      await refused(() => layer.get(text));
      await refused(() => layer.getMany(['fine', text]));
      await refused(() => layer.set(text, entry(1)));
      await refused(() => layer.setMany([[text, entry(1)]]));
      await refused(() => layer.set('k', entry(1, { tags: [text] })));
      await refused(() => layer.delete(text));
      await refused(() => layer.deleteMany(['absent', text]));
      await refused(() => layer.deleteByPattern(text));
      await refused(() => layer.invalidateTags([text]));
      await refused(() => keysOf(text));
      expect((await layer.get('fine'))?.value).toBe(1);
      expect(layer.status().circuitState).toBe(0);
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
    ])('a layer accepts any text as a key: %s', async (_, key) => {
      await layer.set(key, entry('v'));
      expect((await layer.get(key))?.value).toBe('v');
      expect(await layer.get(`${key}x`)).toBeUndefined();
      expect(await layer.delete(key)).toBe(true);
      expect(await layer.get(key)).toBeUndefined();
    });

    it('a layer replaces a value that is set again', async () => {
      await layer.set('k', entry(1));
      await layer.set('k', entry(2));
      expect((await layer.get('k'))?.value).toBe(2);
    });

    it('a layer returns nothing for an entry that has expired', async () => {
      await layer.set('short', entry('v', { ttl: 80 }));
      await layer.set('long', entry('v'));
      await subject.pass(200);
      expect(await layer.get('short')).toBeUndefined();
      expect((await layer.getMany(['short', 'long'])).map((one) => one?.value)).toEqual([undefined, 'v']);
    });

    it('a layer keeps a stale entry until its stale time ends', async () => {
      await layer.set('k', entry('v', { ttl: 80, grace: 60_000 }));
      await subject.pass(200);
      const read = await layer.get('k');
      expect(read?.value).toBe('v');
      expect(read!.freshUntil).toBeLessThan(subject.clock.now());
    });

    it('a layer keeps an entry without an expiry forever', async () => {
      const forever = { ...entry('v'), freshUntil: Infinity, staleUntil: Infinity, removeAt: Infinity };
      await layer.set('k', forever);
      const read = await layer.get('k');
      expect(read?.value).toBe('v');
      expect(read!.freshUntil).toBe(Infinity);
      expect(read!.removeAt).toBe(Infinity);
    });

    it('a layer reads and writes batches in the order of the keys', async () => {
      await layer.setMany([
        ['a', entry(1)],
        ['b', entry(2)],
        ['c', entry(3)],
      ]);
      const read = await layer.getMany(['c', 'absent', 'a', 'b', 'a']);
      expect(read.map((one) => one?.value)).toEqual([3, undefined, 1, 2, 1]);
    });

    it('a layer accepts empty batches', async () => {
      await layer.setMany([]);
      expect(await layer.getMany([])).toEqual([]);
      expect(await layer.deleteMany([])).toBe(0);
      await layer.invalidateTags([]);
    });

    it('a layer accepts a batch of a thousand keys', async () => {
      const keys = Array.from({ length: 1_000 }, (_, index) => `many:${index}`);
      await layer.setMany(keys.map((key, index) => [key, entry({ index })] as const));
      const read = await layer.getMany(keys);
      expect(read.map((one) => (one?.value as { index: number }).index)).toEqual(keys.map((_, index) => index));
    });

    it('a layer returns whether a deletion removed an entry', async () => {
      await layer.set('k', entry(1));
      expect(await layer.delete('k')).toBe(true);
      expect(await layer.delete('k')).toBe(false);
    });

    it('a layer returns how many entries a batch deleted', async () => {
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

    withGlobs('matches globs by code point, escapes and unclosed sets included', async () => {
      const keys = [
        'user:e',
        'user:é',
        'user:ü',
        'user:漢',
        'user:😀',
        'user:😀😀',
        'user:~',
        '~user',
        '~',
        'a]',
        'a-',
        'a*',
      ];
      const matching: Record<string, string[]> = {
        'user:?': ['user:e', 'user:é', 'user:ü', 'user:漢', 'user:😀', 'user:~'],
        'user:[é-ü]': ['user:é', 'user:ü'],
        'user:[^a-z]': ['user:é', 'user:ü', 'user:漢', 'user:😀', 'user:~'],
        'user:[😀é]': ['user:é', 'user:😀'],
        'user:[😀': ['user:😀'],
        'user:[^': ['user:e', 'user:é', 'user:ü', 'user:漢', 'user:😀', 'user:~'],
        'user:[]': [],
        'user:\\😀*': ['user:😀', 'user:😀😀'],
        'user:??': ['user:😀😀'],
        'a[\\]-]': ['a-', 'a]'],
        'a\\*': ['a*'],
        '\\~*': ['~', '~user'],
        '[~]': ['~'],
        '?user': ['~user'],
        '*~': ['user:~', '~'],
      };
      await layer.setMany(keys.map((key) => [key, entry(key)] as const));
      for (const [glob, found] of Object.entries(matching)) {
        expect([glob, await keysOf(glob)]).toEqual([glob, found.toSorted()]);
        expect([glob, await layer.deleteByPattern(glob)]).toEqual([glob, found.length]);
        expect((await layer.getMany(keys)).map((one) => one?.value)).toEqual(
          keys.map((key) => (found.includes(key) ? undefined : key)),
        );
        await layer.setMany(found.map((key) => [key, entry(key)] as const));
      }
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

    it('a layer removes every entry with clear() and stays usable', async () => {
      await layer.set('a', entry(1));
      await layer.clear();
      expect(await layer.get('a')).toBeUndefined();
      await layer.set('a', entry(2));
      expect((await layer.get('a'))?.value).toBe(2);
    });

    it('a layer that declares itself shared shares entries with another process', async () => {
      const other = await subject.beside?.();
      expect(other !== undefined).toBe(layer.shared);
      if (other === undefined) return;
      await layer.set('k', entry({ from: 'here' }));
      expect((await other.get('k'))?.value).toEqual({ from: 'here' });
      await other.delete('k');
      expect(await layer.get('k')).toBeUndefined();
      await other.disconnect();
    });

    it('a layer with coordination carries messages and locks to another process', async () => {
      const other = await subject.beside?.();
      if (layer.coordination !== undefined) {
        const heard: unknown[] = [];
        const end = await other!.coordination!.subscribe({
          onMessage: (message) => heard.push(message),
          onGap: () => undefined,
        });
        await layer.coordination.publish({ keys: ['k'], tags: ['red'] });
        await eventually(() => heard.length > 0, 'the message arrives');
        expect(heard).toEqual([expect.objectContaining({ keys: ['k'], tags: ['red'] })]);
        const lease = await layer.coordination.acquire('load', 5_000);
        expect(await other!.coordination!.acquire('load', 5_000)).toBeUndefined();
        expect(await lease!.renew(5_000)).toBe(true);
        await lease!.release();
        expect(await other!.coordination!.acquire('load', 5_000)).toBeDefined();
        await end();
      }
      await other?.disconnect();
    });

    it('an ordered layer refuses the write of a load that another process invalidated meanwhile', async () => {
      const other = await subject.beside?.();
      if (layer.coordination !== undefined) {
        const invalidate: [string, (key: string) => unknown][] = [
          ['kept', () => undefined],
          ['deleted', (key) => other!.delete(key)],
          ['tagged', () => other!.invalidateTags(['red'])],
          ['matched', () => other!.deleteByPattern('match*')],
        ];
        for (const [key, act] of invalidate) {
          const ticket = new LoadTicket();
          await layer.get(key, ticket);
          await act(key);
          await layer.set(key, entry(key, { tags: ['red'] }), ticket);
          expect([key, (await other!.get(key))?.value]).toEqual([key, key === 'kept' ? key : undefined]);
        }
      }
      await other?.disconnect();
    });

    it('a layer isolates a stored value from later changes by its caller', async () => {
      const source = { list: [1] };
      await layer.set('k', entry(source));
      source.list.push(2);
      expect((await layer.get('k'))?.value).toEqual({ list: [1] });
    });

    it('a layer reports how many entries it holds', async () => {
      const status = layer.status();
      expect(status.connected).toBe(true);
      expect(status.queueDepth).toBe(0);
      expect(status.entries === null || status.entries === 0).toBe(true);
    });
  });
}
