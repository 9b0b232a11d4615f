import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { ROUTES } from '../../bench/questions/dashboards.mjs';
import { open } from '../support/dashboard-page.js';
import { home, inBrowser, row, startShop, startTurnedShop, traffic } from '../support/dashboard-shop.js';
import { soon } from '../support/soon.js';

/** Two minutes. */
const TICKS = 120;
const made = inBrowser();

it('a tick costs the page of a thousand patterns about what it costs that of ten', async () => {
  const taskMs: number[] = [];
  for (const patterns of [10, 1_000]) {
    const { app, clock, ask } = await startTurnedShop(patterns);
    const { page, close } = await open(made.browser, home(app));
    await row(page, 'Patterns that cost most', 'p0').waitFor();
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable');
    const scriptMs = async () => {
      const { metrics } = await session.send('Performance.getMetrics');
      return metrics.find(({ name }) => name === 'ScriptDuration')!.value * 1_000;
    };
    const before = await scriptMs();
    for (let tick = 0; tick < TICKS; tick++) {
      if (tick % 10 === 0) ask();
      await clock.advance(1_000);
    }
    await soon(async () => expect(await page.locator('.connected.live').count()).toBe(1));
    await page.evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(done)))');
    taskMs.push((await scriptMs()) - before);
    await close();
  }
  const [few, many] = taskMs as [number, number];
  // A page that has hardly worked is no measure: it counts as one that takes 2 ms per tick.
  expect(many).toBeLessThan(4 * Math.max(few, 2 * TICKS));
});

it('the bench of dashboards asks what the first page asks', async () => {
  const app = await startShop();
  await traffic(app);
  const { page } = await open(made.browser, 'about:blank');
  const asked = page.waitForRequest(/dashboard\/overview/);
  await page.goto(home(app));
  const first = new URL((await asked).url()).searchParams.getAll('part');
  await row(page, 'Patterns that cost most', 'product:*').waitFor();
  await soon(async () => {
    const later = (await page.evaluate(
      `performance.getEntriesByType('resource').filter(({ name }) => name.includes('overview')).map(({ name }) => name)`,
    )) as string[];
    const parts = new Set([...first, ...later.flatMap((url) => new URL(url).searchParams.getAll('part'))]);
    expect([...parts].sort()).toEqual(ROUTES.map(([path]) => path).sort());
  });
});

it.each([1, 2])('a page asks at its interval times the pace that the application sends: %d', async (pace) => {
  const app = await startShop();
  await traffic(app);
  const { page } = await open(made.browser, 'about:blank');
  await page.clock.install();
  // Without the stream nothing depends on the time that passes outside of the page.
  await page.route('**/cache/events', (route) =>
    route.fulfill({ status: 503, json: { code: 'TOO_MANY_CLIENTS', message: '' } }),
  );
  let asked = 0;
  let answered = 0;
  await page.route('**/dashboard/overview*', async (route) => {
    const counts = new URL(route.request().url()).searchParams.getAll('part').includes('health');
    if (counts) asked++;
    const response = await route.fetch();
    await route.fulfill({ response, headers: { ...response.headers(), 'x-cache-pace': String(pace) } });
    if (counts) answered++;
  });
  await page.goto(home(app));
  await row(page, 'Patterns that cost most', 'product:*').waitFor();
  const secondsUntil = async (count: number) => {
    // The time in which the machine answers is not time of the page.
    while (answered < count) await (asked > answered ? pause(10) : page.clock.runFor(500));
    return (await page.evaluate<number>('Date.now()')) / 1_000;
  };
  const second = await secondsUntil(2);
  const seconds = (await secondsUntil(4)) - second;
  expect(seconds > 30 ? 2 : 1).toBe(pace);
});
