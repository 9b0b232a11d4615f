// The package contains the files for monitoring and every page that its README and its pages link, and is not too
// large.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { posix } from 'node:path';

const root = new URL('../..', import.meta.url).pathname;
const [packed] = JSON.parse(
  execFileSync('npm', ['pack', '--dry-run', '--json', '--silent'], { cwd: root, encoding: 'utf8' }),
);
const files = new Set(packed.files.map(({ path }) => path));
const pages = [...files].filter((path) => /^(README|(docs|grafana|prometheus)\/.*)\.md$/.test(path));
assert.ok(pages.length > 15, 'the pages of docs/ are packed');

for (const path of [
  'grafana/dashboard.json',
  'prometheus/recording-rules.yml',
  'prometheus/alert-rules.yml',
  'prometheus/rules.test.yml',
])
  assert.ok(files.has(path), `${path} is not packed`);

for (const page of pages) {
  const text = readFileSync(`${root}${page}`, 'utf8').replace(/```[^]*?```/g, '');
  for (const [, link] of text.matchAll(/\]\((?!https?:|#)([^)\s#]+)/g)) {
    const target = posix.join(posix.dirname(page), link);
    assert.ok(existsSync(`${root}${target}`), `${page} links ${link}, which does not exist`);
    const isFolder = statSync(`${root}${target}`).isDirectory();
    const isPacked = isFolder ? [...files].some((path) => path.startsWith(`${target}/`)) : files.has(target);
    assert.ok(isPacked, `${page} links ${link}, which is not packed`);
  }
}
assert.ok(packed.size < 4_000_000, `the package takes ${packed.size} bytes`);
console.log(`contents: ok, ${packed.entryCount} files, ${Math.round(packed.size / 1_000)} KB`);
