import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheLog } from '../../../lib/cache/base/cache-log.js';
import { CacheError } from '../../../lib/cache/base/errors.js';
import { reported } from '../../../lib/cache/base/reported-errors.js';
import { FileStore } from '../../../lib/persistence/file-store.js';
import type { MetricsStore } from '../../../lib/persistence/metrics-store.js';
import { Persistence } from '../../../lib/persistence/persistence.js';
import { ShutdownBudget } from '../../../lib/cache/base/shutdown-budget.js';
import { ManualClock } from '../../support/manual-clock.js';

class MemoryStore implements MetricsStore {
  readonly description = 'memory';
  kept: Uint8Array | undefined;
  writes = 0;
  /** What every operation fails with. */
  failure: Error | undefined;
  hangs = false;
  async read(): Promise<Uint8Array | undefined> {
    await this.#gate();
    return this.kept;
  }
  async write(dump: Uint8Array): Promise<void> {
    this.writes++;
    await this.#gate();
    this.kept = dump;
  }
  async #gate(): Promise<void> {
    if (this.hangs) await new Promise(() => undefined);
    if (this.failure !== undefined) throw this.failure;
  }
}

describe('persistence', () => {
  let clock: ManualClock;
  let store: MemoryStore;
  let codes: string[];
  let messages: string[];
  let restored: number[];
  const log: CacheLog = (_level, code, message) => {
    codes.push(code);
    messages.push(message);
  };
  beforeEach(() => {
    clock = new ManualClock();
    store = new MemoryStore();
    codes = [];
    messages = [];
    restored = [];
  });

  const begin = (count = 1, on: MetricsStore | undefined = store) =>
    new Persistence({
      shutdown: new ShutdownBudget(clock),
      metrics: {
        collectDump: () => Promise.resolve(Uint8Array.from([count])),
        restore: ([first]) => {
          if (first === 99) throw new Error('of another version');
          restored.push(first!);
        },
      },
      store: on,
      clock,
      log,
    });

  it('persistence writes every 30 seconds and at the end, and restores the written metrics', async () => {
    const first = begin(7);
    await first.onModuleInit();
    expect(first.restored).toBe(false);
    await clock.advance(60_000);
    expect(store.writes).toBe(2);
    await first.onApplicationShutdown();
    expect(store.writes).toBe(3);
    await clock.advance(60_000);
    expect([store.writes, clock.pending]).toEqual([3, 0]);
    const second = begin(8);
    await second.onModuleInit();
    expect([restored, second.restored]).toEqual([[7], true]);
  });

  it('persistence ignores an invalid dump, logs it once, and overwrites it', async () => {
    store.kept = Uint8Array.from([99]);
    const next = begin(5);
    await next.onModuleInit();
    expect([codes, restored, next.restored]).toEqual([['METRICS_NOT_RESTORED'], [], false]);
    await next.onApplicationShutdown();
    expect([...store.kept]).toEqual([5]);
  });

  it('persistence starts and stops in time if the store does not respond', async () => {
    store.hangs = true;
    const one = begin();
    const started = one.onModuleInit();
    await clock.advance(3_000);
    await started;
    const ended = one.onApplicationShutdown();
    await clock.advance(2_000);
    await ended;
    expect(codes).toEqual(['METRICS_NOT_RESTORED']);
  });

  it('persistence logs once that it cannot write, retries, and logs when it can again', async () => {
    const one = begin();
    await one.onModuleInit();
    store.failure = new Error('away');
    await clock.advance(90_000);
    expect([store.writes, codes]).toEqual([3, ['METRICS_NOT_STORED']]);
    store.failure = undefined;
    await clock.advance(30_000);
    expect(codes).toEqual(['METRICS_NOT_STORED', 'METRICS_STORED']);
  });

  it('persistence says at the end that figures are lost, not that it retries', async () => {
    const one = begin();
    await one.onModuleInit();
    store.failure = new Error('away');
    await one.onApplicationShutdown();
    expect(codes).toEqual(['METRICS_NOT_STORED']);
    expect(messages[0]).toMatch(/lost/);
    expect(messages[0]).not.toMatch(/tried again/);
  });

  it('persistence logs of a lost connection only what it loses for good, and where its cause is', async () => {
    store.failure = reported(new CacheError('LAYER_UNAVAILABLE', 'away'));
    const one = begin();
    await one.onModuleInit();
    await clock.advance(60_000);
    expect(codes).toEqual(['METRICS_NOT_RESTORED']);
    store.failure = undefined;
    await clock.advance(30_000);
    expect(codes).toEqual(['METRICS_NOT_RESTORED']);
    store.failure = reported(new CacheError('LAYER_UNAVAILABLE', 'away'));
    await clock.advance(30_000);
    await one.onApplicationShutdown();
    expect(codes).toEqual(['METRICS_NOT_RESTORED', 'METRICS_NOT_STORED']);
    for (const message of messages) expect(message).toMatch(/LAYER_LOST in the log names the cause\.$/);
  });

  it('persistence refers to the open circuit of a layer that does not answer', async () => {
    const one = begin();
    await one.onModuleInit();
    store.failure = reported(new CacheError('CIRCUIT_OPEN', 'away'));
    await clock.advance(30_000);
    await one.onApplicationShutdown();
    expect(messages).toEqual([expect.stringMatching(/lost\. CIRCUIT_OPEN in the log names the cause\.$/)]);
  });

  it('persistence logs a fault of its own after a lost connection', async () => {
    const one = begin();
    await one.onModuleInit();
    store.failure = reported(new CacheError('LAYER_UNAVAILABLE', 'away'));
    await clock.advance(30_000);
    store.failure = new CacheError('LAYER_TIMEOUT', 'full');
    await clock.advance(30_000);
    expect(messages).toEqual([expect.stringMatching(/tried again\. full$/)]);
  });

  it('persistence does nothing without a store', async () => {
    const none = new Persistence({
      shutdown: new ShutdownBudget(clock),
      metrics: { collectDump: () => Promise.resolve(new Uint8Array()), restore: () => undefined },
      store: undefined,
      clock,
      log,
    });
    await none.onModuleInit();
    await none.onApplicationShutdown();
    expect([clock.pending, codes]).toEqual([0, []]);
  });
});

