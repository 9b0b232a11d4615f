import { describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const script = (name: string) => fileURLToPath(new URL(`../support/process/${name}`, import.meta.url));
/** A process that does not end is killed, so that the test fails. */
const LIMIT_MS = 60_000;

/** Runs a script to its end. Rejects if its exit code is not 0. */
async function run(name: string): Promise<string> {
  const args = [
    '--disable-warning=ExperimentalWarning',
    '--import',
    script('typescript.mjs'),
    script('last-caller.ts'),
    name,
  ];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: LIMIT_MS });
  return stdout.trim();
}

describe('a script that waits only for the cache', () => {
  it.each([
    ['load', 'loaded'],
    ['load of many', "[ 'a', 'b' ]"],
    ['load that hangs', 'LOAD_TIMEOUT'],
    ['store that hangs', 'nothing'],
    ['write to a store that hangs', 'written'],
    ['disconnect of a store that hangs', 'disconnected'],
    ['exporter that hangs', 'disconnected'],
  ])('a script runs until the cache returns: %s', async (name, outcome) => {
    expect(await run(name)).toBe(outcome);
  });

  it('a script exits although unawaited loads and writes hang', async () => {
    expect(await run('background')).toBe('loaded');
  });
});
