import 'reflect-metadata';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { Coordination } from '../../../lib/cache/layers/layer.js';
import { CacheWarmer } from '../../../lib/warming/cache-warmer.js';
import { WarmingStrategy, type WarmingEntry } from '../../../lib/warming/strategy.js';
import { StrategyRegistry } from '../../../lib/warming/strategy-registry.js';
import type { WarmingProgress } from '../../../lib/warming/warming-report.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { FakeTarget } from './fake-target.js';

const log = { log: jest.fn(), warn: jest.fn() };

beforeEach(() => {
  log.log.mockReset();
  log.warn.mockReset();
  Logger.overrideLogger({ ...log, error: jest.fn(), debug: jest.fn(), verbose: jest.fn() });
});
afterEach(() => Logger.overrideLogger(true));

function make(options: ConstructorParameters<typeof CacheWarmer>[2] = {}, coordination?: Coordination) {
  const target = new FakeTarget(coordination);
  const clock = new ManualClock();
  const warmer = new CacheWarmer(target, new StrategyRegistry(), options, clock);
  const yields = (name: string, entries: Iterable<unknown> | AsyncIterable<unknown>, more = {}) =>
    warmer.register({ entries: () => entries as Iterable<WarmingEntry> }, { name, ...more });
  return { target, clock, warmer, yields };
}

const numbered = (count: number, prefix = 'k') =>
  Array.from({ length: count }, (_, i) => ({ key: `${prefix}${i}`, value: i }));

/** Settles pending work, then advances the clock. */
async function turn(clock: ManualClock, ms: number): Promise<void> {
  await settle();
  await clock.advance(ms);
}

/** A load that the test ends. */
function gate() {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, opened };
}

