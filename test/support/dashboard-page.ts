import { existsSync, readdirSync, statSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const { writeAssets } = (await import(new URL('../../lib/dashboard/client/build.mjs', import.meta.url).href)) as {
  writeAssets(file: string): Promise<{ readonly br: number; readonly gzip: number }>;
};

const ASSETS = 'lib/dashboard/client-assets.js';
const SOURCES = 'lib/dashboard/client';

/** Builds the client from its sources, as `npm run build` does. @returns how many bytes a browser receives. */
export const buildClient = () => writeAssets(ASSETS);

/** Builds the client if another suite has not built it since its sources or the installed packages changed. */
export async function ensureClient(): Promise<void> {
  const sources = readdirSync(SOURCES).map((name) => `${SOURCES}/${name}`);
  const changedAt = Math.max(...[...sources, 'package-lock.json'].map((file) => statSync(file).mtimeMs));
  if (!existsSync(ASSETS) || statSync(ASSETS).mtimeMs < changedAt) await buildClient();
}

/** The Chromium of the system, or the one that CHROMIUM names. */
export const launch = (): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
  });

export const addressOf = (app: INestApplication): string =>
  `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;

/** A page that reports its errors. */
export interface WatchedPage {
  readonly page: Page;
  /** Errors of scripts and violations of the content security policy; 4xx responses are not included. */
  readonly faults: string[];
  close(): Promise<void>;
}

export async function open(
  browser: Browser,
  address: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    const text = message.text();
    if (message.type() === 'error' && !/^Failed to load resource/.test(text)) faults.push(text);
  });
  await page.goto(address);
  return { page, faults, close: () => context.close() };
}
