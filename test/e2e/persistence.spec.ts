import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { LoggerService } from '@nestjs/common';
import {
  CacheObservabilityModule,
  type CacheObservabilityOptions,
  memoryLayer,
  type MetricsExporter,
  ObservedCache,
  redisLayer,
} from '../../lib/index.js';
import { type BootedApp, boot, closeApps, platforms } from '../support/apps.js';
import { ManualClock } from '../support/manual-clock.js';
import { eventually, RedisServer } from '../support/redis.js';
import { beforeTimer } from '../support/before-timer.js';

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'cache-metrics-'));
  path = join(directory, 'kept', 'shop.metrics');
});
afterEach(async () => {
  await closeApps();
  await rm(directory, { recursive: true, force: true });
});

/** Collects the log of the cache, without the summary of each boot. */
class Lines implements LoggerService {
  readonly codes: string[] = [];
  readonly messages: string[] = [];
  log(message: unknown): void {
    this.#keep(message);
  }
  warn(message: unknown): void {
    this.#keep(message);
  }
  error(message: unknown): void {
    this.#keep(message);
  }
  #keep(message: unknown): void {
    if (typeof message !== 'object' || message === null || !('code' in message)) return;
    if (message.code === 'CACHE_READY') return;
    this.codes.push(String(message.code));
    this.messages.push(String((message as { message?: unknown }).message));
  }
}

const start = (
  options: CacheObservabilityOptions,
  platform: (typeof platforms)[number] = 'express',
  logger = new Lines(),
) =>
  boot(
    platform,
    { imports: [CacheObservabilityModule.forRoot({ prometheus: { defaultMetrics: false }, ...options })] },
    { logger },
  );

async function visit({ app }: BootedApp, key: string, hits: number): Promise<void> {
  const cache = app.get(ObservedCache);
  for (let time = 0; time <= hits; time++) await cache.getOrSet(key, () => key);
}

const statsOf = async ({ ask }: BootedApp, query = '') => (await ask().get(`/cache/stats${query}`).expect(200)).body;

describe.each(platforms)('metrics saved in a file on %s', (platform) => {
  it('metrics saved in a file continue after a restart, in every window and on Prometheus too', async () => {
    const first = await start({ persistence: { path } }, platform);
    await visit(first, 'feed:1', 4);
    await first.close();
    expect(await readdir(join(directory, 'kept'))).toEqual(['shop.metrics', 'shop.metrics.ladders']);
    const second = await start({ persistence: { path } }, platform);
    expect(await statsOf(second)).toMatchObject({ total_requests: 5, cache_hits: 4, operations_in_flight: 0 });
    await visit(second, 'feed:1', 1);
    expect(await statsOf(second, '?window=1m')).toMatchObject({ total_requests: 7, cache_hits: 5, recalculations: 2 });
    const { text } = await second.ask().get('/metrics').expect(200);
    expect(text).toMatch(/^cache_operations_total\{operation="get",result="hit"\} 5$/m);
  });
});

describe.each(platforms)('what insight has learned on %s', (platform) => {
  const ladderOf = async ({ ask }: BootedApp) =>
    (
      await ask()
        .get(`/cache/insights/ttl?pattern=${encodeURIComponent('feed:*')}`)
        .expect(200)
    ).body;

  it('figures of insight continue after a restart: ladders, and the time since which a change is recommended', async () => {
    const first = await start({ persistence: { path } }, platform);
    await visit(first, 'feed:1', 1_199);
    const cache = first.app.get(ObservedCache);
    for (let id = 0; id < 40; id++) await cache.getOrSet(`missing:${id}`, () => undefined);
    const { body: before } = await first.ask().get('/cache/insights').expect(200);
    expect(before).toHaveLength(1);
    await first.close();
    const second = await start({ persistence: { path } }, platform);
    await visit(second, 'feed:1', 9);
    const { accesses, observed_ms } = await ladderOf(second);
    expect(accesses).toBe(1_209);
    expect(observed_ms).toBeGreaterThan(0);
    const { body: after } = await second.ask().get('/cache/insights').expect(200);
    expect(after).toMatchObject([{ id: before[0].id, since: before[0].since }]);
  });

  it('figures of insight begin anew if their files are foreign, and the metrics continue', async () => {
    const first = await start({ persistence: { path } }, platform);
    await visit(first, 'feed:1', 1_199);
    await first.close();
    await writeFile(`${path}.ladders`, 'of somebody else');
    await writeFile(`${path}.recommendations`, '{"version":1,"found":[["x",-1]]}');
    await writeFile(`${path}.usual`, Buffer.alloc(40, 1));
    const logger = new Lines();
    const second = await start({ persistence: { path } }, platform, logger);
    await visit(second, 'feed:1', 9);
    expect((await ladderOf(second)).accesses).toBe(10);
    expect(await statsOf(second)).toMatchObject({ total_requests: 1_210 });
    expect(logger.codes).toEqual(['METRICS_NOT_RESTORED', 'METRICS_NOT_RESTORED', 'METRICS_NOT_RESTORED']);
  });
});

