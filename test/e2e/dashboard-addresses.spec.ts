import { expect, it } from '@jest/globals';
import { CacheMetrics } from '../../lib/index.js';
import { open } from '../support/dashboard-page.js';
import { figure, home, inBrowser, MARKUP, row, startShop, traffic } from '../support/dashboard-shop.js';
import { soon } from '../support/soon.js';

const made = inBrowser();

it('an address that names no page says so once, and leads on', async () => {
  const app = await startShop();
  const { page, faults } = await open(made.browser, 'about:blank');
  for (const hash of [
    '#/pattern',
    '#/pattern/',
    `#/pattern/${'x'.repeat(600)}`,
    '#/endpoint/',
    '#/nosuch',
    '#/layers/x',
    '#/%',
  ]) {
    // Another document, so that each address is opened and not followed.
    await page.goto('about:blank');
    await page.goto(home(app, hash));
    await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
    expect([hash, await page.title()]).toEqual([hash, expect.stringMatching(/^No such page · /)]);
    expect([hash, await page.locator('.refused').count()]).toEqual([hash, 0]);
    await page.getByRole('link', { name: 'To the overview' }).click();
    await page.getByRole('heading', { name: 'Costs most' }).waitFor();
  }
  expect(faults).toEqual([]);
});

it.each([
  ['cache=nosuch', 'There is no cache “nosuch” in this application'],
  [`cache=${encodeURIComponent(MARKUP)}`, `There is no cache “${MARKUP}” in this application`],
  ['scope=fleet', 'This application has no fleet'],
])('an address of another application says what is absent here, and leads to what is not: %s', async (query, text) => {
  const app = await startShop();
  await traffic(app);
  const { page, faults } = await open(made.browser, home(app, `#/patterns?window=1h&${query}`));
  await page.getByRole('heading', { name: text }).waitFor();
  expect(await page.locator('.refused').count()).toBe(0);
  await page.getByRole('link', { name: 'To this instance’s own cache' }).click();
  await row(page, 'Patterns', 'product:*').waitFor();
  await page.waitForURL(/#\/patterns\?window=1h$/);
  expect(await page.evaluate('window.planted')).toBeUndefined();
  expect(faults).toEqual([]);
});

it('a shared address shows the same window after a reload, and unknown windows as the usual one', async () => {
  const app = await startShop();
  await traffic(app);
  const { page } = await open(made.browser, home(app, '#/?window=24h'));
  await page.getByRole('radio', { name: '24h', checked: true }).waitFor();
  await page.reload();
  await page.getByRole('radio', { name: '24h', checked: true }).waitFor();
  await soon(async () => expect(await figure(page, 'requests').innerText()).toContain('24h'));
  await page.goto(home(app, '#/?window=__proto__'));
  await page.getByRole('radio', { name: '5m', checked: true }).waitFor();
});

it('a table sorts names from A up, figures from the largest down, and leaves what is not known last either way', async () => {
  const app = await startShop();
  await traffic(app);
  const { page } = await open(made.browser, home(app, '#/patterns'));
  await row(page, 'Patterns', 'product:*').waitFor();
  const order = (name: string) =>
    page.getByRole('columnheader', { name: `${name} Sort by ${name}` }).getAttribute('aria-sort');
  const press = (name: string) => page.getByRole('button', { name: `Sort by ${name}`, exact: true }).click();
  const column = async (at: number) => page.locator(`tbody tr > :nth-child(${at})`).allInnerTexts();
  expect(await order('Time lost')).toBe('descending');
  await press('Pattern');
  expect(await order('Pattern')).toBe('ascending');
  await press('Pattern');
  expect(await order('Pattern')).toBe('descending');
  for (let times = 0; times < 2; times++) {
    await press('Memory');
    const shown = await column(11);
    expect(shown.filter((text) => text !== '–')).not.toEqual([]);
    expect(shown.slice(shown.indexOf('–') < 0 ? shown.length : shown.indexOf('–')).every((text) => text === '–')).toBe(
      true,
    );
  }
});

it('a pattern with the longest name has its page, in any script', async () => {
  const app = await startShop();
  const pattern = '製'.repeat(512);
  app.get(CacheMetrics).record({ operation: 'get', pattern, result: 'hit', responseTimeMs: 1 });
  const { page, faults } = await open(made.browser, home(app, `#/pattern/${encodeURIComponent(pattern)}`));
  await page.getByRole('heading', { name: 'TTL ladder' }).waitFor();
  await soon(async () => expect(await page.locator('.loading').count()).toBe(0));
  expect(await page.locator('.refused').count()).toBe(0);
  await page.locator('.fact').filter({ hasText: 'Hit rate' }).filter({ hasText: '100' }).waitFor();
  expect(faults).toEqual([]);
});
