// The projects that `nest new` of Nest 11 (Jest) and 12 (vitest) generates, with their configuration unchanged: the generated tests with the
// module imported, and every file of docs/testing.md.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { generate, root, run } from './projects.mjs';

/** The files of the page: `// path`, or `// path (runner)` if the runners differ. */
const pageFiles = [
  ...readFileSync(join(root, 'docs/testing.md'), 'utf8').matchAll(/^```ts\n(\/\/ (\S+)(?: \((\w+)\))?\n.*?)^```$/gms),
].map(([, code, path, runner]) => ({ path, runner, code }));
assert.ok(pageFiles.length >= 10, 'docs/testing.md has files');

/** The first code after a heading or sentence of a page. */
function codeAfter(page, place) {
  const text = readFileSync(join(root, page), 'utf8');
  const [, code] = /^```ts\n(.*?)^```$/ms.exec(text.slice(text.indexOf(place))) ?? [];
  assert.ok(text.includes(place) && code, `${page}: code after "${place}"`);
  return code;
}
const quickStart = codeAfter('README.md', 'replace `src/main.ts` with this');
const tutorial = codeAfter('docs/tutorial.md', 'Add `src/products.controller.ts`');

/** A busy machine takes longer than the five seconds of both runners. */
const PATIENT = ['--testTimeout=60000', '--maxWorkers=1'];

const runners = {
  nest11: {
    name: 'jest',
    tests: [
      ['node_modules/jest/bin/jest.js', '--ci', ...PATIENT],
      ['node_modules/jest/bin/jest.js', '--ci', ...PATIENT, '--config', './test/jest-e2e.json'],
    ],
    adapted: (code) => code,
  },
  nest12: {
    name: 'vitest',
    tests: [
      ['node_modules/vitest/vitest.mjs', 'run', ...PATIENT, '--hookTimeout=60000'],
      [
        'node_modules/vitest/vitest.mjs',
        'run',
        ...PATIENT,
        '--hookTimeout=60000',
        '--config',
        './vitest.config.e2e.ts',
      ],
    ],
    adapted: (code) => code.replace(/\bjest\./g, 'vi.').replace(/from '(\.[^']*|supertest\/types)'/g, "from '$1.js'"),
  },
};

export async function generatedTests(work, nests = Object.keys(runners)) {
  const redis = await startRedis();
  try {
    for (const nest of nests)
      await withNewestCacheManager(join(work, nest), () => testsOf(join(work, nest), nest, { REDIS_URL: redis.url }));
  } finally {
    redis.stop();
  }
}

/** Runs `task` with the version of @nestjs/cache-manager that npm takes unless the project has another: an ES module, which Jest refuses. */
async function withNewestCacheManager(project, task) {
  const installed = join(project, 'node_modules/@nestjs/cache-manager');
  const before = join(project, 'cache-manager-before');
  renameSync(installed, before);
  cpSync(join(root, 'node_modules/@nestjs/cache-manager'), installed, { recursive: true });
  try {
    await task();
  } finally {
    rmSync(installed, { recursive: true });
    renameSync(before, installed);
  }
}

async function testsOf(project, nest, env) {
  const { name, tests, adapted } = runners[nest];
  const shop = await generate(project);
  const module = join(shop, 'src/app.module.ts');
  const text = readFileSync(module, 'utf8');
  const imports = `import { CacheObservabilityModule } from 'nestjs-cache-observability';
import { ProductsController } from './products.controller';
`;
  const declared = text
    .replace('imports: []', 'imports: [CacheObservabilityModule.forRoot()]')
    .replace('controllers: [AppController]', 'controllers: [AppController, ProductsController]');
  writeFileSync(module, adapted(imports) + declared);
  assert.match(
    readFileSync(module, 'utf8'),
    /imports: \[CacheObservabilityModule.*controllers: \[AppController, Products/s,
  );
  // What README and the tutorial add: the generated tests stay as they are.
  writeFileSync(join(shop, 'src/main.ts'), quickStart);
  writeFileSync(join(shop, 'src/products.controller.ts'), tutorial);
  for (const { path, runner, code } of pageFiles) {
    if (runner !== undefined && runner !== name) continue;
    mkdirSync(dirname(join(shop, path)), { recursive: true });
    writeFileSync(join(shop, path), adapted(code));
  }
  await run('node', ['../node_modules/typescript/bin/tsc', '--noEmit', '--incremental', 'false'], { cwd: shop });
  for (const [script, ...args] of tests) await run('node', [join(project, script), ...args], { cwd: shop, env });
  const ran = readdirSync(shop, { recursive: true }).filter((path) => /spec\.ts$/.test(path)).length;
  console.log(`${nest}: ${ran} files of tests, ${name}: ok`);
}

/** @returns its URL; end it with `stop()`. */
async function startRedis() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const redis = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: redis.stdout })) if (line.includes('eady to accept')) break;
  redis.stdout.resume();
  return { url: `redis://127.0.0.1:${port}`, stop: () => redis.kill() };
}
