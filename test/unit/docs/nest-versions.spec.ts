import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';

const { peerDependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  peerDependencies: Record<string, string>;
};

it('the documented versions for Nest 11 and 12 are those that the package accepts', () => {
  const table = readFileSync('docs/upgrading.md', 'utf8').matchAll(/^\| `(@\S+)`\s+\| (\d+)\s+\| (\d+)\s+\|$/gm);
  const documented = new Map([...table].map(([, name, older, newer]) => [name!, [...new Set([older!, newer!])]]));
  const majors = (range: string) => range.split('||').map((one) => /\d+/.exec(one)![0]);
  const nests = Object.keys(peerDependencies).filter((name) => /nestjs(?!\/(?:common|core)$)/.test(name));
  expect(nests.length).toBeGreaterThan(4);
  for (const name of nests) expect([name, documented.get(name)]).toEqual([name, majors(peerDependencies[name]!)]);
});