const startsOf = async ({ ask }: BootedApp) => (await ask().get('/cache/dashboard/context').expect(200)).body.starts;

describe('the starts of an application', () => {
  it('the starts of an application are listed with their versions after restarts and deploys, the latest hundred', async () => {
    for (const version of ['1.0', '1.1']) await (await start({ persistence: { path }, version })).close();
    const third = await start({ persistence: { path }, version: '1.1' });
    const starts = await startsOf(third);
    expect(starts.map((one: any) => [one.version, one.own])).toEqual([
      ['1.0', false],
      ['1.1', false],
      ['1.1', true],
    ]);
    expect(Date.parse(starts[2].at)).toBeGreaterThanOrEqual(Date.parse(starts[0].at));
    await third.close();
  });

  it('the starts of an application survive metrics of another version, and a forged list is bounded', async () => {
    await (await start({ persistence: { path }, version: '1.0' })).close();
    const kept = await readFile(path);
    const at = kept.lastIndexOf('{"id"');
    const one = JSON.parse(kept.toString('utf8', at, kept.lastIndexOf('}') + 1));
    const old = { ...one, id: 'old', version: 'old', startedAt: Date.now() - 90_000_000 };
    const many = Array.from({ length: 150 }, (_, n) => JSON.stringify({ ...one, id: `many-${n}` }));
    const lines = Buffer.from([JSON.stringify(old), '{', 'null', ...many].join('\n'));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(lines.length);
    await writeFile(path, Buffer.concat([Buffer.from('of another version'), lines, length, Buffer.from('NCOstart')]));
    const app = await start({ persistence: { path }, version: '1.1' });
    expect(await statsOf(app)).toMatchObject({ total_requests: 0 });
    const starts = await startsOf(app);
    expect(starts).toHaveLength(100);
    expect(starts.map(({ version }: { version: string }) => version)).not.toContain('old');
    expect(starts.at(-1)).toMatchObject({ version: '1.1', own: true });
  });

  it('an application lists only its own start without persistence, or if the file cannot be read', async () => {
    const alone = await start({ version: '1.0' });
    expect(await startsOf(alone)).toMatchObject([{ version: '1.0', own: true }]);
    await writeFile(join(directory, 'kept'), 'a file where a directory should be');
    const app = await start({ persistence: { path }, version: '1.0' });
    expect(await startsOf(app)).toMatchObject([{ version: '1.0', own: true }]);
  });
});

describe('metrics saved across restarts', () => {
  it('saved metrics begin anew from a damaged, foreign or incomplete file, with one log line', async () => {
    const first = await start({ persistence: { path } });
    await visit(first, 'feed:1', 4);
    await first.close();
    const good = await readFile(path);
    for (const bad of [good.subarray(0, good.length - 5), Buffer.from('{"version":7}'), Buffer.alloc(0)]) {
      await writeFile(path, bad);
      const lines = new Lines();
      const app = await start({ persistence: { path } }, 'express', lines);
      expect(await statsOf(app)).toMatchObject({ total_requests: 0 });
      expect(lines.codes).toEqual(['METRICS_NOT_RESTORED']);
      await visit(app, 'feed:1', 0);
      await app.close();
    }
    expect(await statsOf(await start({ persistence: { path } }))).toMatchObject({ total_requests: 1 });
  });

  it('saved metrics do not prevent start or stop if the file cannot be written', async () => {
    await writeFile(join(directory, 'kept'), 'a file where a directory should be');
    const lines = new Lines();
    const app = await start({ persistence: { path } }, 'express', lines);
    await visit(app, 'feed:1', 1);
    await app.close();
    expect(lines.codes).toEqual(['METRICS_NOT_RESTORED', 'METRICS_NOT_STORED']);
    expect(lines.messages.join()).not.toContain('feed:1');
  });

  it('saved metrics are in a file in the working directory with persistence: true and no shared layer', async () => {
    const cwd = jest.spyOn(process, 'cwd').mockReturnValue(directory);
    try {
      const first = await start({ persistence: true, namespace: 'shop' });
      await visit(first, 'feed:1', 4);
      await first.close();
      expect(await readdir(join(directory, '.cache-observability'))).toEqual(['shop.metrics', 'shop.metrics.ladders']);
      expect(await statsOf(await start({ persistence: true, namespace: 'shop' }))).toMatchObject({ total_requests: 5 });
    } finally {
      cwd.mockRestore();
    }
  });

  it('saved metrics contain no key', async () => {
    const app = await start({ persistence: { path } });
    await visit(app, 'user:471147114711:cart', 1);
    await app.close();
    const kept = (await readFile(path)).toString('latin1');
    expect(kept).toContain('user:*:*');
    expect(kept).not.toContain('471147114711');
  });

  it('saved metrics are not exported again as new', async () => {
    const restored: (boolean | undefined)[] = [];
    const exporter: MetricsExporter = {
      name: 'notes',
      intervalMs: 0,
      start: (source) => void restored.push(source.restored),
      export: () => undefined,
      stop: () => undefined,
    };
    for (let run = 0; run < 2; run++) {
      const app = await start({ persistence: { path }, exporters: [exporter] });
      await app.close();
    }
    expect(restored).toEqual([false, true]);
  });

  it('saved metrics are refused for a layer that cannot save them, and for invalid options', async () => {
    await expect(start({ persistence: { layer: 'redis' } })).rejects.toThrow(
      /persistence\.layer: no layer named "redis"/,
    );
    await expect(start({ persistence: {} as never })).rejects.toThrow(/persistence\.path: is missing/);
  });
});

