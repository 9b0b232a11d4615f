import { expect, it } from '@jest/globals';
import type { Page, Route } from 'playwright-core';
import { ObservedCache } from '../../lib/index.js';
import { open } from '../support/dashboard-page.js';
import { home, inBrowser, row, startShop, traffic } from '../support/dashboard-shop.js';
import { soon } from '../support/soon.js';

const made = inBrowser();
const EVENTS = /\/cache\/events/;
const OVERVIEW = /\/dashboard\/overview/;
/** Longer than the page leaves between two questions for its status or its figures. */
const INTERVAL_MS = 21_000;

const opened = async (prepare: (page: Page) => Promise<unknown>, monitoring = {}) => {
  const app = await startShop('express', monitoring);
  await traffic(app);
  const { page, faults } = await open(made.browser, 'about:blank');
  await prepare(page);
  await page.goto(home(app));
  return { app, page, faults };
};

it('the dashboard asks for figures where a proxy does not let the event stream through, and listens again when it does', async () => {
  const { app, page } = await opened((page) => page.route(EVENTS, (route) => route.fulfill({ status: 502 })));
  await page.locator('.connected.polling').waitFor();
  await row(page, 'Patterns that cost most', 'product:*').waitFor();
  await page.getByText(/in flight, p99 \S+ \S+s/).waitFor();
  await page.getByText('The event stream is not open: events do not come in.').waitFor();
  expect(await page.getByRole('alert').count()).toBe(0);
  await page.unroute(EVENTS);
  await page.locator('.connected.live').waitFor();
  await app.get(ObservedCache).del('feed:1');
  await page.getByRole('listitem').filter({ hasText: 'feed:*' }).waitFor();
});

it('the dashboard shows what it has while an answer is late, and asks again soon for what was not answered', async () => {
  const late: Route[] = [];
  let isLate = true;
  const { page } = await opened(async (page) => {
    await page.clock.install();
    await page.route(OVERVIEW, (route) => (isLate ? void late.push(route) : route.continue()));
  });
  await page.locator('.connected.live').waitFor();
  await soon(() => expect(late).not.toEqual([]));
  // Longer than the page keeps its parts hidden.
  await page.clock.runFor(3_500);
  await page.getByRole('navigation', { name: 'Pages' }).waitFor();
  isLate = false;
  for (const route of late) await route.abort();
  await page.getByText('The application does not answer.').first().waitFor();
  await page.clock.runFor(6_000);
  await row(page, 'Patterns that cost most', 'product:*').waitFor();
  await page.getByRole('heading', { name: 'Change this' }).waitFor();
  await expect(page.locator('.note.refused').first().waitFor({ state: 'detached' })).resolves.toBeUndefined();
});

it('a status and figures that are not answered any more are not shown as those of now', async () => {
  const { page } = await opened(async (page) => {
    await page.clock.install();
    // Without the stream nothing depends on the time that passes outside of the page.
    await page.route(EVENTS, (route) => route.fulfill({ status: 502 }));
  });
  await page.getByRole('status').filter({ hasText: 'Healthy' }).waitFor();
  await page.route(OVERVIEW, (route) =>
    route.fulfill({ status: 503, json: { statusCode: 503, code: 'FLEET_UNAVAILABLE', message: 'No other answers.' } }),
  );
  await page.clock.runFor(INTERVAL_MS);
  await page.getByRole('status').filter({ hasText: 'Not known' }).waitFor();
  await page.getByText(/^No other answers. The application was healthy when it answered last/).waitFor();
  await page.locator('.figures.old').waitFor();
  await page.unroute(OVERVIEW);
  await page.clock.runFor(INTERVAL_MS);
  await page.getByRole('status').filter({ hasText: 'Healthy' }).waitFor();
  await page.locator('.figures:not(.old)').waitFor();
}, 60_000);

it('the form for a token stays where no header can carry what was typed, also after a reload', async () => {
  const guards = [
    { canActivate: (context: any) => context.switchToHttp().getRequest().headers.authorization === 'Bearer right' },
  ];
  const { page, faults } = await opened(() => Promise.resolve(), { guards });
  const give = async (text: string) => {
    await page.getByLabel('Bearer token').fill(text);
    await page.getByRole('button', { name: 'Open' }).click();
  };
  await give('жетон');
  await page.getByText('The token that was given is refused too.').waitFor();
  await page.reload();
  await page.getByText('The token that was given is refused too.').waitFor();
  await give('wrong');
  await page.getByText('The token that was given is refused too.').waitFor();
  await give('right');
  await page.locator('.connected.live').waitFor();
  await row(page, 'Patterns that cost most', 'long-').waitFor();
  expect(faults).toEqual([]);
}, 60_000);
