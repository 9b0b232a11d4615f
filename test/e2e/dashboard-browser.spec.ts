import { describe, expect, it } from '@jest/globals';
import { bytes, count, duration, percent } from '../../lib/dashboard/client/format.js';
import type { PatternStats, Stats } from '../../lib/dashboard/client/wire.js';
import { platforms } from '../support/apps.js';
import { buildClient, open } from '../support/dashboard-page.js';
import { MARKUP, inBrowser, startShop, traffic, home, read, figure, row } from '../support/dashboard-shop.js';
import { soon } from '../support/soon.js';

const made = inBrowser();

it('the dashboard is sent in at most 120 KB, with Brotli and with gzip', async () => {
  const size = await buildClient();
  expect(size.br).toBeLessThan(120 * 1024);
  expect(size.gzip).toBeLessThan(120 * 1024);
});

describe.each(platforms)('the dashboard in a browser, on %s', (platform) => {
  it('the dashboard shows the figures of the routes, and keys as text, under its own content security policy', async () => {
    const app = await startShop(platform);
    await traffic(app);
    const { page, faults } = await open(made.browser, home(app));
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
    const app = await startShop(platform);
    await traffic(app);
    const { page, faults } = await open(
      made.browser,
      home(app, `#/pattern/${encodeURIComponent('product:*')}?window=1h`),
    );
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
