import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ownFile } from '../../../lib/cache/own-file.js';
import { directoryOfCode, namesOf } from '../../../lib/profiling/call-stack.js';

describe("the directory of this library's code", () => {
  let work: string;
  const package_ = (path: string, description: object) => {
    mkdirSync(join(work, path), { recursive: true });
    writeFileSync(join(work, path, 'package.json'), JSON.stringify(description));
  };
  beforeEach(() => {
    work = mkdtempSync(join(tmpdir(), 'call-stack-'));
  });
  afterEach(() => rmSync(work, { recursive: true }));

  it('the directory of this library is that of its package, also for files in subfolders', () => {
    package_('linked', { name: 'nestjs-cache-observability' });
    package_('linked/dist', { type: 'commonjs' });
    const file = join(work, 'linked/dist/chunks/profiler.cjs');
    expect(directoryOfCode(file)).toBe(join(work, 'linked/dist/'));
    expect(directoryOfCode(pathToFileURL(file).href)).toBe(join(work, 'linked/dist/'));
  });

  it('the directory of this library is unknown in a bundle of an application', () => {
    package_('shop', { name: 'shop' });
    expect(directoryOfCode(join(work, 'shop/dist/main.js'))).toBeUndefined();
    expect(directoryOfCode(undefined)).toBeUndefined();
  });
});

it('a printed stack names the callers and leaves this library out', () => {
  const here = ownFile()!.replace(/^file:\/\//, '');
  expect(here).toMatch(/\/lib\/cache\/own-file\.ts$/);
  const stack = [
    'Error',
    `    at GetOrLoad.run (${here}:1:2)`,
    '    at async FeedService.find (/srv/shop/dist/main.js:3:4)',
    '    at /srv/shop/dist/jobs.js:5:6',
    '    at processTicksAndRejections (node:internal/process/task_queues:1:1)',
  ].join('\n');
  expect(namesOf(stack)).toEqual(['jobs.js', 'FeedService.find']);
});

it('reading the callers does not change the handling of stacks', () => {
  const before = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
  ownFile();
  expect(Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace')).toEqual(before);
});
