// What does the module add to an application's start and to its idle memory? 200 cached handlers, each boot in a
// separate process.
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
  for (let turn = 0; turn < (short ? 3 : 15); turn++) {
    for (const kind of turn % 2 === 0 ? ['without', 'with'] : ['with', 'without']) {
      progress(`boot ${turn + 1} ${kind}`);
      samples[kind].push(boot(kind));
    }
  }
  const median = (kind, field) => summary(samples[kind].map((sample) => sample[field])).median;
  const row = (kind) => [kind, round(median(kind, 'boot'), 1), round(median(kind, 'heap') / 2 ** 20, 2)];
  /** In turns, so that a slow phase of the machine affects both. */
  const added = (field) =>
    summary(samples.with.map((sample, turn) => sample[field] - samples.without[turn][field])).median;
  return {
    rows: [
      row('without'),
      row('with'),
      ['added, by turns', round(added('boot'), 1), round(added('heap') / 2 ** 20, 2)],
    ],
    gates: [],
    data: samples,
  };
}
