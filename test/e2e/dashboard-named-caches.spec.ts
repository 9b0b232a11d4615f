import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { Controller, Get, Param } from '@nestjs/common';
import type { Browser, Page } from 'playwright-core';
import { Cached, CacheObservabilityModule } from '../../lib/index.js';
import { boot, closeApps } from '../support/apps.js';
import { addressOf, ensureClient, launch, open } from '../support/dashboard-page.js';
import { soon } from '../support/soon.js';

@Controller()
class Pages {
  @Get('products/:id')
  @Cached('product:{params.id}')
  product(@Param('id') id: string) {
    return { id };
  }

  @Get('rights/:id')
  @Cached('rights:{params.id}', { cache: 'sessions' })
  rights(@Param('id') id: string) {
    return { id };
  }
}

let browser: Browser;
beforeAll(async () => {
  await ensureClient();
  browser = await launch();
});
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  await closeApps();
});
afterAll(() => browser.close());

const start = async () => {
  const { app } = await boot('express', {
    imports: [
      CacheObservabilityModule.forRoot({ prometheus: false }),
      CacheObservabilityModule.forFeature('sessions', { ttl: '30m' }),
    ],
    controllers: [Pages],
  });
  await app.listen(0, '127.0.0.1');
  const address = addressOf(app);
  for (let n = 0; n < 10; n++) await fetch(`${address}/products/1`);
  for (let n = 0; n < 4; n++) await fetch(`${address}/rights/1`);
  return `${address}/cache/dashboard`;
};

const table = (page: Page) => page.getByRole('region', { name: 'Table: Patterns', exact: true });

it('the dashboard shows the chosen cache on every page, and keeps the choice in the URL', async () => {
  const { page, faults } = await open(browser, `${await start()}#/patterns`);
  await table(page).getByRole('row').filter({ hasText: 'product:*' }).waitFor();
  expect(await table(page).innerText()).not.toContain('rights:*');

  const choice = page.getByRole('combobox', { name: 'Cache' });
  expect(await choice.locator('option').allInnerTexts()).toEqual(['default', 'sessions']);
  await choice.selectOption('sessions');
  await page.waitForURL(/#\/patterns\?cache=sessions$/);
  await table(page).getByRole('row').filter({ hasText: 'rights:*' }).waitFor();
  expect(await table(page).innerText()).not.toContain('product:*');

  await page.getByRole('link', { name: 'Overview' }).click();
  await page.waitForURL(/#\/\?cache=sessions$/);
  // One of four requests missed.
  await soon(async () => expect(await page.locator('[data-figure=hitRate]').innerText()).toContain('75'));
  for (const [name, heading] of [
    ['Endpoints', 'Endpoints'],
    ['Layers', 'Layers'],
    ['Advice', 'Advice'],
    ['Alerts', 'Alerts'],
  ] as const) {
    await page.getByRole('navigation').getByRole('link', { name }).click();
    await page.getByRole('heading', { level: 1, name: heading }).waitFor();
    expect(page.url()).toContain('cache=sessions');
  }
  expect(faults).toEqual([]);
});

it('the dashboard opens a shared URL of a named cache', async () => {
  const { page, faults } = await open(browser, `${await start()}#/pattern/rights%3A*?cache=sessions`);
  await page.getByRole('heading', { name: 'rights:*' }).waitFor();
  expect(await page.getByRole('combobox', { name: 'Cache' }).inputValue()).toBe('sessions');
  await soon(async () => expect(await page.getByRole('main').innerText()).toContain('75'));
  expect(faults).toEqual([]);
});