describe('metrics saved in Redis', () => {
  let redis: RedisServer;
  beforeAll(async () => (redis = await RedisServer.start()), 20_000);
  afterAll(async () => redis.dispose());

  const layers = () => [memoryLayer(), redisLayer({ url: redis.url })];

  it.each([true, { layer: 'redis', name: 'web-1' }])(
    'metrics saved in Redis continue after a restart with persistence: %j',
    async (persistence) => {
      const first = await start({ layers: layers(), persistence });
      await visit(first, 'feed:1', 2);
      await first.close();
      const client = await redis.client();
      const name = persistence === true ? hostname() : 'web-1';
      expect(await client.keys('*sharedMap:kept-metrics:*')).toEqual([expect.stringMatching(new RegExp(`:${name}$`))]);
      const second = await start({ layers: layers(), persistence });
      expect(await statsOf(second)).toMatchObject({ total_requests: 3 });
      await second.close();
      await client.flushAll();
    },
  );

  it('metrics saved in Redis begin anew while Redis is down, within the time limit of a start', async () => {
    await redis.kill();
    const lines = new Lines();
    const app = await beforeTimer(8_000, start({ layers: layers(), persistence: true }, 'express', lines));
    await visit(app, 'feed:1', 1);
    expect(await statsOf(app)).toMatchObject({ total_requests: 2 });
    await beforeTimer(6_000, app.close());
    expect(lines.codes).toContain('METRICS_NOT_RESTORED');
    expect(lines.codes.filter((code) => code === 'METRICS_NOT_STORED')).toHaveLength(1);
    for (const [at, code] of lines.codes.entries()) {
      if (code.startsWith('METRICS_')) expect(lines.messages[at]).toMatch(/LAYER_LOST in the log names the cause\.$/);
    }
    await redis.up();
  }, 30_000);
});

describe('metrics of two processes in one place', () => {
  let server: RedisServer;
  beforeAll(async () => void (server = await RedisServer.start()));
  afterAll(() => server.dispose());
  const shared = (lines: Lines) => lines.codes.filter((code) => code === 'METRICS_SHARED');

  it.each([
    ['the same file', (): CacheObservabilityOptions => ({ persistence: { path } })],
    [
      'the same name in Redis',
      (): CacheObservabilityOptions => ({
        namespace: 'shop',
        persistence: true,
        layers: [memoryLayer(), redisLayer({ url: server.url })],
      }),
    ],
  ])('two running processes with %s are each warned once', async (_, options) => {
    const clocks = [new ManualClock(), new ManualClock()];
    const lines = new Lines();
    const apps = await Promise.all(clocks.map((clock) => start({ ...options(), clock }, 'express', lines)));
    let turns = 0;
    // They write one after the other.
    const turn = async () => {
      const writer = turns++ % 2;
      await visit(apps[writer]!, 'feed:1', 1);
      await clocks[writer]!.advance(30_000);
    };
    await eventually(async () => {
      await turn();
      return shared(lines).length > 1;
    }, 'both are warned');
    for (let more = 0; more < 8; more++) await turn();
    expect(shared(lines)).toHaveLength(2);
    expect(lines.messages.join()).toContain('Give each process its own place: persistence: { path }');
  });

  it('a process that replaces another is not warned, although both run for a while', async () => {
    const clock = new ManualClock();
    const lines = new Lines();
    const first = await start({ persistence: { path }, clock });
    const second = await start({ persistence: { path }, clock }, 'express', lines);
    const written = async (app: BootedApp) => {
      const before = await stat(path).catch(() => undefined);
      await visit(app, 'feed:1', 1);
      await clock.advance(30_000);
      await eventually(async () => (await stat(path).catch(() => undefined))?.ino !== before?.ino, 'the write');
    };
    await written(second);
    await visit(first, 'feed:1', 1);
    await first.close();
    for (let turn = 0; turn < 4; turn++) await written(second);
    expect(shared(lines)).toEqual([]);
  });
});