describe('a warming run', () => {
  it('a warming run is remembered until a hundred later ones exist', async () => {
    const { warmer, yields } = make();
    yields('values', numbered(1));
    const runs = [];
    for (let run = 0; run < 101; run++) {
      const { id, done } = warmer.start();
      await done;
      runs.push(id);
    }
    expect(warmer.getReport(runs[0]!)).toBeUndefined();
    expect(warmer.getReport(runs[1]!)).toMatchObject({ id: runs[1], status: 'completed' });
  });

  it('a warming run writes the entries of its strategies and reports it', async () => {
    const { warmer, target, yields } = make();
    yields('values', numbered(3));
    yields('loads', [{ key: 'l', load: () => 'loaded', ttl: '5m', tags: ['t'] }]);
    const report = await warmer.warmAll();
    expect(report).toMatchObject({
      status: 'completed',
      trigger: 'manual',
      keysWarmed: 4,
      keysSkipped: 0,
      keysFailed: 0,
      bytes: 40,
    });
    expect(report.strategies.map(({ strategy, result, keysWarmed }) => [strategy, result, keysWarmed])).toEqual([
      ['values', 'ok', 3],
      ['loads', 'ok', 1],
    ]);
    expect(target.values.get('l')).toEqual({ key: 'l', value: 'loaded', ttl: '5m', tags: ['t'] });
  });

  it('a warming run writes a hundred entries in one batch, and checks their freshness in one read', async () => {
    const { warmer, target, yields } = make();
    yields('values', numbered(250));
    await warmer.warmAll();
    expect(target.batches.map(({ length }) => length)).toEqual([100, 100, 50]);
    expect(target.freshnessQuestions.map(({ length }) => length)).toEqual([100, 100, 50]);
  });

  it('a warming run neither loads nor writes fresh entries', async () => {
    const { warmer, target, yields } = make();
    await target.setMany([{ key: 'a', value: 'kept' }]);
    const load = jest.fn(() => 'new');
    yields('s', [
      { key: 'a', load },
      { key: 'b', load },
    ]);
    const report = await warmer.warmAll();
    expect(report).toMatchObject({ keysWarmed: 1, keysSkipped: 1 });
    expect(load).toHaveBeenCalledTimes(1);
    expect(target.values.get('a')?.value).toBe('kept');
  });

  it('a warming run applies the ttl of the strategy to entries without one', async () => {
    const { warmer, target, yields } = make();
    yields(
      's',
      [
        { key: 'a', value: 1 },
        { key: 'b', value: 2, ttl: 7 },
      ],
      { ttl: '10m' },
    );
    await warmer.warmAll();
    expect([target.values.get('a')?.ttl, target.values.get('b')?.ttl]).toEqual(['10m', 7]);
  });

  it('a warming run loads no more entries concurrently than allowed', async () => {
    const { warmer, yields } = make({ concurrency: 3 });
    let running = 0;
    let most = 0;
    const load = async () => {
      most = Math.max(most, ++running);
      await settle();
      running--;
      return 1;
    };
    yields(
      'one',
      Array.from({ length: 10 }, (_, i) => ({ key: `a${i}`, load })),
    );
    yields(
      'two',
      Array.from({ length: 10 }, (_, i) => ({ key: `b${i}`, load })),
    );
    expect(await warmer.warmAll()).toMatchObject({ keysWarmed: 20 });
    expect(most).toBe(3);
  });

  it("a warming run uses a strategy's own concurrency", async () => {
    const { warmer, yields, clock } = make({ concurrency: 4 });
    let most = 0;
    let running = 0;
    const { open, opened } = gate();
    const load = async () => {
      most = Math.max(most, ++running);
      await opened;
      running--;
      return 1;
    };
    yields(
      's',
      Array.from({ length: 5 }, (_, i) => ({ key: `a${i}`, load })),
      { concurrency: 1 },
    );
    const done = warmer.warmAll();
    await turn(clock, 100);
    expect(most).toBe(1);
    open();
    await done;
    expect(most).toBe(1);
  });

  it('a warming run begins with the highest priority', async () => {
    const { warmer } = make({ concurrency: 1 });
    const order: string[] = [];
    for (const [name, priority] of [
      ['low', -1],
      ['middle', undefined],
      ['high', 5],
    ] as const) {
      warmer.register({ entries: () => (order.push(name), []) }, { name, priority });
    }
    await warmer.warmAll();
    expect(order).toEqual(['high', 'middle', 'low']);
  });

  it('a warming run reads no more from an endless strategy than its limit', async () => {
    const { warmer, yields, clock } = make({ concurrency: 2 });
    let asked = 0;
    const { opened } = gate();
    function* endless() {
      for (;;) yield { key: `k${asked++}`, load: () => opened };
    }
    yields('endless', endless());
    const { id } = warmer.start();
    await turn(clock, 1000);
    expect(asked).toBeGreaterThan(100);
    expect(asked).toBeLessThanOrEqual(201);
    expect(warmer.getReport(id)).toMatchObject({ status: 'running', keysWarmed: 0 });
    await warmer.onModuleDestroy();
  });

  it('a warming run writes slow entries without waiting for a full batch', async () => {
    const { warmer, target, clock, yields } = make();
    const { open, opened } = gate();
    async function* slow() {
      yield { key: 'first', value: 1 };
      await opened;
      yield { key: 'second', value: 2 };
    }
    yields('slow', slow());
    const { done } = warmer.start();
    await turn(clock, 100);
    expect(target.batches).toEqual([['first']]);
    open();
    expect(await done).toMatchObject({ keysWarmed: 2 });
  });
});

