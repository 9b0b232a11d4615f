import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';

const { scripts, version } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  scripts: Record<string, string>;
  version: string;
};
const BUILT = /(?:^|\/)(?:dist|build)\//;

it('each file that a script of the package names exists, unless the build makes it', () => {
  const named = Object.values(scripts)
    .flatMap((script) => script.split(/[\s=]+/))
    .filter((word) => /^[\w.][\w./-]*\/[\w./-]+\.\w+$/.test(word) && !BUILT.test(word));
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((file) => !existsSync(file))).toEqual([]);
});

it('`npm start` runs the source of the sample that exists', () => {
  const built = /sample\/dist\/\S+\.js/g;
  const sources = Object.values(scripts)
    .flatMap((script) => script.match(built) ?? [])
    .map((file) => file.replace('sample/dist/', 'sample/').replace(/\.js$/, '.ts'));
  expect(sources).not.toEqual([]);
  expect(sources.filter((file) => !existsSync(file))).toEqual([]);
});

it('the changelog has a section for the version of the package', () => {
  expect(readFileSync('CHANGELOG.md', 'utf8')).toContain(`\n## [${version}]`);
});
