import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { Controller, Get, type INestApplication, Param } from '@nestjs/common';
import helmet from 'helmet';
import type { Browser, Page } from 'playwright-core';
import { Cached, CacheMetrics, CacheObservabilityModule, memoryLayer, ObservedCache } from '../../lib/index.js';
import { boot, closeApps, type Platform } from './apps.js';
import { addressOf, ensureClient, launch, open } from './dashboard-page.js';
import { ManualClock } from './manual-clock.js';

/*
 * An application whose dashboard a browser opens.
 */

/** Evaluated by the debugger: the page's policy keeps foreign scripts out. */
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
export const MARKUP = '<img src=x onerror=window.planted=1>';
export const RIGHT_TO_LEFT = 'سلة\u202e<b>';

@Controller('products')
class ProductController {
  @Get(':id')
  @Cached('product:{params.id}', { ttl: '5m' })
  async find(@Param('id') id: string) {
    await new Promise((resolve) => setTimeout(resolve, 4));
    return { id };
  }
}

/** Registers the hooks of a suite: one browser, whose pages are closed with the applications after each test. */
export function inBrowser(): { readonly browser: Browser } {
  const made = {} as { browser: Browser };
  beforeAll(async () => {
    await ensureClient();
    made.browser = await launch();
  });
  afterEach(async () => {
    for (const context of made.browser.contexts()) await context.close();
    await closeApps();
  });
  afterAll(() => made.browser.close());
  return made;
}

export const startShop = async (platform: Platform = 'express', monitoring = {}, port = 0, options = {}) => {
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
    // Each platform under another policy: that of helmet, and that of Nest itself.
    { configure: (app) => (platform === 'express' ? void app.use(helmet()) : void app.useSecurityHeaders()) },
  );
  await made.app.listen(port, '127.0.0.1');
  return made.app;
};

/** Requests that hit and miss, and keys whose markup must stay text. */
export const traffic = async (app: INestApplication): Promise<void> => {
  for (let n = 0; n < 60; n++) await fetch(`${addressOf(app)}/products/${n % 20}`);
  const cache = app.get(ObservedCache);
  for (let n = 0; n < 20; n++) {
    await cache.getOrSet(`${MARKUP}|${n % 5}`, async () => new Promise((resolve) => setTimeout(() => resolve(n), 2)));
    await cache.getOrSet(`${RIGHT_TO_LEFT}|${n % 9}`, () => n);
    await cache.getOrSet(`${'long-'.repeat(40)}|${n % 3}`, () => n);
  }
};

export const home = (app: INestApplication, hash = '') => `${addressOf(app)}/cache/dashboard${hash}`;
export const read = async <T>(app: INestApplication, path: string): Promise<T> =>
  (await (await fetch(`${addressOf(app)}/cache/${path}`)).json()) as T;
export const figure = (page: Page, name: string) => page.locator(`[data-figure=${name}]`);
export const row = (page: Page, table: string, name: string) =>
  page
    .getByRole('region', { name: `Table: ${table}`, exact: true })
    .getByRole('row')
    .filter({ hasText: name });

/** Replaces the recommendations of the application by {@link advice}. */
export const advise = (app: INestApplication) =>
  Object.assign(app.get(ObservedCache).insight, { collectRecommendations: () => Promise.resolve([advice]) });

export const advice = {
  id: 'RAISE_TTL:product:*',
  code: 'RAISE_TTL',
  pattern: 'product:*',
  title: 'Keep it longer',
  why: 'Misses are expiries that are asked again.',
  change: { option: 'ttl', from: '5m', to: '20m', code: "@Cached('product:{params.id}', { ttl: '20m' })" },
  evidence: { expiredMisses: 400 },
  predicted: { hit_rate: 0.83, hit_rate_error: 0.02, stale_share: 0.001, time_saved_ms_per_hour: 360_000 },
  confidence: 'high',
  since: '2026-01-01T00:00:00.000Z',
};

/** The violations that axe finds. */
export async function violationsOf(page: Page): Promise<string[]> {
  if (await page.evaluate('typeof axe === "undefined"')) await page.evaluate(axe);
  const { violations } = (await page.evaluate('axe.run(document, { resultTypes: ["violations"] })')) as {
    violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[];
  };
  return violations.map(({ id, nodes }) => `${id} ${nodes[0]!.html} ${nodes[0]!.failureSummary}`);
}

/** As a browser does with a background tab. */
export async function hide(page: Page, hidden: boolean): Promise<void> {
  await page.evaluate(`
    Object.defineProperty(document, 'hidden', { configurable: true, value: ${hidden} });
    document.dispatchEvent(new Event('visibilitychange'));
  `);
}

/** An application whose clock a test turns, with so many patterns. */
export const startTurnedShop = async (patterns: number) => {
  const clock = new ManualClock();
  const app = await startShop('express', {}, 0, { clock });
  const metrics = app.get(CacheMetrics);
  const ask = () => {
    for (let n = 0; n < patterns; n++) {
      const result = n % 3 === 0 ? 'miss' : 'hit';
      metrics.record({ operation: 'get', pattern: `p${n}`, result, responseTimeMs: 1 });
    }
  };
  ask();
  return { app, clock, ask };
};

/** The first page of an application with traffic and advice, once its figures are drawn. */
export const openedShop = async (browser: Browser, options = {}) => {
  const app = await startShop();
  await traffic(app);
  advise(app);
  const watched = await open(browser, home(app), options);
  await row(watched.page, 'Patterns that cost most', 'product:*').waitFor();
  return { ...watched, app };
};

/** The policy of the shop's products, with its override. */
export async function policies(app: INestApplication): Promise<unknown> {
  const all = await read<{ pattern: string }[]>(app, 'policies');
  return all.find(({ pattern }) => pattern === 'product:*');
}
