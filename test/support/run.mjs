// Runs every suite and prints one closing line, `N passed, N failed`, whatever Jest's reporters show.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const directory = mkdtempSync(join(tmpdir(), 'cache-observability-test-'));
const outcome = join(directory, 'outcome.json');
const jest = spawn(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
    '--json',
    `--outputFile=${outcome}`,
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit' },
);
jest.on('exit', (code) => {
  try {
    const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites, numPendingTests } = JSON.parse(
      readFileSync(outcome, 'utf8'),
    );
    const failed = numFailedTests + numRuntimeErrorTestSuites;
    const skipped = numPendingTests > 0 ? `, ${numPendingTests} skipped` : '';
    console.log(`${numPassedTests} passed, ${failed} failed${skipped}`);
  } catch {
    console.log('0 passed, 1 failed');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  process.exit(code ?? 1);
});
