import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { createServer, request as send, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRequire } from 'node:module';
import { Controller, Get, type INestApplication, Param } from '@nestjs/common';
import helmet from 'helmet';
import type { Browser, Page } from 'playwright-core';
import { Cached, CacheMetrics, CacheObservabilityModule, memoryLayer, ObservedCache } from '../../lib/index.js';
import { bytes, count, duration, percent } from '../../lib/dashboard/client/format.js';
import type { PatternStats, Stats } from '../../lib/dashboard/client/wire.js';
import { boot, closeApps, type Platform, platforms } from '../support/apps.js';
import { addressOf, buildClient, launch, open } from '../support/dashboard-page.js';
import { soon } from '../support/soon.js';

/** Evaluated by the debugger: the page's policy keeps foreign scripts out. */
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const MARKUP = '<img src=x onerror=window.planted=1>';
const RIGHT_TO_LEFT = 'سلة\u202e<b>';

@Controller('products')
class ProductController {
  @Get(':id')
  @Cached('product:{params.id}', { ttl: '5m' })
  async find(@Param('id') id: string) {
    await new Promise((resolve) => setTimeout(resolve, 4));
    return { id };
  }
}

const start = async (platform: Platform = 'express', monitoring = {}, port = 0, options = {}) => {
  const made = await boot(
    platform,
    {
      imports: [
        CacheObservabilityModule.forRoot({
          layers: [memoryLayer({ maxEntries: 5_000 })],
          prometheus: false,
          metrics: { patternOf: (key) => (key.includes('|') ? key.split('|')[0] : undefined), maxPatterns: 2_000 },
          profiling: { every: 1 },
          monitoring,
          ...options,
        }),
      ],
      controllers: [ProductController],
    },
    platform === 'express' ? { configure: (app) => app.use(helmet()) } : {},
  );
  await made.app.listen(port, '127.0.0.1');
  return made.app;
};

/** Requests that hit and miss, and keys whose markup must stay text. */
const traffic = async (app: INestApplication): Promise<void> => {
  for (let n = 0; n < 60; n++) await fetch(`${addressOf(app)}/products/${n % 20}`);
  const cache = app.get(ObservedCache);
  for (let n = 0; n < 20; n++) {
    await cache.getOrSet(`${MARKUP}|${n % 5}`, async () => new Promise((resolve) => setTimeout(() => resolve(n), 2)));
    await cache.getOrSet(`${RIGHT_TO_LEFT}|${n % 9}`, () => n);
    await cache.getOrSet(`${'long-'.repeat(40)}|${n % 3}`, () => n);
  }
};

/** Pages by their path, with the text of their heading. */
const TITLES = {
  '': 'Overview',
  patterns: 'Patterns',
  'pattern/product%3A*': 'product:*',
  endpoints: 'Endpoints',
  layers: 'Layers',
  warming: 'Warming',
  events: 'Events',
  flame: 'Flame graph',
};

const home = (app: INestApplication, hash = '') => `${addressOf(app)}/cache/dashboard${hash}`;
const read = async <T>(app: INestApplication, path: string): Promise<T> =>
  (await (await fetch(`${addressOf(app)}/cache/${path}`)).json()) as T;
const figure = (page: Page, name: string) => page.locator(`[data-figure=${name}]`);
const row = (page: Page, table: string, name: string) =>
  page
    .getByRole('region', { name: `Table: ${table}`, exact: true })
    .getByRole('row')
    .filter({ hasText: name });

let browser: Browser;
let size: { br: number; gzip: number };
const proxies: Server[] = [];

beforeAll(async () => {
  size = await buildClient();
  browser = await launch();
});
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  for (const proxy of proxies.splice(0)) proxy.close();
  await closeApps();
});
afterAll(() => browser.close());

it('the dashboard is sent in at most 120 KB, with Brotli and with gzip', () => {
  expect(size.br).toBeLessThan(120 * 1024);
  expect(size.gzip).toBeLessThan(120 * 1024);
});

