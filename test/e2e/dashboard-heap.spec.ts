import { expect, it } from '@jest/globals';
import type { CDPSession } from 'playwright-core';
import { open } from '../support/dashboard-page.js';
import { home, inBrowser, row, startTurnedShop } from '../support/dashboard-shop.js';
import { soon } from '../support/soon.js';

const made = inBrowser();

const heapOf = async (session: CDPSession): Promise<number> => {
  await session.send('HeapProfiler.collectGarbage');
  await session.send('HeapProfiler.collectGarbage');
  const { metrics } = await session.send('Performance.getMetrics');
  return metrics.find(({ name }) => name === 'JSHeapUsedSize')!.value;
};

it('the page keeps no more memory after an hour of ticks', async () => {
  const { app, clock, ask } = await startTurnedShop(100);
  const { page, faults } = await open(made.browser, home(app));
  await page.locator('.connected.live').waitFor();
  await row(page, 'Patterns that cost most', 'p0').waitFor();
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  /** Turns the clock, tick by tick. */
  const minutes = async (count: number) => {
    for (let minute = 0; minute < count; minute++) {
      ask();
      await clock.advance(60_000);
    }
    ask();
    await clock.advance(1_000);
  };
  await minutes(20);
  await soon(async () => expect(await page.locator('[data-figure=inFlight] strong').innerText()).not.toBe('–'));
  const before = await heapOf(session);
  await minutes(60);
  await soon(async () => expect(await heapOf(session)).toBeLessThan(before * 1.25), 10_000);
  expect(faults).toEqual([]);
});
