// Is a handler faster with the cache than without it, and with other caches? The CPU time of the server per hit,
// relative to the same handler uncached: on a shared machine it is more exact than throughput, which is also shown.
import { interleave, round, summary } from '../harness.mjs';
import { startVariant } from '../http-load.mjs';

export const title = 'HTTP: a memory hit, relative to the same handler without a cache';
export const header = [
  'adapter',
  'answer',
  'variant',
  'req/s (median)',
  'CPU µs a request',
  '× uncached',
  'quartiles',
  '× CacheInterceptor',
];

const VARIANTS = [
  'uncached',
  'no-op interceptor',
  'cache-manager',
  'cache-manager, CacheableMemory',
  'cache-manager and prom-client',
  'ours',
  'ours, standard headers',
  'ours, behind a guard',
  'ours, no metrics',
  'ours, tracing without SDK',
  'ours, fast lane',
  'node:http',
];
const SHORT = ['uncached', 'cache-manager', 'ours', 'ours, fast lane'];
/** Servers are restarted after this many rounds, because a process keeps the quality of its first compilation. */
const ROUNDS_A_PROCESS = 4;

/** How many times cheaper `one` is than `other`, round by round. */
const cheaper = (costs, one, other) => summary(costs.get(other).map((cost, turn) => cost / costs.get(one)[turn]));

export async function measure({ short, progress }) {
  const rows = [];
  const gates = [];
  const data = [];
  for (const adapter of ['fastify', 'express']) {
    for (const bytes of short ? [1_000] : [1_000, 20_000]) {
      const names = short ? SHORT : VARIANTS;
      const rounds = short ? 3 : 8;
      const costs = new Map(names.map((name) => [name, []]));
      const rates = new Map(names.map((name) => [name, []]));
      for (let from = 0; from < rounds; from += ROUNDS_A_PROCESS) {
        const to = Math.min(rounds, from + ROUNDS_A_PROCESS);
        await load(adapter, bytes, { names, from, to, costs, rates, progress });
      }
      for (const name of names) {
        const against = cheaper(costs, name, 'uncached');
        rows.push([
          adapter,
          `${bytes / 1000} KB`,
          name,
          Math.round(summary(rates.get(name)).median),
          round(summary(costs.get(name)).median, 1),
          round(against.median),
          `${round(against.low)}–${round(against.high)}`,
          round(cheaper(costs, name, 'cache-manager').median),
        ]);
        data.push({ adapter, bytes, name, requestsPerSecond: rates.get(name), cpu: costs.get(name) });
      }
      // Margins that noise does not exceed; docs/performance.md lists the targets of the long run.
      const gate = (name, one, other, atLeast) =>
        gates.push({ name: `${adapter}, ${bytes} bytes: ${name}`, value: cheaper(costs, one, other).median, atLeast });
      gate('ours against CacheInterceptor', 'ours', 'cache-manager', 0.9);
      gate('ours against uncached', 'ours', 'uncached', 0.7);
      gate('fast lane against uncached', 'ours, fast lane', 'uncached', adapter === 'express' ? 3 : 0.95);
    }
  }
  return { rows, gates, data };
}

/** Runs some rounds of every variant, each in a separate process. */
async function load(adapter, bytes, { names, from, to, costs, rates, progress }) {
  const servers = [];
  try {
    for (const name of names) servers.push(await startVariant(adapter, name, bytes));
    for (const server of servers) await server.load(1);
    const run = (server) => async () => {
      const { rate, cpu } = await server.load(1);
      costs.get(server.name).push(cpu);
      rates.get(server.name).push(rate);
      return rate;
    };
    await interleave(
      servers.map((server) => ({ name: server.name, run: run(server) })),
      { from, rounds: to, progress: (text) => progress(`${adapter}, ${bytes} bytes, ${text}`) },
    );
  } finally {
    for (const server of servers) server.stop();
  }
}
