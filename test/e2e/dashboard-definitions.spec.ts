import { expect, it } from '@jest/globals';
import { CacheMetrics, ObservedCache } from '../../lib/index.js';
import { TERMS } from '../../lib/dashboard/client/terms.js';
import { ManualClock } from '../support/manual-clock.js';
import { open } from '../support/dashboard-page.js';
import { TITLES } from '../support/dashboard-axe.js';
import { advise, figure, home, inBrowser, row, startShop, traffic } from '../support/dashboard-shop.js';
import { soon } from '../support/soon.js';

const made = inBrowser();
const PAGES = ['', 'patterns', 'pattern/product%3A*', 'endpoints', 'endpoint/GET%20%2Fproducts%2F%3Aid', 'layers', 'instances', 'advice', 'warming'] as const; // prettier-ignore

/** Names of figures without a definition: of facts, of columns aligned to the right, of charts. */
const UNDEFINED = `[...document.querySelectorAll('.fact dt, .figure dt, thead th.n, figcaption strong, .gains > span, .evidence li')]
  .filter((name) => !(name.querySelector('[role=tooltip]')?.textContent.length > 10))
  .map((name) => name.textContent)`;
const FIGURES = `document.querySelectorAll('.fact dt, .figure dt, thead th.n, figcaption strong').length`;

it('every figure of every page has a definition, and every card says what it covers', async () => {
  const app = await startShop();
  await traffic(app);
  advise(app);
  await app.get(ObservedCache).tuning.override('product:*', { staleWhileRevalidate: '1m' });
  const { page, faults } = await open(made.browser, home(app));
  await page.locator('.connected.live').waitFor();
  for (const hash of PAGES) {
    await page.evaluate(`location.hash = '#/${hash}'`);
    await page.getByRole('heading', { level: 1 }).filter({ hasText: TITLES[hash] }).waitFor({ state: 'attached' });
    await soon(async () => expect(await page.locator('.waiting, .loading').count()).toBe(0));
    if (hash !== 'advice' && hash !== 'warming') expect(await page.evaluate(FIGURES)).toBeGreaterThan(0);
    expect([hash, await page.evaluate(UNDEFINED)]).toEqual([hash, []]);
    expect(await page.locator('.card > header .covers:empty').count()).toBe(0);
  }
  expect(faults).toEqual([]);
}, 120_000);

it('the figures of the overview say which window they cover, and the memory of a layer is not called a mean size', async () => {
  const app = await startShop();
  await traffic(app);
  const { page } = await open(made.browser, home(app, '#/?window=1h'));
  for (const name of ['saved', 'hitRate', 'requests', 'p95']) await figure(page, name).getByText('last 1h').waitFor();
  await figure(page, 'inFlight').getByText('last minute').waitFor();
  const layers = page.getByRole('region', { name: 'Table: Layers', exact: true });
  const memory = layers.getByRole('columnheader').filter({ hasText: 'Memory' });
  expect(await memory.getByRole('tooltip', { includeHidden: true }).textContent()).toBe(TERMS.layerMemory);
});

it('a point without neighbours is drawn: traffic may be rare', async () => {
  const clock = new ManualClock();
  const app = await startShop('express', {}, 0, { clock });
  for (let times = 0; times < 2; times++) {
    app.get(CacheMetrics).record({ operation: 'get', pattern: 'rare:*', result: 'hit', responseTimeMs: 1 });
    await clock.advance(25 * 60_000);
  }
  const { page } = await open(made.browser, home(app, '#/?window=1h'));
  await page.getByRole('figure', { name: 'Hit rate' }).locator('canvas').waitFor();
  const painted = `(() => {
    const probe = document.createElement('canvas').getContext('2d');
    probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('--s1').trim();
    probe.fillRect(0, 0, 1, 1);
    const [r, g, b] = probe.getImageData(0, 0, 1, 1).data;
    const canvas = document.querySelector('.chart canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let found = 0;
    for (let at = 0; at < data.length; at += 4)
      if (data[at] === r && data[at + 1] === g && data[at + 2] === b && data[at + 3] > 200) found++;
    return found;
  })()`;
  await soon(async () => expect(await page.evaluate(painted)).toBeGreaterThan(4));
  const spark = figure(page, 'hitRate').locator('.spark path');
  expect(await spark.getAttribute('d')).toMatch(/^M[\d. ]+h0M[\d. ]+h0$/);
});

it('a name that cannot be seen is shown so that it can, and pressed', async () => {
  const app = await startShop();
  for (const pattern of [' ', '\u0000x']) {
    app.get(CacheMetrics).record({ operation: 'get', pattern, result: 'hit', responseTimeMs: 1 });
  }
  const { page } = await open(made.browser, home(app, '#/patterns'));
  await row(page, 'Patterns', '␀x').waitFor();
  await page.getByRole('link', { name: '“ ”' }).click();
  await page.getByRole('heading', { level: 1 }).filter({ hasText: '“ ”' }).waitFor();
});
