import { expect, it } from '@jest/globals';
import { inBrowser, openedShop, traffic } from '../support/dashboard-shop.js';
import { soon } from '../support/soon.js';

const made = inBrowser();

it('the dashboard has one main, one banner, one navigation and named regions, and a title for each page', async () => {
  const { page } = await openedShop(made.browser);
  for (const role of ['main', 'banner', 'navigation'] as const) expect(await page.getByRole(role).count()).toBe(1);
  expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
  for (const name of ['Status', 'Costs most', 'Change this', 'Over time', 'Alerts', 'Events', 'Layers', 'Endpoints']) {
    expect(await page.getByRole('region', { name, exact: true }).count()).toBe(1);
  }
  expect(await page.title()).toMatch(/^Overview · /);
  expect(await page.locator('meta[name=description]').getAttribute('content')).toMatch(/\w+ .{20,}/);
  await page.getByRole('link', { name: 'product:*' }).first().click();
  await soon(async () => expect(await page.title()).toMatch(/^product:\* · /));
});

it('live regions stay silent while figures change, and report a change of the state', async () => {
  const { page, app } = await openedShop(made.browser);
  await page.locator('.connected.live').waitFor();
  await page.evaluate(`
    window.said = [];
    const live = '[role=status], [role=alert], [aria-live]';
    new MutationObserver((records) => {
      for (const { target, addedNodes } of records) {
        const region = (target.nodeType === 1 ? target : target.parentElement)?.closest(live);
        const text = region?.textContent ?? [...addedNodes].flatMap((n) => n.matches?.(live) ? [n.textContent] : []).join();
        if (text !== '') window.said.push(text);
      }
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  `);
  const before = await page.locator('[data-figure=requests]').innerText();
  await traffic(app);
  await soon(async () => expect(await page.locator('[data-figure=requests]').innerText()).not.toBe(before));
  expect(await page.evaluate('window.said')).toEqual([]);
  await app.close();
  await page.getByRole('alert').waitFor();
  await soon(async () => expect(((await page.evaluate('window.said')) as string[]).join()).toMatch(/Disconnected/));
});

it('the dashboard has no animations if the browser prefers reduced motion', async () => {
  const { page } = await openedShop(made.browser, { reducedMotion: 'reduce' });
  const moving = `[...document.querySelectorAll('*')].filter((element) => {
    const { transitionDuration, animationName } = getComputedStyle(element);
    return animationName !== 'none' || transitionDuration.split(',').some((time) => parseFloat(time) > 0);
  }).length`;
  expect(await page.evaluate(moving)).toBe(0);
  await page.emulateMedia({ reducedMotion: 'no-preference' });
  expect(await page.evaluate(moving)).toBeGreaterThan(0);
});

it('a chart has its numbers as a table', async () => {
  const { page } = await openedShop(made.browser);
  for (const title of ['Hit rate', 'Requests', 'Response time', 'Load time']) {
    const chart = page.getByRole('figure', { name: title });
    await chart.getByText('Table').click();
    const table = chart.getByRole('table');
    expect(await table.getByRole('columnheader').first().innerText()).toBe('Time');
    expect(await table.getByRole('row').count()).toBeGreaterThanOrEqual(2);
  }
  const requests = page.getByRole('figure', { name: 'Requests' }).getByRole('row').last();
  expect(await requests.innerText()).toMatch(/\d\/s/);
});
