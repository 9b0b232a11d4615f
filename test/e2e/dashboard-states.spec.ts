import { expect, it } from '@jest/globals';
import { systemClock } from '../../lib/cache/base/clock.js';
import { ObservedCache } from '../../lib/index.js';
import { closeApps } from '../support/apps.js';
import { addressOf, open } from '../support/dashboard-page.js';
import { inBrowser, startShop, traffic, home, row, hide } from '../support/dashboard-shop.js';

const made = inBrowser();

it('the dashboard polls every few seconds if the event stream is full', async () => {
  const app = await startShop('express', { maxEventClients: 1 });
  await traffic(app);
  const [first, second] = [await open(made.browser, home(app)), await open(made.browser, home(app))];
  await Promise.any([first, second].map(({ page }) => page.locator('.connected.live').waitFor()));
  await Promise.any([first, second].map(({ page }) => page.locator('.connected.polling').waitFor()));
  for (const { page, faults } of [first, second]) {
    await page.getByText(/in flight, p99 \S+ \S+s/).waitFor();
    expect(faults).toEqual([]);
  }
});

it('the dashboard shows events when they happen, and those it missed while it was hidden', async () => {
  const app = await startShop();
  const cache = app.get(ObservedCache);
  const { page, faults } = await open(made.browser, home(app, '#/events'));
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

it('the dashboard lists events once that another process sends again', async () => {
  const app = await startShop();
  const cache = app.get(ObservedCache);
  const { page } = await open(made.browser, 'about:blank');
  await page.route(/\/cache\/events/, (route) => {
    const headers = route.request().headers();
    return route.continue({
      headers: 'last-event-id' in headers ? { ...headers, 'last-event-id': 'other-9' } : headers,
    });
  });
  await page.goto(home(app, '#/events'));
  await page.locator('.connected.live').waitFor();
  const listed = (key: string) => page.getByRole('listitem').filter({ hasText: key });
  await cache.del('feed:1');
  await listed('feed:*').waitFor();
  await hide(page, true);
  await page.locator('.connected.paused').waitFor();
  await cache.del('meanwhile:1');
  await hide(page, false);
  await listed('meanwhile').waitFor();
  expect(await listed('feed:*').count()).toBe(1);
});

it('the dashboard reports that the application does not answer, keeps its figures, and continues when it is back', async () => {
  const app = await startShop();
  await traffic(app);
  const { port } = new URL(addressOf(app));
  const { page, faults } = await open(made.browser, home(app));
  await page.locator('.connected.live').waitFor();
  await row(page, 'Patterns that cost most', 'product:*').waitFor();
  await closeApps();
  await page.getByRole('alert').filter({ hasText: 'Disconnected' }).waitFor();
  expect(await row(page, 'Patterns that cost most', 'product:*').count()).toBe(1);
  await startShop('express', {}, Number(port));
  await page.getByRole('alert').waitFor({ state: 'hidden' });
  await page.getByText('Nothing was asked in this window.').waitFor();
  expect(faults).toEqual([]);
});

it('the dashboard explains the first steps at the first start and if metrics are off', async () => {
  const app = await startShop();
  const { page } = await open(made.browser, home(app));
  await page.getByText('Nothing was asked in this window.').waitFor();
  await closeApps();
  const off = await startShop('express', {}, 0, { metrics: false });
  const other = await open(made.browser, home(off), { viewport: { width: 375, height: 812 } });
  await other.page.getByText('Metrics off').waitFor();
  const wider = 'document.documentElement.scrollWidth > document.documentElement.clientWidth';
  expect(await other.page.evaluate(wider)).toBe(false);
  expect(other.faults).toEqual([]);
});

it('an event has the time at which it happened by the clock of the application, however late it is shown', async () => {
  const app = await startShop();
  const cache = app.get(ObservedCache);
  const { page } = await open(made.browser, 'about:blank');
  await page.addInitScript('const now = Date.now; Date.now = () => now() + 7_200_000');
  await page.goto(home(app, '#/events'));
  await page.locator('.connected.live').waitFor();
  await hide(page, true);
  await page.locator('.connected.paused').waitFor();
  // Monotonic: it may differ from Date.now() by some milliseconds.
  const from = Math.floor(systemClock.now());
  await cache.del('meanwhile:1');
  const to = systemClock.now();
  await new Promise((resolve) => setTimeout(resolve, 5));
  await hide(page, false);
  const time = page.getByRole('listitem').filter({ hasText: 'meanwhile' }).locator('time');
  const at = Date.parse((await time.getAttribute('datetime'))!);
  expect(at).toBeGreaterThanOrEqual(from);
  expect(at).toBeLessThanOrEqual(to);
});
