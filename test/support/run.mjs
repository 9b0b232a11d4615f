// Runs every suite and prints one closing line, `N passed, N failed`, whatever Jest's reporters show. Where Valkey is installed, some
// suites of Redis run a second time with it; `--valkey` runs all of those, and nothing else.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const VALKEY = 'valkey-server';
/** What runs with Valkey after every suite, in half a minute: the contract, the order of invalidations, faults and rights. */
const BRIEF = [
  'test/contract/redis-layer.spec.ts',
  'test/contract/redis-order.spec.ts',
  'test/property/consistency.spec.ts',
  'test/faults/killed.spec.ts',
  'test/faults/full.spec.ts',
  'test/faults/redis-rights.spec.ts',
  'test/faults/redis-least-rights.spec.ts',
];
const ALL = ['test/contract/', 'test/faults/', 'test/property/consistency.spec.ts'];
/** After suites that took longer, on a busy machine, the second run is left out. */
const PATIENCE_MS = 500_000;

const directory = mkdtempSync(join(tmpdir(), 'cache-observability-test-'));
const isInstalled = (program) =>
  (process.env.PATH ?? '').split(delimiter).some((path) => existsSync(join(path, program)));

/** @returns what Jest counted. */
async function run(args, env = {}) {
  const outcome = join(directory, `outcome-${Object.values(env).join()}.json`);
  const jest = spawn(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      'node_modules/jest/bin/jest.js',
      '--json',
      `--outputFile=${outcome}`,
      ...args,
    ],
    { stdio: 'inherit', env: { ...process.env, ...env } },
  );
  const code = await new Promise((resolve) => jest.on('exit', (status) => resolve(status ?? 1)));
  try {
    const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites, numPendingTests } = JSON.parse(
      readFileSync(outcome, 'utf8'),
    );
    return {
      code,
      passed: numPassedTests,
      failed: numFailedTests + numRuntimeErrorTestSuites,
      skipped: numPendingTests,
    };
  } catch {
    return { code, passed: 0, failed: 1, skipped: 0 };
  }
}

const args = process.argv.slice(2);
const onlyValkey = args[0] === '--valkey';
const withValkey = (suites) => run(suites, { CACHE_TEST_SERVER: VALKEY });
const runs = [];
if (!onlyValkey) runs.push(await run(args));
if (onlyValkey || args.length === 0) {
  if (!isInstalled(VALKEY)) console.log(`${VALKEY} is not installed: the suites of Redis do not run with Valkey.`);
  else if (onlyValkey) runs.push(await withValkey([...ALL, ...args.slice(1)]));
  else if (performance.now() > PATIENCE_MS)
    console.log('The machine is busy: the suites of Redis do not run with Valkey.');
  else {
    console.log('\nWith Valkey:');
    runs.push(await withValkey(BRIEF));
  }
}
rmSync(directory, { recursive: true, force: true });
const sum = (count) => runs.reduce((total, each) => total + each[count], 0);
const skipped = sum('skipped') > 0 ? `, ${sum('skipped')} skipped` : '';
console.log(`${sum('passed')} passed, ${sum('failed')} failed${skipped}`);
process.exit(runs.find(({ code }) => code !== 0)?.code ?? 0);
