// What does a miss cost over HTTP? The CPU time that the server spends on a request whose answer is not kept yet, relative to the
// same handler without the cache. Every request asks for another entry.
import { interleave, round, summary } from '../harness.mjs';
import { startVariant } from '../http-load.mjs';

export const title = 'HTTP: a miss in memory, relative to the same handler without a cache';
export const header = ['adapter', 'variant', 'CPU µs per request', '× uncached', 'quartiles'];

// An interceptor that does nothing shows what Nest's own chain costs.
const VARIANTS = [
  'uncached',
  'ours',
  'no-op interceptor',
  'ours, behind a guard',
  'uncached, behind a guard',
  'cache-manager',
];

export async function measure({ short, progress }) {
  const rows = [];
  for (const adapter of ['fastify', 'express']) {
    const names = short ? VARIANTS.slice(0, 2) : VARIANTS;
    const rounds = short ? 4 : 8;
    const costs = new Map(names.map((name) => [name, []]));
    const servers = [];
    try {
      for (const name of names) servers.push(await startVariant(adapter, name, 1_000));
      for (const server of servers) await server.load(4, true);
      const run = (server) => async () => {
        const { rate, cpu } = await server.load(1, true);
        costs.get(server.name).push(cpu);
        return rate;
      };
      await interleave(
        servers.map((server) => ({ name: server.name, run: run(server) })),
        { rounds, progress: (text) => progress(`${adapter}, ${text}`) },
      );
    } finally {
      for (const server of servers) server.stop();
    }
    for (const name of names) {
      const times = summary(costs.get(name).map((cost, turn) => cost / costs.get('uncached')[turn]));
      const { median, low, high } = times;
      rows.push([
        adapter,
        name,
        round(summary(costs.get(name)).median, 1),
        round(median),
        `${round(low)}–${round(high)}`,
      ]);
    }
  }
  // No gate: on a shared machine the figures vary too much to block a release.
  return { rows, gates: [] };
}
