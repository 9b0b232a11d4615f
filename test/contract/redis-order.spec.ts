import { beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock, type Clock } from '../../lib/cache/base/clock.js';
import type { Entry } from '../../lib/cache/entries/entry.js';
import type { Layer } from '../../lib/cache/layers/layer.js';
import { redisLayer } from '../../lib/cache/layers/redis/redis-layer.js';
import { entryOf } from '../support/entries.js';
import { layerContext } from '../support/layer-context.js';
import { eventually, RedisServer } from '../support/redis.js';
import { beginLoad as begin, LayerProcesses, RedisPlaces } from '../support/redis-places.js';
import { ticketAsOf } from '../../lib/cache/layers/load-ticket.js';

const places = new RedisPlaces();

describe.each(places.both)('two processes over %s', (place, options) => {
  const processes = new LayerProcesses(options);
  const process = (clock?: Clock) => processes.start(clock);
  let prefix: string;
  let here: Layer;
  let there: Layer;

  beforeEach(() => {
    ({ prefix, here, there } = processes);
  });

  it('a load that nothing disturbs is stored', async () => {
    const ticket = await begin(here, 'k');
    await here.set('k', entryOf(1), ticket);
    expect((await there.get('k'))?.value).toBe(1);
  });

  it('every load is stored while other tags and globs are invalidated without end', async () => {
    let ended = false;
    const invalidating = (async () => {
      for (let note = 0; !ended; note++) {
        await there.invalidateTags([`other${note % 50}`]);
        if (note % 10 === 0) await there.deleteByPattern(`other${note % 50}:*`);
      }
    })();
    const keys = Array.from({ length: 200 }, (_, index) => `k${index}`);
    await Promise.all(keys.map(async (key) => here.set(key, entryOf(key, { tags: ['red'] }), await begin(here, key))));
    ended = true;
    await invalidating;
    expect((await there.getMany(keys)).map((entry) => entry?.value)).toEqual(keys);
  });

  it('a deletion by glob removes no entry that was set after it began', async () => {
    const many = Array.from({ length: 20_000 }, (_, index): [string, Entry] => [`old:${index}`, entryOf(index)]);
    for (let from = 0; from < many.length; from += 2_000) await here.setMany(many.slice(from, from + 2_000));
    const removing = here.deleteByPattern('*');
    // The note of the deletion is the first command that reaches the server or its node.
    await eventually(async () => (await there.get('old:1')) === undefined, 'the glob is noted');
    const later = Array.from({ length: 200 }, (_, index) => `new:${index}`);
    await there.setMany(later.map((key) => [key, entryOf(key)] as const));
    await removing;
    expect((await there.getMany(later)).map((entry) => entry?.value)).toEqual(later);
    expect(await there.get('old:19999')).toBeUndefined();
  });

  it('a command sent after a large write is executed after it, though the write is sent in pieces', async () => {
    const many = Array.from({ length: 500 }, (_, index): [string, Entry] => [`k${index}`, entryOf('x'.repeat(1_000))]);
    await Promise.all([here.setMany(many), here.set('k499', entryOf('later')), here.deleteMany(['k498', 'k497'])]);
    expect((await there.get('k499'))?.value).toBe('later');
    expect(await there.getMany(['k497', 'k498'])).toEqual([undefined, undefined]);
    expect((await there.get('k496'))?.value).toBe('x'.repeat(1_000));
  });

  it('each entry of a batch expires in Redis at its own time', async () => {
    const lives = [60_000, 5_000, Infinity];
    await here.setMany(lives.map((ttl, index) => [`k${index}`, entryOf(index, { ttl })] as const));
    const raw = await (place === 'a cluster' ? places.cluster.client() : places.server.client());
    const left = await Promise.all(lives.map((_, index) => raw.pTTL(`${prefix}:k${index}`)));
    await raw.close();
    expect(left.map((ms) => (ms < 0 ? Infinity : Math.ceil(ms / 5_000) * 5_000))).toEqual(lives);
  });

  it.each(['k', '{tag}k', 'a}b', 'a{b', '{}x', '~k'])(
    'a load of %j is refused after another process deleted the key meanwhile',
    async (key) => {
      const ticket = await begin(here, key);
      await there.delete(key);
      await here.set(key, entryOf('old'), ticket);
      expect(await there.get(key)).toBeUndefined();
    },
  );

  it('a load is refused after another process invalidated its tag meanwhile, though the tag came with the value', async () => {
    const ticket = await begin(here, 'k');
    await there.invalidateTags(['red']);
    await here.set('k', entryOf('old', { tags: ['red'] }), ticket);
    expect(await here.get('k')).toBeUndefined();
    expect(await there.get('k')).toBeUndefined();
  });

  it('a load is refused after another process cleared it by glob meanwhile, and other loads are stored', async () => {
    const ticket = await begin(here, 'user:1');
    const kept = await begin(here, 'other');
    await there.deleteByPattern('user:*');
    await here.setMany([
      ['user:1', entryOf('old'), ticket],
      ['other', entryOf('kept'), kept],
    ]);
    expect((await there.getMany(['user:1', 'other'])).map((entry) => entry?.value)).toEqual([undefined, 'kept']);
  });

  it('a load is refused if more globs than are remembered were invalidated since it began', async () => {
    const ticket = await begin(here, 'user:1');
    const later = await begin(there, 'user:1');
    await there.deleteByPattern('user:*');
    for (let glob = 0; glob < 1_000; glob += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, index) => there.deleteByPattern(`other${glob + index}:*`)));
    }
    await here.set('user:1', entryOf('old'), ticket);
    expect(await there.get('user:1')).toBeUndefined();
    await there.set('user:1', entryOf('old'), later);
    expect(await here.get('user:1')).toBeUndefined();
  }, 20_000);

  it('the oldest of more than 10,000 tags is forgotten, and every older tagged entry is invalidated', async () => {
    const write = (key: string, ...tags: string[]) => here.set(key, entryOf(key, { tags }));
    const ticket = await begin(here, 'loaded');
    await write('before', 'quiet');
    await write('plain');
    await there.invalidateTags(['first']);
    await write('between', 'quiet');
    await there.invalidateTags(['second']);
    await write('after', 'quiet');
    await there.invalidateTags(Array.from({ length: 9_998 }, (_, index) => `tag${index}`));
    // As many tags are remembered, so none has been forgotten.
    const keys = ['before', 'between', 'after', 'plain'];
    const read = async (layer: Layer) => (await layer.getMany(keys)).map((entry) => entry?.value !== undefined);
    for (const layer of [here, there, await process()]) expect(await read(layer)).toEqual([true, true, true, true]);
    await there.invalidateTags(['one too many']);
    for (const layer of [here, there, await process()]) expect(await read(layer)).toEqual([false, true, true, true]);
    await there.invalidateTags(['and another']);
    for (const layer of [here, there, await process()]) expect(await read(layer)).toEqual([false, false, true, true]);
    await here.set('loaded', entryOf('old', { tags: ['quiet'] }), ticket);
    expect(await there.get('loaded')).toBeUndefined();
    await here.set('loaded', entryOf('new', { tags: ['quiet'] }), await begin(here, 'loaded'));
    expect((await there.get('loaded'))?.value).toBe('new');
  });

  it('a load is refused if another process set a value meanwhile', async () => {
    const ticket = await begin(here, 'k');
    await there.set('k', entryOf('set'));
    await here.set('k', entryOf('loaded'), ticket);
    expect((await here.get('k'))?.value).toBe('set');
  });

  it.each([
    ['ahead', 600],
    ['behind', -600],
  ])('a set keeps its place in the order after the clock of its process moved %s', async (_, ms) => {
    let moved = 0;
    const clock: Clock = { now: () => systemClock.now() + moved, after: systemClock.after };
    const mover = await process(clock);
    const entry = (value: unknown, tag: string) => entryOf(value, { tags: [tag] });
    const running = await begin(there, 'k');
    moved = ms;
    await mover.set('k', entry('set', 'red'));
    await mover.setMany([
      ['a', entry(1, 'red')],
      ['b', entry(2, 'blue')],
    ]);
    await there.set('k', entryOf('loaded'), running);
    expect((await there.getMany(['k', 'a', 'b'])).map((found) => found?.value)).toEqual(['set', 1, 2]);
    await there.invalidateTags(['red']);
    expect((await here.getMany(['k', 'a', 'b'])).map((found) => found?.value)).toEqual([undefined, undefined, 2]);
    await mover.set('a', entry(3, 'red'));
    expect((await there.get('a'))?.value).toBe(3);
  });

  it('a write that waited longer than deletions are remembered is refused', async () => {
    const minutesAgo = (minutes: number) => ticketAsOf('redis', Date.now() - minutes * 60_000);
    await here.set('late', entryOf('old'), minutesAgo(11));
    await here.set('in time', entryOf('new'), minutesAgo(9));
    expect((await there.getMany(['late', 'in time'])).map((entry) => entry?.value)).toEqual([undefined, 'new']);
  });

  it('a refresh replaces the value that it refreshes', async () => {
    await here.set('k', entryOf('first'));
    const ticket = await begin(there, 'k');
    await there.set('k', entryOf('second'), ticket);
    expect((await here.get('k'))?.value).toBe('second');
  });

  it('a load that begins after an invalidation is stored', async () => {
    await there.delete('k');
    await there.invalidateTags(['red']);
    await there.deleteByPattern('*');
    const ticket = await begin(here, 'k');
    await here.set('k', entryOf('new', { tags: ['red'] }), ticket);
    expect((await there.get('k'))?.value).toBe('new');
  });

  it('a tag that one process adds is visible to the other at once', async () => {
    await here.setMany([
      ['a', entryOf(1, { tags: ['red'] })],
      ['b', entryOf(2, { tags: ['red', 'blue'] })],
      ['c', entryOf(3, { tags: ['blue'] })],
    ]);
    await there.invalidateTags(['red']);
    expect((await here.getMany(['a', 'b', 'c'])).map((entry) => entry?.value)).toEqual([undefined, undefined, 3]);
  });

  it('two processes agree on expiry times although their clocks differ by a minute', async () => {
    const late: Clock = { now: () => systemClock.now() - 60_000, after: systemClock.after };
    const other = await process(late);
    await other.set('k', entryOf('v', { ttl: 30_000, clock: late }));
    const read = await here.get('k');
    expect(read?.value).toBe('v');
    expect(Math.abs(read!.freshUntil - systemClock.now() - 30_000)).toBeLessThan(500);
    await here.set('mine', entryOf('v', { ttl: 30_000 }));
    expect(Math.abs((await other.get('mine'))!.freshUntil - late.now() - 30_000)).toBeLessThan(500);
  });

  it('a lock is held by one process at a time, can be renewed and lost, and is released by its owner only', async () => {
    const first = await here.coordination!.acquire('load', 5_000);
    expect(await there.coordination!.acquire('load', 5_000)).toBeUndefined();
    expect(await first!.renew(5_000)).toBe(true);
    await first!.release();
    const second = await there.coordination!.acquire('load', 20);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await second!.renew(5_000)).toBe(false);
    const third = await here.coordination!.acquire('load', 5_000);
    await second!.release();
    expect(await there.coordination!.acquire('load', 5_000)).toBeUndefined();
    await third!.release();
  });

  it('a message reaches the other process and not its sender; one turn sends one message', async () => {
    const heard: unknown[] = [];
    const own: unknown[] = [];
    await there.coordination!.subscribe({
      onMessage: (message) => heard.push(message),
      onGap: () => heard.push('gap'),
    });
    await here.coordination!.subscribe({ onMessage: (message) => own.push(message), onGap: () => own.push('gap') });
    await Promise.all([
      here.coordination!.publish({ keys: ['a'] }),
      here.coordination!.publish({ keys: ['b'], tags: ['red'] }),
      here.coordination!.publish({ patterns: ['c*'] }),
    ]);
    const until = Date.now() + 2_000;
    while (heard.length === 0 && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(heard).toEqual([expect.objectContaining({ keys: ['a', 'b'], tags: ['red'], patterns: ['c*'] })]);
    expect(own).toEqual([]);
  });
});