describe('a file of metrics', () => {
  let directory: string;
  beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'cache-metrics-'))));
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it('a file of metrics contains the whole last dump, is readable by its owner alone, and leaves no other file', async () => {
    const path = join(directory, 'deep', 'shop.metrics');
    const store = new FileStore(path);
    expect(await store.read()).toBeUndefined();
    const dumps = Array.from({ length: 20 }, (_, at) => new Uint8Array(50_000).fill(at));
    for (const dump of dumps) await store.write(dump);
    expect(await readFile(path)).toEqual(Buffer.from(dumps.at(-1)!));
    expect(await readdir(join(directory, 'deep'))).toEqual(['shop.metrics']);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('a file of metrics is never half written', async () => {
    const path = join(directory, 'shop.metrics');
    const store = new FileStore(path);
    await store.write(new Uint8Array(200_000).fill(0));
    let writing = true;
    const written = (async () => {
      for (let at = 1; at < 15; at++) await store.write(new Uint8Array(200_000).fill(at));
      writing = false;
    })();
    while (writing) {
      const found = (await store.read())!;
      expect([found.length, new Set(found).size]).toEqual([200_000, 1]);
    }
    await written;
  });

  it('a file of metrics that cannot be written rejects, and leaves no other file', async () => {
    await new FileStore(join(directory, 'a')).write(Uint8Array.from([1]));
    await expect(new FileStore(join(directory, 'a', 'b')).write(Uint8Array.from([1]))).rejects.toThrow();
    expect(await readdir(directory)).toEqual(['a']);
  });
});
