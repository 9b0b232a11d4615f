import { expect, it } from '@jest/globals';
import { open } from './dashboard-page.js';
import { advise, home, inBrowser, startShop, traffic, violationsOf } from './dashboard-shop.js';
import { soon } from './soon.js';

/** Pages by their path, with the text of their heading. */
export const TITLES = {
  '': 'Overview',
  patterns: 'Patterns',
  'pattern/product%3A*': 'product:*',
  endpoints: 'Endpoints',
  'endpoint/GET%20%2Fproducts%2F%3Aid': 'GET /products/:id',
  layers: 'Layers',
  instances: 'Instances',
  advice: 'Advice',
  alerts: 'Alerts',
  warming: 'Warming',
  events: 'Events',
  flame: 'Flame graph',
  database: 'Database',
  unknown: 'There is no such page',
};

/** Asks axe about every page in one colour scheme, with all tables of charts open. */
export function findsNoViolations(scheme: 'light' | 'dark'): void {
  const made = inBrowser();
  it(`axe finds no violation on any page in ${scheme}`, async () => {
    const app = await startShop();
    await traffic(app);
    advise(app);
    const { page, faults } = await open(made.browser, home(app), { colorScheme: scheme, reducedMotion: 'reduce' });
    const violations: string[] = [];
    for (const [path, title] of Object.entries(TITLES)) {
      await page.evaluate(`location.hash = '#/${path}'`);
      await page.getByRole('heading', { level: 1 }).filter({ hasText: title }).waitFor({ state: 'attached' });
      await soon(async () => expect(await page.locator('.loading').count()).toBe(0));
      for (const summary of await page.locator('summary').all()) await summary.click();
      for (const violation of await violationsOf(page)) violations.push(`${path}: ${violation}`);
    }
    expect(violations).toEqual([]);
    expect(faults).toEqual([]);
  });
}
