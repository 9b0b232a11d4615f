import { expect, it } from '@jest/globals';
import { ObservedCache } from '../../lib/index.js';
import { moment, percent } from '../../lib/dashboard/client/format.js';
import { addressOf, open } from '../support/dashboard-page.js';
import { advise, home, inBrowser, policies, startShop, traffic, violationsOf } from '../support/dashboard-shop.js';
import { soon } from '../support/soon.js';

const made = inBrowser();

it('the dashboard asks for a bearer token if guards refuse, and hides writes from users without the right', async () => {
  const holds = (token: string) => ({
    canActivate: (context: any) =>
      [`Bearer ${token}`, 'Bearer admin'].includes(context.switchToHttp().getRequest().headers.authorization),
  });
  const app = await startShop('express', { guards: [holds('reader')], writeGuards: [holds('admin')] });
  advise(app);
  const { page, faults } = await open(made.browser, home(app));
  await page.getByRole('heading', { name: 'Not allowed' }).waitFor();
  expect(await violationsOf(page)).toEqual([]);
  await page.getByLabel('Bearer token').fill('wrong');
  await page.keyboard.press('Enter');
  await page.getByText('The token that was given is refused too.').waitFor();
  await page.getByLabel('Bearer token').fill('reader');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Costs most' }).waitFor();
  await page.locator('.connected.live').waitFor();
  await page.goto(home(app, '#/advice'));
  await page.reload();
  await page.getByText('Keep it longer').waitFor();
  expect(await page.getByRole('button', { name: 'Apply…' }).count()).toBe(0);
  expect(faults).toEqual([]);
});

it('the dashboard applies advice after confirmation, and reverts it', async () => {
  const app = await startShop();
  await traffic(app);
  advise(app);
  const { page, faults } = await open(made.browser, `${addressOf(app)}/cache/dashboard`);
  await page.goto(home(app, '#/advice'));
  await page.reload();
  await page.getByRole('button', { name: 'Apply…' }).click();
  expect(await violationsOf(page)).toEqual([]);
  const dialog = page.getByRole('dialog');
  await dialog
    .filter({ hasText: /ttl 5m → 20m/ })
    .filter({ hasText: percent(0.83) })
    .waitFor();
  expect(await policies(app)).toMatchObject({ override: null });
  await dialog.getByRole('button', { name: 'Apply now' }).click();
  await dialog.waitFor({ state: 'hidden' });
  await soon(async () => expect(await policies(app)).toMatchObject({ override: { values: { ttl_ms: 1_200_000 } } }));
  await page.goto(home(app, `#/pattern/${encodeURIComponent('product:*')}`));
  await page.getByRole('button', { name: 'Revert' }).click();
  await page.getByRole('button', { name: 'Revert' }).waitFor({ state: 'hidden' });
  await soon(async () => expect(await policies(app)).toMatchObject({ override: null }));
  expect(faults).toEqual([]);
});

it('the dashboard applies advice beside an override that is in force', async () => {
  const app = await startShop();
  await traffic(app);
  advise(app);
  await app.get(ObservedCache).tuning.override('product:*', { staleIfError: '1h' }, { for: '3d' });
  const { override: before } = (await policies(app)) as { override: { expires_at: string } };
  const { page } = await open(made.browser, home(app, '#/advice'));
  await page.getByRole('button', { name: 'Apply…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Apply now' }).click();
  await soon(async () =>
    expect(await policies(app)).toMatchObject({
      override: { values: { ttl_ms: 1_200_000, stale_if_error_ms: 3_600_000 }, expires_at: before.expires_at },
    }),
  );
  await page.goto(home(app, `#/pattern/${encodeURIComponent('product:*')}`));
  await page.getByText(`until ${moment(before.expires_at)}`).waitFor();
});
