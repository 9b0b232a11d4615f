import { expect, it } from '@jest/globals';
import { open } from '../support/dashboard-page.js';
import { advise, home, inBrowser, policies, startShop, traffic } from '../support/dashboard-shop.js';
import { soon } from '../support/soon.js';

const made = inBrowser();

it('a change in one browser is shown in another at once', async () => {
  const app = await startShop();
  await traffic(app);
  advise(app);
  const [one, other] = [
    await open(made.browser, home(app, '#/advice')),
    await open(made.browser, home(app, `#/pattern/${encodeURIComponent('product:*')}`)),
  ];
  for (const { page } of [one, other]) await page.locator('.connected.live').waitFor();
  expect(await other.page.getByRole('button', { name: 'Revert' }).count()).toBe(0);
  await one.page.getByRole('button', { name: 'Apply…' }).click();
  await one.page.getByRole('button', { name: 'Apply now' }).click();
  await other.page.getByRole('button', { name: 'Revert' }).click();
  await soon(async () => expect(await policies(app)).toMatchObject({ override: null }));
  for (const { faults } of [one, other]) expect(faults).toEqual([]);
});