describe('a faulty strategy', () => {
  const garbage: [string, unknown][] = [
    ['undefined', undefined],
    ['null', null],
    ['a number', 42],
    ['a text', 'key'],
    ['no key', { value: 1 }],
    ['an empty key', { key: '', value: 1 }],
    ['a key that is not text', { key: 7, value: 1 }],
    ['neither value nor load', { key: 'k' }],
    ['both value and load', { key: 'k', value: 1, load: () => 1 }],
    ['a load that is not a function', { key: 'k', load: 'later' }],
    ['an invalid ttl', { key: 'k', value: 1, ttl: 'soon' }],
    ['a negative ttl', { key: 'k', value: 1, ttl: -5 }],
    ['tags that are not a list', { key: 'k', value: 1, tags: 'a' }],
    [
      'an entry whose key throws when it is read',
      {
        get key() {
          throw new Error('no');
        },
      },
    ],
  ];

  it.each(garbage)('a strategy with %s has one failed entry and continues', async (_, yielded) => {
    const { warmer, target, yields } = make();
    yields('s', [{ key: 'before', value: 1 }, yielded, { key: 'after', value: 2 }]);
    const report = await warmer.warmAll();
    expect(report.strategies[0]).toMatchObject({ result: 'partial', keysWarmed: 2, keysFailed: 1 });
    expect(report.strategies[0]?.errors).toMatchObject([{ code: 'INVALID_WARMING_ENTRY', count: 1 }]);
    expect([...target.values.keys()]).toEqual(['before', 'after']);
  });

  it('a strategy with a failed load counts it by kind and without its key', async () => {
    const { warmer, yields } = make();
    yields(
      's',
      ['a-secret', 'b-secret'].map((key) => ({ key, load: () => Promise.reject(new Error(`no row for ${key}`)) })),
    );
    const { strategies } = await warmer.warmAll();
    expect(strategies[0]).toMatchObject({ result: 'failed', keysFailed: 2, keysWarmed: 0 });
    expect(strategies[0]?.errors).toEqual([
      { code: 'WARMING_LOAD_FAILED', message: expect.stringMatching(/^Error at /), count: 2 },
    ]);
  });

  it('a faulty strategy has ten kinds of failure at most, and counts all', async () => {
    const { warmer, yields } = make();
    yields(
      's',
      Array.from({ length: 30 }, (_, i) => ({
        key: `k${i}`,
        load: () => Promise.reject(Object.assign(new Error(`kind ${i}.`), { code: `E${i}` })),
      })),
    );
    const { strategies } = await warmer.warmAll();
    expect(strategies[0]?.errors).toHaveLength(10);
    expect(strategies[0]?.keysFailed).toBe(30);
  });

  it('a faulty strategy has the code with which the cache refused a value', async () => {
    const { warmer, target, yields } = make();
    target.rejecting.add('k1');
    yields('s', numbered(3));
    const { strategies } = await warmer.warmAll();
    expect(strategies[0]).toMatchObject({ keysWarmed: 2, keysFailed: 1, errors: [{ code: 'VALUE_NOT_SERIALIZABLE' }] });
  });

  it('a faulty strategy stops no other strategy', async () => {
    const { warmer, yields } = make();
    warmer.register(
      {
        entries: () => {
          throw new Error('no database');
        },
      },
      { name: 'broken' },
    );
    yields('fine', numbered(2));
    const report = await warmer.warmAll();
    expect(report.status).toBe('completed');
    expect(report.strategies).toMatchObject([
      {
        strategy: 'broken',
        result: 'failed',
        errors: [{ code: 'WARMING_STRATEGY_FAILED', message: expect.stringMatching(/^Error at /) }],
      },
      { strategy: 'fine', result: 'ok', keysWarmed: 2 },
    ]);
  });

  it('a strategy that throws keeps the entries from before', async () => {
    const { warmer, target, yields } = make();
    function* breaks() {
      yield { key: 'a', value: 1 };
      throw new Error('half way');
    }
    yields('breaks', breaks());
    const { strategies } = await warmer.warmAll();
    expect(strategies[0]).toMatchObject({ result: 'partial', keysWarmed: 1 });
    expect(target.values.has('a')).toBe(true);
  });

  it.each([
    ['nothing', undefined],
    ['a text', 'keys'],
    ['an object', {}],
  ])('a strategy is reported if entries() returns %s', async (_, entries) => {
    const { warmer } = make();
    warmer.register({ entries: () => entries as never }, { name: 's' });
    expect((await warmer.warmAll()).strategies[0]).toMatchObject({
      result: 'failed',
      errors: [{ code: 'INVALID_WARMING_ENTRY' }],
    });
  });

  it('a strategy loses a load that hangs after thirty seconds', async () => {
    const { warmer, clock, yields } = make({ concurrency: 1 });
    yields('s', [
      { key: 'hangs', load: () => new Promise(() => undefined) },
      { key: 'fine', load: () => 1 },
    ]);
    const { done } = warmer.start();
    await turn(clock, 31_000);
    expect(await done).toMatchObject({
      keysWarmed: 1,
      keysFailed: 1,
      strategies: [{ errors: [{ code: 'LOAD_TIMEOUT' }] }],
    });
  });

  it('a strategy ends if it yields nothing for five minutes', async () => {
    const { warmer, clock, yields } = make();
    yields('silent', { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) });
    const { done } = warmer.start();
    await turn(clock, 301_000);
    expect(await done).toMatchObject({ strategies: [{ result: 'failed', errors: [{ code: 'WARMING_ABORTED' }] }] });
  });

  it('a strategy warms everything if the freshness cannot be read', async () => {
    const { warmer, target, yields } = make();
    target.freshKeys = () => Promise.reject(new Error('down'));
    yields('s', numbered(2));
    expect(await warmer.warmAll()).toMatchObject({ keysWarmed: 2, keysFailed: 0 });
  });

  it('a strategy counts a batch that could not be written', async () => {
    const { warmer, target, yields } = make();
    target.setMany = () => Promise.reject(new Error('closed'));
    yields('s', numbered(3));
    expect(await warmer.warmAll()).toMatchObject({ keysWarmed: 0, keysFailed: 3 });
  });
});

