import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { mkdtemp, mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { envelopeIn } from '../../lib/cache/invalidation/bus-message.js';
import { MissReason, Outcome } from '../../lib/cache/base/observer.js';
import {
  createObservedCache,
  keyvLayer,
  legacyStoreLayer,
  memoryLayer,
  type ObservedCache,
  redisLayer,
} from '../../lib/index.js';
import { createCacheMetrics } from '../../lib/insight/create-cache-metrics.js';
import { DumpFault } from '../../lib/metrics/dumps/dump-bytes.js';
import { WINDOWS } from '../../lib/metrics/snapshot.js';
import { FileStore } from '../../lib/persistence/file-store.js';
import { forgedRecord, graphText } from '../support/forged-records.js';
import { ManualClock } from '../support/manual-clock.js';
import { RedisServer } from '../support/redis.js';

type Client = Awaited<ReturnType<RedisServer['client']>>;

describe('a metrics dump from an untrusted source', () => {
  async function counted() {
    const clock = new ManualClock();
    const { observer, metrics } = createCacheMetrics({ clock });
    observer.attach([{ name: 'memory', shared: false }]);
    for (let step = 0; step < 60; step++) {
      const pattern = observer.series(`p${step % 3}:*`, 'GET /x');
      for (let ms = 1; ms < 200; ms *= 3) observer.access(pattern, Outcome.miss, 0, ms, ms, MissReason.cold);
      await clock.advance(step % 10 === 0 ? 400_000 : 7_000);
    }
    return { clock, metrics, dump: Buffer.from(metrics.dump()) };
  }

  /** As an attacker would write it: with a valid checksum. */
  function sealed(dump: Buffer): Buffer {
    dump.writeUInt32BE(crc32(dump.subarray(8)), 4);
    return dump;
  }

  it('an untrusted metrics dump is refused, or contains finite figures of valid places', async () => {
    const { metrics, dump } = await counted();
    const change = fc.record({ at: fc.nat(), bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }) });
    let read = 0;
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const forged = Buffer.from(dump);
        for (const { at, bytes } of changes) forged.set(bytes, 60 + (at % (forged.length - 80)));
        let other;
        try {
          other = metrics.other(sealed(forged));
        } catch (error) {
          expect(error).toBeInstanceOf(DumpFault);
          return;
        }
        read++;
        const fleet = metrics.together([other]);
        for (const window of WINDOWS) {
          expect(Object.values(fleet.getStats(window)).filter((figure) => typeof figure === 'number')).not.toContain(
            NaN,
          );
          for (const pattern of fleet.getAllPatternStats(window))
            expect(pattern.totalRequests).toBeGreaterThanOrEqual(0);
        }
      }),
      { numRuns: 600 },
    );
    expect(read).toBeGreaterThan(0);
  });

  it("an untrusted metrics dump is refused if a number would take a reader's loop beyond the figures", async () => {
    const { metrics, dump } = await counted();
    const huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    const refused: number[] = [];
    // Layout, time and layers come first: from here on every number is a length, a place or a time.
    for (let at = 90; at < dump.length - huge.length; at += 3) {
      const forged = Buffer.from(dump);
      forged.set(huge, at);
      try {
        metrics.together([metrics.other(sealed(forged))]).getStats('24h');
      } catch (error) {
        expect(error).toBeInstanceOf(DumpFault);
        refused.push(at);
      }
    }
    expect(refused.length).toBeGreaterThan(dump.length / 10);
  });

  it('an untrusted metrics dump is refused with more patterns than the limit', () => {
    const clock = new ManualClock();
    const { observer, metrics } = createCacheMetrics({ clock, metrics: { maxPatterns: 20_000 } });
    for (let at = 0; at < 10_001; at++) observer.series(`p${at}:*`);
    expect(() => metrics.dump()).toThrow('maxPatterns');
  });
});

