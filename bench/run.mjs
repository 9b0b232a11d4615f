// npm run bench -- [question …] [--short] [--json FILE]. Each question is a file of bench/questions and returns rows;
// `--short` runs fewer, shorter rounds and checks ratios against gates.
import { fork } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { environment, table } from './harness.mjs';

const directory = new URL('./questions/', import.meta.url);
const known = readdirSync(directory)
  .filter((file) => file.endsWith('.mjs'))
  .map((file) => file.replace(/\.mjs$/, ''));
const flags = process.argv.slice(2);
const short = flags.includes('--short');
const jsonAt = flags.indexOf('--json');
const jsonFile = jsonAt >= 0 ? flags[jsonAt + 1] : undefined;
const asked = flags.filter((flag, index) => !flag.startsWith('--') && index !== jsonAt + (jsonAt >= 0 ? 1 : Infinity));
const unknown = asked.filter((question) => !known.includes(question));
if (unknown.length > 0) {
  console.error(`Unknown question: ${unknown.join(', ')}. Use one of ${known.join(', ')}.`);
  process.exit(2);
}

/** True if the gate was not reached. */
const missed = ({ value, atLeast }) => !(value >= atLeast);

const report = { environment: environment(), short, questions: {} };
const questions = asked.length > 0 ? asked : known;
let failed = 0;
/** Questions whose process ended without a result. */
let lost = 0;
if (process.send === undefined) {
  console.log(`${report.environment.node} on ${report.environment.cpu}${short ? ', short' : ''}`);
}
if (questions.length === 1) await answer(questions[0]);
else for (const question of questions) await inSeparateProcess(question);
if (jsonFile) writeFileSync(jsonFile, `${JSON.stringify(report, null, 2)}\n`);
// Only the short run, which CI uses, can fail; the long run reports.
const end = () => process.exit(lost > 0 || (short && failed > 0) ? 1 : 0);
if (process.send === undefined) end();
else process.send(report.questions, end);

/** Runs a question in a separate process, so that compiled code of one question does not affect another. */
function inSeparateProcess(question) {
  return new Promise((resolve) => {
    const child = fork(import.meta.filename, [question, ...(short ? ['--short'] : [])]);
    let reported = false;
    child.on('message', (answered) => {
      reported = true;
      Object.assign(report.questions, answered);
    });
    child.on('exit', (code) => {
      if (code !== 0) failed++;
      if (!reported) lost++;
      resolve();
    });
  });
}

async function answer(question) {
  // Timers of the cache do not keep a process alive.
  const alive = setInterval(() => {}, 60_000);
  const { title, header, measure } = await import(new URL(`${question}.mjs`, directory));
  console.log(`\n## ${title}`);
  const ask = () => measure({ short, progress: (text) => process.stderr.write(`\r\x1b[K${text}`) });
  let { rows, gates = [], data } = await ask();
  if (short && gates.some(missed)) {
    // A noisy neighbour can spoil one run; a real regression is slow twice.
    console.log('A gate was not reached: the question runs once more.');
    const again = await ask();
    ({ rows, data } = again);
    gates = gates.map((gate, index) => (missed(gate) ? again.gates[index] : gate));
  }
  clearInterval(alive);
  process.stderr.write('\r\x1b[K');
  console.log(table(header, rows));
  for (const gate of gates) {
    if (missed(gate)) failed++;
    console.log(`${missed(gate) ? 'MISS' : 'ok  '} ${gate.name}: ${gate.value.toFixed(2)} (at least ${gate.atLeast})`);
  }
  report.questions[question] = { title, command: `npm run bench -- ${question}`, header, rows, gates, data };
}