describe('messages over a connection that is lost', () => {
  it('a lost connection reports a gap, and unsent messages are sent after it', async () => {
    const own = await RedisServer.start();
    const make = () => redisLayer({ url: own.url, deadline: 200 }).create(layerContext('bus'));
    const here = make();
    const there = make();
    const heard: unknown[] = [];
    let gaps = 0;
    await Promise.all([here.connect?.(), there.connect?.()]);
    await there.coordination!.subscribe({ onMessage: (message) => heard.push(message), onGap: () => gaps++ });
    await own.kill();
    await expect(here.coordination!.publish({ keys: ['k'] })).rejects.toThrow();
    await own.up();
    const until = Date.now() + 8_000;
    while ((heard.length === 0 || gaps === 0) && Date.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(gaps).toBe(1);
    // The message may have come before the new subscription: then the gap is reported.
    await here.disconnect();
    await there.disconnect();
    await own.dispose();
  }, 15_000);
});

describe('a set that reaches one server too late', () => {
  const processes = new LayerProcesses(() => ({ url: places.server.url }));

  it.each([
    ['a deletion', undefined, (there: Layer) => there.delete('k')],
    ['a set', 'newer', (there: Layer) => there.set('k', entryOf('newer'))],
    ['an invalidation of its tag', undefined, (there: Layer) => there.invalidateTags(['red'])],
    ['an invalidation by glob', undefined, (there: Layer) => there.deleteByPattern('k*')],
  ])('is refused after %s', async (_, left, change) => {
    let moved = 0;
    const late = await processes.start({ now: () => systemClock.now() - moved, after: systemClock.after });
    await late.set('other', entryOf(1));
    await change(processes.there);
    // Longer ago than its deadline.
    moved = 5_000;
    await expect(async () => late.set('k', entryOf('late', { tags: ['red'] }))).rejects.toThrow();
    expect((await processes.here.get('k'))?.value).toBe(left);
  });
});
