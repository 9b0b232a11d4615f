// All benchmarks measure in the same way: the candidates take turns in the rounds of one run, so that other load on the
// machine affects all of them. Results are medians of rounds and ratios within one run; times of two runs are not compared.
import { cpus, totalmem } from 'node:os';

/** Describes the machine of a run: figures of different machines are not comparable. */
export function environment() {
  const [cpu] = cpus();
  return {
    date: new Date().toISOString(),
    node: process.version,
    cpu: `${cpus().length} × ${cpu?.model ?? 'unknown'}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
  };
}

/** Median, quartiles and number of rounds. */
export function summary(samples) {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const median = (sorted[Math.floor((sorted.length - 1) / 2)] + at(0.5)) / 2;
  return { median, low: at(0.25), high: at(0.75), rounds: sorted.length };
}

/**
 * Runs every candidate once per round, in a different order each round, because a candidate may slow down the next one.
 * @param candidates `{ name, run(): number | Promise<number> }`; the numbers are compared.
 */
export async function interleave(candidates, { from = 0, rounds = 8, progress } = {}) {
  const samples = new Map(candidates.map(({ name }) => [name, []]));
  for (let round = from; round < rounds; round++) {
    for (const candidate of shuffled(candidates, round)) {
      progress?.(`round ${round + 1}/${rounds}: ${candidate.name}`);
      samples.get(candidate.name).push(await candidate.run());
    }
  }
  return new Map([...samples].map(([name, values]) => [name, { ...summary(values), values }]));
}

/** Returns an order that differs by round but not by run, so that no candidate always follows the same one. */
function shuffled(candidates, round) {
  const order = [...candidates];
  // mulberry32; the round is the seed.
  let state = round;
  for (let last = order.length - 1; last > 0; last--) {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    const other = Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

/**
 * Nanoseconds per operation: `operation(count)` performs it `count` times.
 * @param milliseconds the duration of one sample; the count is found by doubling.
 */
export async function nanoseconds(operation, milliseconds = 120) {
  let count = 256;
  for (;;) {
    const before = process.hrtime.bigint();
    await operation(count);
    const elapsed = Number(process.hrtime.bigint() - before);
    if (elapsed >= milliseconds * 1e6) return elapsed / count;
    count *= elapsed < (milliseconds * 1e6) / 8 ? 8 : 2;
  }
}

/** The ratio of two candidates, computed per round, because samples of one round were measured at nearly the same time. */
export function ratio(results, numerator, denominator) {
  const above = results.get(numerator).values;
  const below = results.get(denominator).values;
  return summary(above.map((value, round) => value / below[round]));
}

/**
 * Bytes that `operation(count)` allocates per operation, whether or not it keeps them: the median of steps too short
 * for a garbage collection, minus that of a step without an operation.
 */
export function bytesPerOperation(operation, steps = 41, count = 2000) {
  operation(100 * count);
  const allocated = (work) =>
    summary(
      Array.from({ length: steps }, () => {
        const before = process.memoryUsage().heapUsed;
        work();
        return process.memoryUsage().heapUsed - before;
      }),
    ).median;
  return Math.max(0, (allocated(() => operation(count)) - allocated(() => {})) / count);
}

/** Rows as an aligned Markdown table. */
export function table(header, rows) {
  const cells = [header, ...rows.map((row) => row.map(String))];
  const widths = header.map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  return [
    line(cells[0]),
    `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`,
    ...cells.slice(1).map(line),
  ].join('\n');
}

export const round = (value, digits = 2) => (value == null ? '–' : Number(value.toFixed(digits)));
