import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const page = readFileSync('docs/reference/errors.md', 'utf8');

/** Files where texts of this form are words of SQL, and names in an application's code. */
const OTHER_WORDS = ['database/statements', 'schematics'];
/** Texts of this form that are codes of Node, environment variables or names of Redis' protocol. */
const OTHER_NAMES = ['BLOB_STRING', 'EAI_AGAIN', 'ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND', 'NODE_ENV'];

const sources = readdirSync('lib', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !OTHER_WORDS.some((folder) => file.startsWith(folder)))
  .map((file) => readFileSync(join('lib', file), 'utf8'))
  .join('\n');

const inCode = new Set(
  [...sources.matchAll(/'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)'/g)]
    .map(([, code]) => code!)
    .filter((code) => !OTHER_NAMES.includes(code)),
);
const entries = page.split(/^### /m).slice(1);
const documented = entries.map((entry) => /^`([A-Z0-9_]+)`\n/.exec(entry)?.[1]);

describe('the reference of error and log codes', () => {
  it('has an entry for every code in the sources', () => {
    expect([...inCode].filter((code) => !documented.includes(code)).sort()).toEqual([]);
  });

  it('has no entry for an unknown code', () => {
    expect(documented.filter((code) => code === undefined || !sources.includes(`'${code}'`))).toEqual([]);
  });

  it('has every code once, with its cause and its remedy', () => {
    expect(new Set(documented).size).toBe(documented.length);
    expect(entries.filter((entry) => !/\n- \*\*Cause\*\*: .+\n(?:.+\n)*?- \*\*Remedy\*\*: ./.test(entry))).toEqual([]);
  });
});
