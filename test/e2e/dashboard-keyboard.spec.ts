import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { inBrowser, openedShop } from '../support/dashboard-shop.js';
import { soon } from '../support/soon.js';

const made = inBrowser();

/** The element that has the focus: its name, whether it can be seen, and whether an outline says so. */
const focused = (page: Page) =>
  page.evaluate(`(() => {
    const element = document.activeElement;
    // Radio buttons are drawn by the text beside them.
    const drawn = element.matches('input[type=radio]') ? element.nextElementSibling : element;
    const { outlineStyle, outlineWidth } = getComputedStyle(drawn);
    const { width, height } = drawn.getBoundingClientRect();
    return {
      name: (element.getAttribute('aria-label') ?? drawn.textContent ?? '').trim().slice(0, 60) + ' ' + element.tagName,
      seen: width > 0 && height > 0,
      outlined: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2,
      end: element === document.body,
    };
  })()`) as Promise<{ name: string; seen: boolean; outlined: boolean; end: boolean }>;

it('the dashboard is used by keyboard alone: every stop of the Tab key is seen, and links, sorting and choices work', async () => {
  const { page, faults } = await openedShop(made.browser);
  const stops: string[] = [];
  const hidden: string[] = [];
  for (let press = 0; press < 150; press++) {
    await page.keyboard.press('Tab');
    const { name, seen, outlined, end } = await focused(page);
    if (end) break;
    stops.push(name);
    if (!seen || !outlined) hidden.push(name);
  }
  expect(hidden).toEqual([]);
  expect(stops[0]).toBe('To the content A');
  for (const stop of ['Patterns A', '5m INPUT', 'Hit rate BUTTON', 'Sort by Time lost BUTTON', 'product:* A']) {
    expect(stops).toContain(stop);
  }
  expect(stops.some((stop) => /^Apply/.test(stop))).toBe(true);

  await page.getByRole('button', { name: 'Apply…' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  expect(await page.evaluate("document.activeElement.closest('dialog') !== null")).toBe(true);
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await soon(async () => expect((await focused(page)).name).toMatch(/^Apply/));

  await page.getByRole('link', { name: 'To the content' }).focus();
  await page.keyboard.press('Enter');
  expect(await page.evaluate('document.activeElement.id')).toBe('main');
  expect(page.url()).not.toContain('#main');
  await page.getByRole('navigation').getByText('Endpoints').focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/#\/endpoints$/);
  expect(faults).toEqual([]);
});

it('a definition is shown on focus and on hover, and described to screen readers', async () => {
  const { page } = await openedShop(made.browser);
  const term = page.getByRole('button', { name: 'Time saved', exact: true });
  const tip = page.getByRole('tooltip').filter({ hasText: 'hits × the mean load time' }).first();
  expect(await tip.isVisible()).toBe(false);
  await term.focus();
  await tip.waitFor();
  expect(await term.getAttribute('aria-describedby')).toBe(await tip.getAttribute('id'));
});