describe.each(platforms)('the dashboard in a browser, on %s', (platform) => {
  it('the dashboard shows the figures of the routes, and keys as text, under its own content security policy', async () => {
    const app = await start(platform);
    await traffic(app);
    const { page, faults } = await open(browser, home(app));
    await page.getByRole('heading', { name: 'Costs most' }).waitFor();
    await row(page, 'Patterns that cost most', 'product:*').waitFor();

    const stats = await read<Stats>(app, 'stats?window=5m');
    expect(stats).toMatchObject({ total_requests: 120, cache_hits: 83 });
    await soon(async () => {
      expect(await figure(page, 'hitRate').innerText()).toContain(percent(stats.hit_rate));
      expect(await figure(page, 'hitRate').innerText()).toContain(`${count(stats.cache_misses)} misses`);
      expect(await figure(page, 'saved').innerText()).toContain(duration(stats.time_saved_ms));
      expect(await figure(page, 'p95').innerText()).toContain(duration(stats.p95_response_time_ms));
    });
    await page.getByRole('status').filter({ hasText: 'Healthy' }).waitFor();

    await page.getByRole('navigation').getByText('Patterns').click();
    const patterns = await read<PatternStats[]>(app, 'stats/patterns?window=5m');
    expect(patterns).toHaveLength(4);
    for (const one of patterns) {
      await soon(async () => {
        const text = await row(page, 'Patterns', one.pattern).innerText();
        expect(text).toContain(duration(one.cache_misses * one.p50_load_time_ms!));
        expect(text).toContain(percent(one.hit_rate));
        expect(text).toContain(count(one.total_requests));
        expect(text).toContain(bytes(one.avg_value_bytes));
      });
    }
    await row(page, 'Patterns', MARKUP).getByRole('link').click();
    await page.getByRole('heading', { level: 1 }).filter({ hasText: MARKUP }).waitFor();
    expect(await page.evaluate('window.planted')).toBeUndefined();
    expect(await page.locator('img, b:has(bdi)').count()).toBe(0);
    expect(faults).toEqual([]);
  });

  it('the dashboard opens a shared URL, and follows the choice of a window and of a page', async () => {
    const app = await start(platform);
    await traffic(app);
    const { page, faults } = await open(browser, home(app, `#/pattern/${encodeURIComponent('product:*')}?window=1h`));
    await page.getByRole('heading', { name: 'product:*' }).waitFor();
    await page.getByRole('radio', { name: '1h', checked: true }).waitFor();
    await page.getByRole('radio', { name: '1h' }).focus();
    await page.keyboard.press('ArrowLeft');
    await page.waitForURL(/#\/pattern\/product%3A\*$/);
    await page.getByText('last 5m').first().waitFor();
    await page.goBack();
    await page.waitForURL(/window=1h/);
    await page.getByRole('link', { name: 'Overview' }).click();
    await page.waitForURL(/#\/\?window=1h$/);
    expect(faults).toEqual([]);
  });
});

/** Replaces the recommendations of the application by {@link advice}. */
const advise = (app: INestApplication) =>
  Object.assign(app.get(ObservedCache).insight, { collectRecommendations: () => Promise.resolve([advice]) });

describe('the dashboard', () => {
  it('the dashboard has no axe violation on any page, in light and in dark', async () => {
    const app = await start();
    await traffic(app);
    const { page, faults } = await open(browser, home(app));
    const violations: string[] = [];
    for (const scheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      for (const [hash, title] of Object.entries(TITLES)) {
        await page.goto(home(app, `#/${hash}`));
        await page.getByRole('heading', { level: 1 }).filter({ hasText: title }).waitFor({ state: 'attached' });
        await soon(async () => expect(await page.locator('.loading').count()).toBe(0));
        for (const found of await violationsOf(page)) violations.push(`${scheme} ${hash}: ${found}`);
      }
    }
    expect(violations).toEqual([]);
    expect(faults).toEqual([]);
  }, 180_000);

  it('the dashboard asks for a bearer token if guards refuse, and hides writes from users without the right', async () => {
    const holds = (token: string) => ({
      canActivate: (context: any) =>
        [`Bearer ${token}`, 'Bearer admin'].includes(context.switchToHttp().getRequest().headers.authorization),
    });
    const app = await start('express', { guards: [holds('reader')], writeGuards: [holds('admin')] });
    advise(app);
    const { page, faults } = await open(browser, home(app));
    await page.getByRole('heading', { name: 'Not allowed' }).waitFor();
    expect(await violationsOf(page)).toEqual([]);
    await page.getByLabel('Bearer token').fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByText('The token that was given is refused too.').waitFor();
    await page.getByLabel('Bearer token').fill('reader');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Costs most' }).waitFor();
    await page.locator('.connected.live').waitFor();
    await page.goto(home(app, '#/advice'));
    await page.reload();
    await page.getByText('Keep it longer').waitFor();
    expect(await page.getByRole('button', { name: 'Apply…' }).count()).toBe(0);
    expect(faults).toEqual([]);
  });

  it('the dashboard polls every few seconds if the event stream is full', async () => {
    const app = await start('express', { maxEventClients: 1 });
    await traffic(app);
    const [first, second] = [await open(browser, home(app)), await open(browser, home(app))];
    await Promise.any([first, second].map(({ page }) => page.locator('.connected.live').waitFor()));
    await Promise.any([first, second].map(({ page }) => page.locator('.connected.polling').waitFor()));
    for (const { page, faults } of [first, second]) {
      await page.getByText(/in flight, p99 \S+ \S+s/).waitFor();
      expect(faults).toEqual([]);
    }
  });

  it('the dashboard shows events when they happen, and those it missed while it was hidden', async () => {
    const app = await start();
    const cache = app.get(ObservedCache);
    const { page, faults } = await open(browser, home(app, '#/events'));
    await page.locator('.connected.live').waitFor();
    const seen = async (key: string) => page.getByRole('listitem').filter({ hasText: key }).waitFor();
    await cache.del('feed:1');
    await seen('feed:*');
    await hide(page, true);
    await page.locator('.connected.paused').waitFor();
    await cache.del('meanwhile:1');
    await hide(page, false);
    await seen('meanwhile');
    expect(await page.getByRole('listitem').filter({ hasText: 'meanwhile' }).count()).toBe(1);
    expect(faults).toEqual([]);
  });

  it('the dashboard applies advice after confirmation, and reverts it', async () => {
    const app = await start();
    await traffic(app);
    advise(app);
    const { page, faults } = await open(browser, `${addressOf(app)}/cache/dashboard`);
    await page.goto(home(app, '#/advice'));
    await page.reload();
    await page.getByRole('button', { name: 'Apply…' }).click();
    expect(await violationsOf(page)).toEqual([]);
    const dialog = page.getByRole('dialog');
    await dialog
      .filter({ hasText: /ttl 5m → 20m/ })
      .filter({ hasText: percent(0.83) })
      .waitFor();
    expect(await policies(app)).toMatchObject({ override: null });
    await dialog.getByRole('button', { name: 'Apply now' }).click();
    await dialog.waitFor({ state: 'hidden' });
    await soon(async () => expect(await policies(app)).toMatchObject({ override: { values: { ttl_ms: 1_200_000 } } }));
    await page.goto(home(app, `#/pattern/${encodeURIComponent('product:*')}`));
    await page.getByRole('button', { name: 'Revert' }).click();
    await page.getByRole('button', { name: 'Revert' }).waitFor({ state: 'hidden' });
    await soon(async () => expect(await policies(app)).toMatchObject({ override: null }));
    expect(faults).toEqual([]);
  });

  it('the dashboard reports that the application does not answer, keeps its figures, and continues when it is back', async () => {
    const app = await start();
    await traffic(app);
    const { port } = new URL(addressOf(app));
    const { page, faults } = await open(browser, home(app));
    await page.locator('.connected.live').waitFor();
    await row(page, 'Patterns that cost most', 'product:*').waitFor();
    await closeApps();
    await page.getByRole('alert').filter({ hasText: 'Disconnected' }).waitFor();
    expect(await row(page, 'Patterns that cost most', 'product:*').count()).toBe(1);
    await start('express', {}, Number(port));
    await page.getByRole('alert').waitFor({ state: 'hidden' });
    await page.getByText('Nothing was asked in this window.').waitFor();
    expect(faults).toEqual([]);
  });

  it('the dashboard works behind a proxy that serves it under another path', async () => {
    const app = await start();
    await traffic(app);
    const target = new URL(addressOf(app));
    const proxy = createServer((request, response) => {
      const path = request.url!.replace(/^\/tools\/shop/, '');
      const forwarded = send({
        host: target.hostname,
        port: target.port,
        path,
        method: request.method,
        headers: request.headers,
      });
      forwarded.on('response', (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
      });
      forwarded.on('error', () => response.destroy());
      response.on('close', () => forwarded.destroy());
      request.pipe(forwarded);
    });
    proxies.push(proxy);
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as AddressInfo;
    const { page, faults } = await open(browser, `http://127.0.0.1:${port}/tools/shop/cache/dashboard`);
    await row(page, 'Patterns that cost most', 'product:*').waitFor();
    await page.locator('.connected.live').waitFor();
    expect(faults).toEqual([]);
  });

  it('the dashboard draws few rows of a thousand patterns, sorts all of them, and finds one', async () => {
    const app = await start();
    const metrics = app.get(CacheMetrics);
    for (let n = 0; n < 1_000; n++) {
      for (let time = 0; time <= n % 7; time++) {
        metrics.record({ operation: 'get', pattern: `p${n}`, result: time === 0 ? 'miss' : 'hit', responseTimeMs: 1 });
      }
    }
    const { page, faults } = await open(browser, home(app, '#/patterns'));
    await page.getByRole('button', { name: /^Show 50 more of 1001/ }).waitFor();
    const rows = page.getByRole('region', { name: 'Table: Patterns', exact: true }).getByRole('row');
    await soon(async () => expect(await rows.count()).toBe(51));
    await page.getByRole('button', { name: 'Sort by Pattern' }).click();
    await page.getByLabel('Filter').fill('p777');
    await page.getByRole('link', { name: 'p777', exact: true }).waitFor();
    await soon(async () => expect(await rows.count()).toBe(2));
    expect(faults).toEqual([]);
  });

  it('the dashboard explains the first steps at the first start and if metrics are off', async () => {
    const app = await start();
    const { page } = await open(browser, home(app));
    await page.getByText('Nothing was asked in this window.').waitFor();
    await closeApps();
    const off = await start('express', {}, 0, { metrics: false });
    const other = await open(browser, home(off), { viewport: { width: 375, height: 812 } });
    await other.page.getByText('Metrics off').waitFor();
    const wider = 'document.documentElement.scrollWidth > document.documentElement.clientWidth';
    expect(await other.page.evaluate(wider)).toBe(false);
    expect(other.faults).toEqual([]);
  });
});

const advice = {
  id: 'RAISE_TTL:product:*',
  code: 'RAISE_TTL',
  pattern: 'product:*',
  title: 'Keep it longer',
  why: 'Misses are expiries that are asked again.',
  change: { option: 'ttl', from: '5m', to: '20m', code: "@Cached('product:{params.id}', { ttl: '20m' })" },
  evidence: { expired: 400 },
  predicted: { hit_rate: 0.83, hit_rate_error: 0.02, stale_share: 0.001, time_saved_ms_per_hour: 360_000 },
  confidence: 'high',
  since: '2026-01-01T00:00:00.000Z',
};

/** The violations that axe finds. */
async function violationsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const { violations } = (await page.evaluate('axe.run(document, { resultTypes: ["violations"] })')) as {
    violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[];
  };
  return violations.map(({ id, nodes }) => `${id} ${nodes[0]!.html} ${nodes[0]!.failureSummary}`);
}

/** As a browser does with a background tab. */
async function hide(page: Page, hidden: boolean): Promise<void> {
  await page.evaluate(`
    Object.defineProperty(document, 'hidden', { configurable: true, value: ${hidden} });
    document.dispatchEvent(new Event('visibilitychange'));
  `);
}

async function policies(app: INestApplication): Promise<unknown> {
  const all = await read<{ pattern: string }[]>(app, 'policies');
  return all.find(({ pattern }) => pattern === 'product:*');
}
