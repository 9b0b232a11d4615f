import { afterEach, expect, it } from '@jest/globals';
import { createServer, request as send, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CacheMetrics } from '../../lib/index.js';
import { addressOf, open } from '../support/dashboard-page.js';
import { inBrowser, startShop, traffic, home, row } from '../support/dashboard-shop.js';
import { soon } from '../support/soon.js';

const made = inBrowser();

const proxies: Server[] = [];
afterEach(() => {
  for (const proxy of proxies.splice(0)) proxy.close();
});

it('the dashboard works behind a proxy that serves it under another path', async () => {
  const app = await startShop();
  await traffic(app);
  const target = new URL(addressOf(app));
  const proxy = createServer((request, response) => {
    const path = request.url!.replace(/^\/tools\/shop/, '');
    const forwarded = send({
      host: target.hostname,
      port: target.port,
      path,
      method: request.method,
      headers: request.headers,
    });
    forwarded.on('response', (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    forwarded.on('error', () => response.destroy());
    response.on('close', () => forwarded.destroy());
    request.pipe(forwarded);
  });
  proxies.push(proxy);
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as AddressInfo;
  const { page, faults } = await open(made.browser, `http://127.0.0.1:${port}/tools/shop/cache/dashboard`);
  await row(page, 'Patterns that cost most', 'product:*').waitFor();
  await page.locator('.connected.live').waitFor();
  expect(faults).toEqual([]);
});

it('the dashboard draws few rows of a thousand patterns, sorts all of them, and finds one', async () => {
  const app = await startShop();
  const metrics = app.get(CacheMetrics);
  for (let n = 0; n < 1_000; n++) {
    for (let time = 0; time <= n % 7; time++) {
      metrics.record({ operation: 'get', pattern: `p${n}`, result: time === 0 ? 'miss' : 'hit', responseTimeMs: 1 });
    }
  }
  const { page, faults } = await open(made.browser, home(app, '#/patterns'));
  await page.getByRole('button', { name: /^Show 50 more of 1001/ }).waitFor();
  const rows = page.getByRole('region', { name: 'Table: Patterns', exact: true }).getByRole('row');
  await soon(async () => expect(await rows.count()).toBe(51));
  await page.getByRole('button', { name: 'Sort by Pattern' }).click();
  await page.getByLabel('Filter').fill('p777');
  await page.getByRole('link', { name: 'p777', exact: true }).waitFor();
  await soon(async () => expect(await rows.count()).toBe(2));
  expect(faults).toEqual([]);
});
