// Packs the library as for a release and uses it in other applications: npm run test:consumers
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundles } from './bundles.mjs';
import { compiled } from './compiled.mjs';
import { generatedTests } from './generated-tests.mjs';
import { linted } from './linted.mjs';
import { matrix } from './matrix.mjs';
import { here, install, installNodes, nests, pack, run } from './projects.mjs';

const work = mkdtempSync(join(tmpdir(), 'cache-observability-consumers-'));
let failed = 0;
let passed = 0;

async function step(name, task) {
  console.log(`\n-- ${name}`);
  const startedAt = Date.now();
  try {
    const written = await task();
    if (typeof written === 'string') process.stdout.write(written);
    passed++;
  } catch (error) {
    console.error(`${name}: ${error.message}`);
    failed++;
  }
  console.log(`(${((Date.now() - startedAt) / 1000).toFixed(1)} s)`);
}

try {
  for (const name of ['entries', 'forms', 'schematics', 'contents', 'boot-error']) {
    await step(name, () => run('node', [join(here, `${name}.mjs`)], { cwd: here }));
  }
  let nodes = new Map();
  await step('installation', async () => {
    const tarball = await pack(work);
    const [found] = await Promise.all([
      installNodes(work, [20, 22, 24, 26]),
      ...nests.map((nest) => install(work, nest, tarball)),
    ]);
    nodes = found;
  });
  await step('generated tests', () => generatedTests(work));
  await step('lint', () => linted(work));
  await step('declarations', () => compiled(work));
  await step('bundles', () => bundles(work));
  await step('matrix', () => matrix(work, nodes));
} finally {
  rmSync(work, { recursive: true, force: true });
}
console.log(`consumers: ${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