describe('the timeout of a strategy', () => {
  it('the timeout of a strategy ends the strategy, keeps its entries and closes its generator', async () => {
    const { warmer, target, clock, yields } = make();
    let closed = false;
    let aborted: AbortSignal | undefined;
    async function* entries() {
      try {
        yield { key: 'a', value: 1 };
        yield { key: 'hangs', load: (signal: AbortSignal) => ((aborted = signal), new Promise(() => undefined)) };
        for (;;) {
          yield { key: 'b', value: 2 };
          await settle();
        }
      } finally {
        closed = true;
      }
    }
    yields('slow', entries(), { timeout: '2s' });
    yields('other', numbered(1));
    const { done } = warmer.start();
    await turn(clock, 3_000);
    const report = await done;
    expect(report.strategies.map(({ result }) => result)).toEqual(['timeout', 'ok']);
    expect(target.values.has('a')).toBe(true);
    expect(aborted?.aborted).toBe(true);
    expect(closed).toBe(true);
    expect(clock.pending).toBe(0);
  });
});

describe('an overlapping run', () => {
  it('an overlapping run joins the strategy that already runs', async () => {
    const { warmer, clock } = make();
    const { open, opened } = gate();
    const entries = jest.fn(() => [{ key: 'k', load: () => opened.then(() => 1) }]);
    warmer.register({ entries }, { name: 'shared' });
    warmer.register({ entries: () => [] }, { name: 'other' });
    const first = warmer.start('shared');
    await turn(clock, 20);
    const second = warmer.start(['shared', 'other']);
    open();
    const reports = await Promise.all([first.done, second.done]);
    expect(entries).toHaveBeenCalledTimes(1);
    expect(reports.map(({ keysWarmed }) => keysWarmed)).toEqual([1, 1]);
    expect(reports[0]?.id).not.toBe(reports[1]?.id);
  });

  it('an overlapping run is the same run if it has the same strategies', async () => {
    const { warmer } = make();
    const { open, opened } = gate();
    warmer.register({ entries: () => [{ key: 'k', load: () => opened }] }, { name: 's' });
    const first = warmer.start();
    expect(warmer.start().id).toBe(first.id);
    open();
    await first.done;
    const later = warmer.start();
    expect(later.id).not.toBe(first.id);
    await later.done;
  });
});

