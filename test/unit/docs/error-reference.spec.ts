import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CODES, SECTIONS } from '../../../lib/code-catalogue.js';
import { CODES as ALERTS } from '../../../lib/insight/alerts/alert.js';
import { createObservedCache } from '../../../lib/index.js';
import { errorReference } from '../../support/error-reference.js';

/** Files whose upper-case texts are words of SQL, or names in an application's code. */
const OTHER_WORDS = ['database/statements', 'schematics'];
/** Upper-case texts that are codes of Node, environment variables or names of Redis' protocol. */
const OTHER_NAMES = [
  'BLOB_STRING',
  'CACHE_MANAGER',
  'EAI_AGAIN',
  'ERR_MODULE_NOT_FOUND',
  'MODULE_NOT_FOUND',
  'NODE_ENV',
];
/** Files that only list codes, as types and in the catalogue. */
const LISTS = [
  'code-catalogue.ts',
  'cache/base/errors.ts',
  'cache/base/log-codes.ts',
  'metrics/snapshot.ts',
  'monitoring/monitoring-error.ts',
];

const files = readdirSync('lib', { recursive: true, encoding: 'utf8' }).filter(
  (file) => file.endsWith('.ts') && !OTHER_WORDS.some((folder) => file.startsWith(folder)) && !LISTS.includes(file),
);
const sources = files.map((file) => readFileSync(join('lib', file), 'utf8')).join('\n');
const inCode = [...sources.matchAll(/'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)'/g)]
  .map(([, code]) => code!)
  .filter((code) => !OTHER_NAMES.includes(code));

describe('the catalogue of codes', () => {
  it('the catalogue of codes explains every code in the sources', () => {
    expect([...new Set(inCode)].filter((code) => !(code in CODES)).sort()).toEqual([]);
  });

  it('the catalogue of codes explains no unused code', () => {
    expect(Object.keys(CODES).filter((code) => !sources.includes(`'${code}'`))).toEqual([]);
  });

  it('the catalogue of codes gives every code a section, a cause and a remedy', () => {
    const titles: readonly string[] = SECTIONS.map(({ title }) => title);
    const incomplete = Object.entries(CODES).filter(
      ([, { section, ...texts }]) =>
        !titles.includes(section) || Object.values(texts).some((text) => !text.endsWith('.')),
    );
    expect(incomplete.map(([code]) => code)).toEqual([]);
  });

  it('each code of the catalogue is named by a test', () => {
    const tests = readdirSync('test', { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.tsx?$/.test(file) && !file.endsWith('error-reference.spec.ts'))
      .map((file) => readFileSync(join('test', file), 'utf8'))
      .join('\n');
    expect(Object.keys(CODES).filter((code) => !new RegExp(`\\b${code}\\b`).test(tests))).toEqual([]);
  });

  it('docs/reference/errors.md equals the output of npm run docs:codes', () => {
    expect(readFileSync('docs/reference/errors.md', 'utf8')).toBe(errorReference());
  });

  it('docs/alerts.md lists every code with the severity of its alert', () => {
    const rows = readFileSync('docs/alerts.md', 'utf8').matchAll(/^\| (`[A-Z_`, 0-9]+`) +\| (\w+) +\|/gm);
    const listed = [...rows].flatMap(([, codes, severity]) =>
      [...codes!.matchAll(/`(\w+)`/g)].map(([, code]) => [code!, severity!]),
    );
    const severities = Object.entries(ALERTS).map(([code, { severity }]) => [code, severity]);
    expect(Object.fromEntries(listed)).toEqual(Object.fromEntries(severities));
  });

  it('the catalogue of codes leaves severities to the alerts', () => {
    const stated = Object.keys(ALERTS).filter((code) =>
      /\b(?:critical|Warning)\b|Alert, /.test(CODES[code as keyof typeof CODES].meaning),
    );
    expect(stated).toEqual([]);
  });
});

describe('an error of code that changes a cached value', () => {
  it.each([
    ['assigns', (value: { tags: string[]; price?: number }) => void (value.price = 2)],
    ['deletes', (value: { tags: string[]; price?: number }) => void delete value.price],
    ['pushes', (value: { tags: string[] }) => void value.tags.push('b')],
    ['sorts', (value: { tags: string[] }) => void value.tags.sort()],
  ])('is on the page of values under its text, where code %s', async (_how, change) => {
    const cache = createObservedCache();
    const product = await cache.getOrSet('product', () => Promise.resolve({ price: 1, tags: ['b', 'a'] }));
    const own = await cache.getOrSet('own', () => Promise.resolve({ price: 1, tags: ['b', 'a'] }), { clone: true });
    await cache.close();
    change(own);
    let text = '';
    try {
      change(product);
    } catch (error) {
      text = String(error);
    }
    const [, what] = /^TypeError: (Cannot \w+ (?:to read only )?property)/.exec(text)!;
    expect(readFileSync('docs/values.md', 'utf8')).toContain(what);
    expect(errorReference()).toContain('Cannot assign to read only property');
  });
});