describe('a file of metrics', () => {
  it('a file of metrics is not read if it is too large or not a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'metrics-'));
    try {
      const [large, directory, good] = ['large', 'directory', 'good'].map((name) => join(folder, name)) as [
        string,
        string,
        string,
      ];
      await writeFile(large, '');
      await truncate(large, 3 * 1024 ** 3);
      await mkdir(directory);
      await writeFile(good, 'x');
      await expect(new FileStore(large).read()).rejects.toThrow(DumpFault);
      await expect(new FileStore(directory).read()).rejects.toThrow(DumpFault);
      await expect(new FileStore('/dev/zero').read()).rejects.toThrow(DumpFault);
      expect(await new FileStore(good).read()).toHaveLength(1);
      expect(await new FileStore(join(folder, 'none')).read()).toBeUndefined();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('a bus message from an untrusted source', () => {
  const names = fc.oneof(fc.array(fc.string()), fc.anything());

  it('an untrusted bus message is parsed to names only, or ignored', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc
            .record(
              { from: fc.anything(), keys: names, patterns: names, tags: names, all: fc.anything() },
              { requiredKeys: [] },
            )
            .map(
              (message) =>
                JSON.stringify(message, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)) ??
                '',
            ),
        ),
        (text) => {
          const message = envelopeIn(text);
          if (message === undefined) return;
          expect(typeof message.from).toBe('string');
          for (const list of [message.keys, message.patterns, message.tags])
            expect((list ?? []).every((name) => typeof name === 'string')).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each([
    ['more names than can be looked for', { keys: Array.from({ length: 10_001 }, String) }],
    ['more globs than can be matched', { patterns: Array.from({ length: 101 }, (_, at) => `a${at}*`) }],
    ['a glob that is longer than a key', { patterns: ['*a'.repeat(5_000)] }],
  ])('an untrusted bus message with %s invalidates everything', (_, message) => {
    expect(envelopeIn(JSON.stringify({ from: 'x', ...message }))).toEqual({ from: 'x', all: true });
  });

  it('an untrusted bus message is ignored if it is too long or nested too deeply', () => {
    expect(envelopeIn(JSON.stringify({ from: 'x', keys: ['y'.repeat(9_000_000)] }))).toBeUndefined();
    expect(envelopeIn(`{"from":"x","keys":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)).toBeUndefined();
  });
});

describe('keys in Redis that another program wrote', () => {
  let server: RedisServer;
  let client: Client;
  let cache: ObservedCache;
  let namespace: string;
  let namespaces = 0;
  beforeAll(async () => {
    server = await RedisServer.start();
    client = await server.client();
  });
  afterAll(() => server.dispose());
  beforeEach(() => {
    namespace = `hostile${++namespaces}`;
  });

  const layers = () => [memoryLayer(), redisLayer({ url: server.url })];
  async function started(): Promise<ObservedCache> {
    cache = createObservedCache({ layers: layers(), namespace });
    await cache.connect();
    return cache;
  }
  const undecodable = () => {
    const family = [...cache.metrics.families()].find(({ name }) => name === 'cache_layer_undecodable_total');
    return [...(family?.points() ?? [])].reduce((sum, { value }) => sum + (value ?? 0), 0);
  };

  it('foreign keys in Redis do not affect 100 good keys of the same turn; they are counted and replaced', async () => {
    const writer = createObservedCache({ layers: [redisLayer({ url: server.url })], namespace });
    await writer.connect();
    const good = Array.from({ length: 100 }, (_, at) => `good:${at}`);
    await writer.mset(good.map((key) => ({ key, value: { key } })));
    await writer.disconnect();
    const bad: Record<string, string | Buffer> = {
      text: 'hello',
      empty: '',
      tags: forgedRecord({ flags: 6, body: '[7,0,1]' }),
      deep: forgedRecord({ body: '['.repeat(100_000) + ']'.repeat(100_000) }),
      bomb: forgedRecord({ format: 0xb9, body: '0'.repeat(50_000_000) }),
      graph: forgedRecord({ format: 0xb4, body: graphText('["!v","Buffer",4294967295]') }),
      instance: forgedRecord({ format: 0xb4, body: graphText('["!i",7,{}]') }),
      time: forgedRecord({ fresh: NaN }),
    };
    for (const [name, bytes] of Object.entries(bad)) await client.set(`${namespace}:bad:${name}`, bytes);
    await client.rPush(`${namespace}:bad:list`, 'x');
    await started();
    const keys = [...Object.keys(bad), 'list'].map((name) => `bad:${name}`);
    const [alone, together] = [
      await Promise.all([...good, ...keys].map((key) => cache.get(key))),
      await cache.mget([...good, ...keys]),
    ];
    for (const values of [alone, together]) {
      expect(values.slice(0, 100)).toEqual(good.map((key) => ({ key })));
      expect(values.slice(100)).toEqual(keys.map(() => undefined));
    }
    expect(undecodable()).toBeGreaterThanOrEqual(Object.keys(bad).length);
    expect(await cache.getOrSetMany([...keys, ...good], (missing) => missing)).toEqual([
      ...keys,
      ...good.map((key) => ({ key })),
    ]);
    await cache.set('bad:tags', 'good');
    await cache.disconnect();
    await started();
    expect(await cache.get('bad:tags')).toBe('good');
    expect(cache.layers[1]!.status().circuitState).toBe(0);
    await cache.disconnect();
  });

  it('foreign messages on our channel are ignored, and later messages are received', async () => {
    await started();
    const writer = createObservedCache({ layers: layers(), namespace });
    await writer.connect();
    await cache.set('a', 1);
    for (const text of [
      '',
      'x',
      '7',
      'null',
      '[]',
      '{"from":1}',
      '{"from":"x","keys":7}',
      '{"from":"x","patterns":[7]}',
      '['.repeat(100_000),
    ]) {
      await client.publish(`${namespace}:~bus`, text);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(cache.peek('a')).toBe(1);
    await writer.set('a', 2);
    for (let turn = 0; turn < 200 && cache.peek('a') === 1; turn++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await cache.get('a')).toBe(2);
    await Promise.all([cache.disconnect(), writer.disconnect()]);
  });

  it('foreign notes of the fleet are ignored, and the next note is stored', async () => {
    await started();
    const sharedMap = cache.layers[1]!.sharedMap!('fleet');
    const at = `${namespace}:~{${namespace}}state:sharedMap:fleet`;
    await client.set(at, 'not a set');
    expect(await sharedMap.readAll()).toEqual(new Map());
    await sharedMap.publish('one', Buffer.from('1'), 60_000);
    await client.sAdd(at, ['list', 'large']);
    await client.rPush(`${at}:list`, 'x');
    await client.setRange(`${at}:large`, 17 * 1024 * 1024, 'x');
    expect([...(await sharedMap.readAll()).keys()]).toEqual(['one']);
    expect(await sharedMap.read('list')).toBeUndefined();
    await expect(sharedMap.read('large')).rejects.toThrow('too long');
    await cache.disconnect();
  });

  it('a foreign lock delays a load by at most half of its hardTimeout', async () => {
    await started();
    await client.rPush(`${namespace}:~lock:load:a`, 'x');
    expect(await cache.getOrSet('a', () => 'loaded', { lock: true, hardTimeout: 400 })).toBe('loaded');
    await cache.disconnect();
  });
});

describe.each([
  ['keyv', (map: Map<string, unknown>) => keyvLayer(map as never)],
  [
    'legacy',
    (map: Map<string, unknown>) =>
      legacyStoreLayer({
        get: async (key: string) => map.get(key),
        set: async (key: string, value: never) => void map.set(key, value),
        del: async (key: string) => void map.delete(key),
      }),
  ],
])('an untrusted %s store', (_, layer) => {
  it('a store misses untrusted values and reads its own values', async () => {
    const map = new Map<string, unknown>();
    const cache = createObservedCache({ layers: [layer(map)], namespace: 'ns' });
    await cache.connect();
    await cache.set('good', { a: 1 });
    const hostile: unknown[] = [
      'j',
      'b',
      'jxx',
      'x'.repeat(100),
      7,
      {},
      [],
      'b' + 'A'.repeat(200),
      null,
      Buffer.from('x'),
      true,
    ];
    hostile.forEach((value, at) => map.set(`ns:bad${at}`, value));
    map.set(
      'ns:~globs',
      JSON.stringify([['x', 7], [1], null, 'y', [1e300, '*'], [NaN, '*'], [9e15, '*'], [1, '*a'.repeat(9_999)]]),
    );
    map.set('ns:~tag:t', 'Infinity');
    const keys = ['good', ...hostile.map((_value, at) => `bad${at}`)];
    expect(await cache.mget(keys)).toEqual([{ a: 1 }, ...hostile.map(() => undefined)]);
    await cache.setMany([{ key: 'tagged', value: 1, tags: ['t'] }]);
    expect(await cache.get('tagged')).toBe(1);
    await cache.disconnect();
  });
});