describe('reports', () => {
  it('reports show the progress of a run, and the last hundred are kept', async () => {
    const { warmer, yields } = make();
    yields('s', numbered(1));
    const first = warmer.start();
    expect(warmer.getReport(first.id)).toMatchObject({ status: 'running', finishedAt: null });
    await first.done;
    expect(warmer.getReport(first.id)).toMatchObject({ status: 'completed', startedAt: '2023-11-14T22:13:20.000Z' });
    for (let run = 0; run < 100; run++) await warmer.warmAll();
    expect(warmer.getReport(first.id)).toBeUndefined();
    expect(warmer.getReport('nonsense')).toBeUndefined();
  });

  it('reports show later which share of the warmed entries was hit', async () => {
    const { warmer, target, yields } = make();
    yields('s', numbered(4));
    const { id } = await warmer.warmAll();
    expect(warmer.getReport(id)?.efficiency).toBe(0);
    target.hit('k0');
    target.hit('k0');
    target.hit('k1');
    expect(warmer.getReport(id)).toMatchObject({ efficiency: 0.5, strategies: [{ efficiency: 0.5 }] });
  });

  it('reports watch ten thousand keys at most', async () => {
    const { warmer, target, yields } = make();
    yields('s', numbered(10_200));
    await warmer.warmAll();
    expect(target.watched.size).toBe(10_000);
    expect(target.watched.has('k10199')).toBe(true);
  });
});

describe('running strategies by name', () => {
  it('warm() refuses an unknown strategy and lists the known strategies', async () => {
    const { warmer, yields } = make();
    yields('feeds', []);
    yields('sellers', []);
    await expect(warmer.warm('feed')).rejects.toMatchObject({
      code: 'UNKNOWN_STRATEGY',
      message: 'There is no warming strategy "feed"; there are: "feeds", "sellers".',
    });
    expect(() => warmer.start(['feeds', 'x'])).toThrow(expect.objectContaining({ code: 'UNKNOWN_STRATEGY' }));
  });

  it('warm() runs only the named strategies', async () => {
    const { warmer, target, yields } = make();
    yields('a', numbered(1, 'a'));
    yields('b', numbered(1, 'b'));
    yields('c', numbered(1, 'c'));
    await warmer.warm(['a', 'c', 'a']);
    expect([...target.values.keys()].sort()).toEqual(['a0', 'c0']);
  });
});

describe('registering', () => {
  @WarmingStrategy({ name: 'decorated', ttl: '1m' })
  class Decorated implements WarmingStrategy {
    *entries() {
      yield { key: 'd', value: 1 };
    }
  }

  it('register() accepts the options of the decorator', async () => {
    const { warmer, target } = make();
    warmer.register(new Decorated());
    expect(warmer.strategies).toEqual([{ name: 'decorated', ttl: '1m' }]);
    await warmer.warm('decorated');
    expect(target.values.get('d')?.ttl).toBe('1m');
  });

  it('register() refuses a name that is taken', () => {
    const { warmer } = make();
    warmer.register(new Decorated());
    expect(() => warmer.register(new Decorated())).toThrow(expect.objectContaining({ code: 'DUPLICATE_STRATEGY' }));
  });

  it('register() refuses invalid options and lists every fault', () => {
    const { warmer } = make();
    const entries = () => [];
    const refuse = (options: object | undefined, fault: RegExp, strategy: object = { entries }) =>
      expect(() => warmer.register(strategy as never, options as never)).toThrow(
        expect.objectContaining({ code: 'INVALID_OPTIONS', message: expect.stringMatching(fault) }),
      );
    refuse(undefined, /neither a @WarmingStrategy/);
    refuse({ name: '' }, /needs a name/);
    refuse({ name: 's' }, /needs a method entries/, {});
    refuse({ name: 's', cron: 'every day' }, /cron expression.*"every day"/);
    refuse({ name: 's', timeout: 'soon' }, /timeout: "soon" is not a duration/);
    refuse({ name: 's', concurrency: 0, priority: Number.NaN }, /priority.*; has a concurrency/);
  });
});

