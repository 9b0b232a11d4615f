import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Inject, Injectable, Param, Scope } from '@nestjs/common';
import { Cached, CacheObservabilityModule, CacheWarmer, ObservedCache, WarmingStrategy } from '../../lib/index.js';
import { AskedKeys } from '../../lib/warming/predictive/asked-keys.js';
import { boot, closeApps, type Platform, platforms } from '../support/apps.js';

let folder: string;
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'by-the-clock-'))));
afterAll(() => rm(folder, { recursive: true }));
afterEach(closeApps);

const calls: string[] = [];

@Injectable()
class Sellers {
  @Cached('seller:*')
  find(id: number, lang?: string): Promise<object> {
    calls.push(`find ${JSON.stringify([id, lang])}`);
    if (id === 13) return Promise.reject(new Error('no database'));
    return Promise.resolve({ id, lang });
  }

  @Cached('rating:{0}:{1}')
  rating(id: number, of: string): Promise<number> {
    calls.push(`rating ${JSON.stringify([id, of])}`);
    return Promise.resolve(id);
  }
}

@Injectable({ scope: Scope.REQUEST })
class Visits {
  @Cached('visit:*', { shared: true })
  count(id: number): Promise<number> {
    calls.push(`count ${id}`);
    return Promise.resolve(id);
  }
}

@Injectable()
@WarmingStrategy({ name: 'feeds', onStartup: false, ttl: '1h' })
class Feeds implements WarmingStrategy {
  *entries() {
    for (const id of [1, 2]) yield { key: `feed:${id}`, load: () => (calls.push(`feed ${id}`), { id }) };
  }
}

@Controller()
class Counter {
  constructor(@Inject(Visits) private readonly visits: Visits) {}

  @Get('visits/:id')
  visit(@Param('id') id: string) {
    return this.visits.count(Number(id));
  }
}

@Controller()
class Shop {
  constructor(@Inject(Sellers) private readonly sellers: Sellers) {}

  @Get('sellers/:id')
  async seller(@Param('id') id: string) {
    return [await this.sellers.find(Number(id)), await this.sellers.rating(Number(id), 'all')];
  }

  @Get('top')
  @Cached('top:*', { warm: [{}] })
  top() {
    calls.push('top');
    return [1];
  }
}

/** The state after two days of requests at every time of the day. */
async function learned(path: string, keys: readonly string[]): Promise<void> {
  const asked = new AskedKeys();
  for (let quarter = 0; quarter < 2 * 96; quarter++) {
    for (const key of keys) asked.asked(key);
    asked.end(quarter, true);
  }
  await writeFile(`${path}.asked-keys`, asked.bytes());
}

async function start(platform: Platform, path: string, predictive = true) {
  calls.length = 0;
  return boot(platform, {
    imports: [CacheObservabilityModule.forRoot({ namespace: 'shop', persistence: { path }, warming: { predictive } })],
    controllers: [Shop, Counter],
    providers: [Sellers, Visits, Feeds],
  });
}

async function eventually(so: () => boolean | Promise<boolean>): Promise<void> {
  const until = Date.now() + 20_000;
  while (!(await so())) {
    if (Date.now() > until) throw new Error('it never was so');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe.each(platforms)('warming by the clock (%s)', (platform) => {
  it('warming by the clock loads expected entries of methods, strategies and requests, and is reported like every strategy', async () => {
    const path = join(folder, `${platform}.metrics`);
    const keys = [
      'seller:Sellers.find(7)',
      'seller:Sellers.find(13)',
      'seller:Sellers.find({"$ne":1})',
      'seller:Sellers.find(07)',
      'rating:7:all',
      'visit:Visits.count(7)',
      'feed:2',
      'top:GET /top',
      'somebody:else',
    ];
    await learned(path, keys);
    const { app, ask } = await start(platform, path);
    const cache = app.get(ObservedCache);
    const warmer = app.get(CacheWarmer);
    expect(warmer.strategies.map(({ name }) => name)).toContain('predictive');
    // One request after the start makes its key known, and strategies are read for keys.
    await eventually(async () => {
      await cache.del('top:GET /top');
      await warmer.warm('predictive');
      return calls.includes('feed 2') && (await cache.freshKeys(['top:GET /top'])).size === 1;
    });
    await cache.clear();
    calls.length = 0;
    const report = (
      await ask()
        .post('/cache/warm')
        .send({ strategies: ['predictive'] })
    ).body as { id: string };
    const [pass] = warmer.getReport(report.id)!.strategies;
    expect(calls.toSorted()).toEqual(['feed 2', 'find [13,null]', 'find [7,null]', 'rating [7,"all"]', 'top']);
    expect(pass).toMatchObject({ strategy: 'predictive', result: 'partial', keysWarmed: 4, keysFailed: 1 });
    expect(JSON.stringify(pass)).not.toContain('seller:');
    calls.length = 0;
    expect((await ask().get('/sellers/7')).body).toEqual([{ id: 7 }, 7]);
    expect(calls).toEqual([]);
    expect((await ask().get('/metrics')).text).toMatch(/^cache_warmed_entries_total\{strategy="predictive"\} [1-9]/m);
  });
});

it('warming by the clock begins anew if its saved data cannot be read', async () => {
  const path = join(folder, 'broken.metrics');
  await writeFile(`${path}.asked-keys`, 'nonsense');
  const { app } = await start('express', path);
  expect(await app.get(CacheWarmer).warm('predictive')).toMatchObject({ status: 'completed', keysWarmed: 0 });
});

it('warming by the clock is off by default', async () => {
  const { app } = await start('express', join(folder, 'off.metrics'), false);
  expect(app.get(CacheWarmer).strategies.map(({ name }) => name)).toEqual(['feeds', 'handler:Shop.top']);
});
