import { expect, it } from '@jest/globals';
import { home, inBrowser, openedShop } from '../support/dashboard-shop.js';
import { soon } from '../support/soon.js';

const made = inBrowser();

it.each([
  ['at 200 %', { viewport: { width: 720, height: 450 }, deviceScaleFactor: 2 }],
  ['at 400 %', { viewport: { width: 360, height: 225 }, deviceScaleFactor: 4 }],
  ['on a phone', { viewport: { width: 375, height: 812 }, isMobile: true, hasTouch: true }],
])('no page scrolls sideways %s', async (_, options) => {
  const { page, app } = await openedShop(made.browser, options);
  for (const path of [
    '',
    'patterns',
    'pattern/product%3A*',
    `pattern/${'long-'.repeat(40)}`,
    'layers',
    'advice',
    'instances',
  ]) {
    await page.goto(home(app, `#/${path}`));
    await soon(async () => expect(await page.locator('.loading').count()).toBe(0));
    const wider = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
    expect([path, await page.evaluate(wider)]).toEqual([path, 0]);
  }
});
