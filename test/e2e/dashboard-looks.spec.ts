import { describe, expect, it } from '@jest/globals';
import type { INestApplication } from '@nestjs/common';
import type { Page } from 'playwright-core';
import { memoryLayer, ObservedCache, redisLayer } from '../../lib/index.js';
import { ManualClock } from '../support/manual-clock.js';
import { open } from '../support/dashboard-page.js';
import { advise, home, inBrowser, startShop } from '../support/dashboard-shop.js';
import { differenceFrom } from '../support/looks.js';
import { soon } from '../support/soon.js';

const made = inBrowser();

/** The share of a picture that may look otherwise: fonts and the time of day do. */
const TOLERANCE = 0.08;

/** The same figures in every run: loads take the time of a clock that is turned by hand. */
const shop = async (options = {}, asks = true): Promise<INestApplication> => {
  const clock = new ManualClock(Date.UTC(2026, 2, 2, 12));
  const app = await startShop('express', {}, 0, { clock, ...options });
  if (!asks) return app;
  const cache = app.get(ObservedCache);
  for (let minute = 0; minute < 4; minute++) {
    for (let n = 0; n < 40; n++) {
      const load = async () => {
        await clock.advance(20 + n);
        return n;
      };
      await cache.getOrSet(`feed:${n % 7}|`, load, { ttl: '45s' });
      await cache.getOrSet(`product:${n % (10 + minute)}|`, load, { ttl: '10m' });
    }
    await clock.advance(55_000);
  }
  return app;
};

const shown = async (page: Page) => {
  await soon(async () => expect(await page.locator('.loading').count()).toBe(0));
  await page.locator('.connected.live').waitFor();
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
};

const light = { colorScheme: 'light', reducedMotion: 'reduce' } as const;
const dark = { colorScheme: 'dark', reducedMotion: 'reduce' } as const;
const phone = { ...light, viewport: { width: 375, height: 812 } };
const redisDown = () => ({ layers: [memoryLayer(), redisLayer({ url: 'redis://127.0.0.1:1' })] });

describe('the dashboard looks as the picture that was looked at', () => {
  it.each([
    ['overview-light', light, '', () => shop()],
    ['overview-dark', dark, '', () => shop()],
    ['overview-phone', phone, '', () => shop()],
    ['pattern-light', light, '#/pattern/feed%3A*', () => shop()],
    ['first-start-light', light, '', () => shop({}, false)],
    ['redis-down-light', light, '', () => shop(redisDown())],
  ] as const)('%s', async (name, options, hash, start) => {
    const app = await start();
    advise(app);
    const { page, faults } = await open(made.browser, 'about:blank', options);
    await page.addInitScript(`
      window.shift = 0;
      new PerformanceObserver((list) => {
        for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) window.shift += value;
      }).observe({ type: 'layout-shift', buffered: true });
    `);
    await page.goto(home(app, hash));
    await shown(page);
    expect(await differenceFrom(made.browser, page, name)).toBeLessThan(TOLERANCE);
    expect(await page.evaluate('window.shift')).toBeLessThan(0.05);
    expect(faults).toEqual([]);
  });
});

it('the picture matches with another font, and differs without a card, in the other scheme or without styles', async () => {
  const app = await shop();
  advise(app);
  const { page } = await open(made.browser, 'about:blank', light);
  await page.goto(home(app));
  await shown(page);
  const differs = () => differenceFrom(made.browser, page, 'overview-light');
  const style = (selector: string, property: string, value: string) =>
    page.evaluate(`document.querySelector('${selector}').style.setProperty('${property}', '${value}')`);
  for (const font of ['serif', 'monospace']) {
    await style(':root', '--sans', font);
    expect(await differs()).toBeLessThan(TOLERANCE);
  }
  await style(':root', '--sans', '');
  for (const card of ['.figures', '.two']) {
    await style(card, 'display', 'none');
    expect(await differs()).toBeGreaterThan(TOLERANCE);
    await style(card, 'display', '');
  }
  await page.emulateMedia({ colorScheme: 'dark' });
  expect(await differs()).toBeGreaterThan(TOLERANCE);
  await page.emulateMedia({ colorScheme: 'light' });
  expect(await differs()).toBeLessThan(TOLERANCE);
  await page.route('**/*.css', (route) => route.abort());
  await page.reload();
  await shown(page);
  expect(await differs()).toBeGreaterThan(TOLERANCE);
});
