// Runs every suite and prints one closing line, `N passed, N failed`, with any reporter of Jest. `--valkey` runs only
// the suites of Redis, with Valkey instead of Redis.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const VALKEY = 'valkey-server';
const OF_REDIS = ['test/contract/', 'test/faults/', 'test/property/consistency.spec.ts'];

const directory = mkdtempSync(join(tmpdir(), 'cache-observability-test-'));
const isInstalled = (program) =>
  (process.env.PATH ?? '').split(delimiter).some((path) => existsSync(join(path, program)));

/** @returns the counts of Jest. */
async function run(args, env = {}) {
  const outcome = join(directory, 'outcome.json');
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
let outcome;
if (args[0] !== '--valkey') outcome = await run(args);
else if (isInstalled(VALKEY)) outcome = await run([...OF_REDIS, ...args.slice(1)], { CACHE_TEST_SERVER: VALKEY });
else {
  console.log(`${VALKEY} is not installed: the suites of Redis do not run with Valkey.`);
  outcome = { code: 0, passed: 0, failed: 0, skipped: 0 };
}
rmSync(directory, { recursive: true, force: true });
const { code, passed, failed, skipped } = outcome;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(code);