describe('warming without a strategy', () => {
  it('warmSpecificKey() stores one key', async () => {
    const { warmer, target } = make();
    await warmer.warmSpecificKey('product:1', { id: 1 }, 900);
    expect(target.values.get('product:1')).toEqual({ key: 'product:1', value: { id: 1 }, ttl: 900 });
  });

  it('warmSpecificKey() rejects if the cache did not store the key', async () => {
    const { warmer, target } = make();
    target.rejecting.add('k');
    await expect(warmer.warmSpecificKey('k', 1)).rejects.toMatchObject({ code: 'VALUE_NOT_SERIALIZABLE' });
  });

  it('warmBatch() writes a thousand keys in one call', async () => {
    const { warmer, target } = make();
    const data = Object.fromEntries(numbered(1000).map(({ key, value }) => [key, value]));
    expect(await warmer.warmBatch(data, '10m')).toMatchObject({ written: 1000, rejected: [] });
    expect(target.batches).toHaveLength(1);
  });
});

describe('progress', () => {
  it('progress is reported at the start, every five seconds and at the end', async () => {
    const { warmer, clock, yields } = make();
    const { open, opened } = gate();
    const received: WarmingProgress[] = [];
    const stop = warmer.onProgress((progress) => received.push(progress));
    yields('s', [
      { key: 'a', value: 1 },
      { key: 'b', load: () => opened.then(() => 1) },
    ]);
    const { id, done } = warmer.start();
    await turn(clock, 11_000);
    open();
    await done;
    expect(received.map(({ type, report }) => [type, report.result, report.keysWarmed])).toEqual([
      ['started', 'running', 0],
      ['progress', 'running', 1],
      ['progress', 'running', 1],
      ['finished', 'ok', 2],
    ]);
    expect(received.every(({ runId, trigger }) => runId === id && trigger === 'manual')).toBe(true);
    stop();
    await warmer.warmAll();
    expect(received).toHaveLength(4);
    expect(log.log).toHaveBeenCalledWith(expect.stringContaining('Warming "s" (manual)'), 'CacheWarmer');
    expect(log.log).toHaveBeenCalledWith(expect.stringContaining('ended (ok): 2 warmed'), 'CacheWarmer');
  });

  it('a progress listener that throws is removed, and stops nothing', async () => {
    const { warmer, yields } = make();
    const listener = jest.fn(() => {
      throw new Error('mine');
    });
    warmer.onProgress(listener);
    yields('s', numbered(1));
    expect(await warmer.warmAll()).toMatchObject({ keysWarmed: 1 });
    expect(listener).toHaveBeenCalledTimes(1);
  });

  it('progress is logged with the reasons of failures', async () => {
    const { warmer, yields } = make();
    yields('s', [null]);
    await warmer.warmAll();
    expect(log.warn).toHaveBeenCalledWith(
      expect.stringMatching(/failed\).*\n.*1 × INVALID_WARMING_ENTRY/),
      'CacheWarmer',
    );
  });
});

describe('a shutdown', () => {
  it('a shutdown aborts running strategies, leaves no timer and reports it', async () => {
    const { warmer, clock } = make({ concurrency: 1 });
    let signal: AbortSignal | undefined;
    const hang = (given: AbortSignal) => ((signal = given), new Promise(() => undefined));
    warmer.register(
      {
        entries: () => [
          { key: 'a', load: hang },
          { key: 'b', load: hang },
        ],
      },
      { name: 'running' },
    );
    warmer.register({ entries: () => [{ key: 'c', value: 1 }] }, { name: 'waiting' });
    const { id, done } = warmer.start();
    await turn(clock, 20);
    await warmer.onModuleDestroy();
    expect(signal?.aborted).toBe(true);
    expect((await done).status).toBe('aborted');
    expect(warmer.getReport(id)?.strategies.map(({ result }) => result)).toEqual(['aborted', 'aborted']);
    expect(clock.pending).toBe(0);
  });

  it('a shutdown aborts at once the runs that begin after it', async () => {
    const { warmer, target, yields } = make();
    yields('s', numbered(1));
    await warmer.onModuleDestroy();
    expect((await warmer.warmAll()).status).toBe('aborted');
    expect(target.batches).toEqual([]);
  });
});

