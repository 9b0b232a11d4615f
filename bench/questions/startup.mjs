// What does the module add to an application's start and to its idle memory? 200 cached handlers, each boot in a process of its own.
import { execFileSync } from 'node:child_process';
import { round, summary } from '../harness.mjs';

export const title = 'Start-up: an application with 200 handlers, with and without the module';
export const header = ['', 'boot, ms', 'heap idle, MB'];

const script = new URL('../http-server-startup.mjs', import.meta.url).pathname;
const boot = (kind) =>
  JSON.parse(
    execFileSync(process.execPath, ['--expose-gc', script, kind], { encoding: 'utf8' }).trim().split('\n').at(-1),
  );

export async function measure({ short, progress }) {
  const samples = { without: [], with: [] };
  for (let turn = 0; turn < (short ? 3 : 9); turn++) {
    for (const kind of ['without', 'with']) {
      progress(`boot ${turn + 1} ${kind}`);
      samples[kind].push(boot(kind));
    }
  }
  const median = (kind, field) => summary(samples[kind].map((sample) => sample[field])).median;
  const row = (kind) => [kind, round(median(kind, 'boot'), 1), round(median(kind, 'heap') / 2 ** 20, 2)];
  const added = {
    boot: median('with', 'boot') - median('without', 'boot'),
    heap: median('with', 'heap') - median('without', 'heap'),
  };
  return {
    rows: [row('without'), row('with'), ['added', round(added.boot, 1), round(added.heap / 2 ** 20, 2)]],
    gates: [],
    data: samples,
  };
}
