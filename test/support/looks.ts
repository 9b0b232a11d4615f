import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';

/*
 * Compares how pages look with pictures that were looked at.
 *
 * A picture is the page drawn very small, so that it shows where what is and how dark it is, and not which font letters have. It is kept
 * as a PNG of some kilobytes, for people to look at. UPDATE_LOOKS=1 draws them anew: look at each before you commit it.
 */

const FOLDER = new URL('../looks/', import.meta.url);
const [COLUMNS, ROWS] = [72, 45];
/** Levels of 255 from which on a cell is another one. Fonts change cells of text by less. */
const ANOTHER = 10;

/** The share of the picture's cells that look otherwise than in the one that is kept, 0–1. */
export async function differenceFrom(browser: Browser, page: Page, name: string): Promise<number> {
  const file = new URL(`${name}.png`, FOLDER);
  const canvas = await browser.newPage();
  try {
    const now = await small(canvas, await page.screenshot());
    if (process.env['UPDATE_LOOKS'] !== undefined || !existsSync(file)) {
      mkdirSync(FOLDER, { recursive: true });
      writeFileSync(file, Buffer.from(now.png, 'base64'));
      return 0;
    }
    const kept = await small(canvas, readFileSync(file));
    return now.cells.filter((cell, at) => Math.abs(cell - kept.cells[at]!) >= ANOTHER).length / now.cells.length;
  } finally {
    await canvas.close();
  }
}

/** Draws a picture small, and reads the brightness of its cells. */
async function small(canvas: Page, png: Buffer): Promise<{ cells: number[]; png: string }> {
  return (await canvas.evaluate(`(async () => {
    const bytes = Uint8Array.from(atob('${png.toString('base64')}'), (c) => c.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }), {
      resizeWidth: ${COLUMNS}, resizeHeight: ${ROWS}, resizeQuality: 'high',
    });
    const surface = new OffscreenCanvas(${COLUMNS}, ${ROWS});
    const context = surface.getContext('2d');
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, ${COLUMNS}, ${ROWS});
    const cells = [];
    for (let at = 0; at < data.length; at += 4) {
      cells.push(0.2126 * data[at] + 0.7152 * data[at + 1] + 0.0722 * data[at + 2]);
    }
    const made = new Uint8Array(await (await surface.convertToBlob({ type: 'image/png' })).arrayBuffer());
    return { cells, png: btoa(String.fromCharCode(...made)) };
  })()`)) as { cells: number[]; png: string };
}