describe('several replicas', () => {
  function replicas() {
    const held = new Set<string>();
    const coordination = {
      acquire: jest.fn((name: string) => {
        if (held.has(name)) return Promise.resolve(undefined);
        held.add(name);
        return Promise.resolve({
          renew: jest.fn(() => Promise.resolve(true)),
          release: () => Promise.resolve(void held.delete(name)),
        });
      }),
    } as unknown as Coordination & { acquire: jest.Mock };
    return { held, coordination };
  }

  it('several replicas warm once: one runs and the others skip', async () => {
    const { coordination, held } = replicas();
    const { open, opened } = gate();
    const one = make({}, coordination);
    const other = make({}, coordination);
    const load = jest.fn(() => opened.then(() => 1));
    for (const { yields } of [one, other]) yields('s', [{ key: 'k', load }]);
    const { done } = one.warmer.start();
    await settle();
    expect(await other.warmer.warmAll()).toMatchObject({ status: 'completed', strategies: [{ result: 'elsewhere' }] });
    open();
    expect(await done).toMatchObject({ keysWarmed: 1 });
    expect(load).toHaveBeenCalledTimes(1);
    expect(held.size).toBe(0);
  });

  it('several replicas wait for each other if a replica must be warm before it is ready', async () => {
    const { coordination, held } = replicas();
    const { warmer, clock, yields } = make({}, coordination);
    yields('s', numbered(1));
    held.add('warming:s');
    const { done } = warmer.start('s', { waitForReplica: true });
    await turn(clock, 2_000);
    held.clear();
    await turn(clock, 300);
    expect(await done).toMatchObject({ strategies: [{ result: 'ok', keysWarmed: 1 }] });
  });

  it('several replicas warm separately when the lock cannot be reached', async () => {
    const coordination = { acquire: () => Promise.reject(new Error('down')) } as unknown as Coordination;
    const { warmer, yields } = make({}, coordination);
    yields('s', numbered(1));
    expect(await warmer.warmAll()).toMatchObject({ keysWarmed: 1 });
  });

  it('several replicas renew their lease while they work and release it afterwards', async () => {
    const renew = jest.fn(() => Promise.resolve(true));
    const release = jest.fn(() => Promise.resolve());
    const coordination = { acquire: () => Promise.resolve({ renew, release }) } as unknown as Coordination;
    const { warmer, clock, yields } = make({}, coordination);
    const { open, opened } = gate();
    yields('s', [{ key: 'k', load: () => opened }]);
    const { done } = warmer.start();
    await turn(clock, 16_000);
    expect(renew).toHaveBeenCalledTimes(3);
    open();
    await done;
    expect(release).toHaveBeenCalledTimes(1);
    expect(clock.pending).toBe(0);
  });
});

describe('metric families', () => {
  it('metric families count runs, entries, time and efficiency by strategy', async () => {
    const { warmer, target, yields } = make();
    yields('good', numbered(2));
    yields('bad', [null]);
    for (const name of ['good', 'bad', 'good', 'bad']) await warmer.warm(name);
    target.hit('k0');
    await warmer.warmBatch({ x: 1 });
    const points = Object.fromEntries(
      [...warmer.metrics.families()].map(({ name, points }) => [
        name,
        [...points()].map(({ labels, value, histogram }) => [...labels, value ?? histogram?.count]),
      ]),
    );
    expect(points).toEqual({
      cache_warming_runs_total: [
        ['good', 'ok', 2],
        ['bad', 'failed', 2],
      ],
      cache_warmed_entries_total: [
        ['good', 2],
        ['bad', 0],
        ['direct', 1],
      ],
      cache_warming_duration_seconds: [
        ['good', 2],
        ['bad', 2],
      ],
      cache_warming_efficiency_ratio: [
        ['good', 0.5],
        ['direct', 0],
      ],
    });
  });
});
