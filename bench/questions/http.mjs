// Is a handler faster with the cache than without it, and how do others do? Throughput of a hit relative to the same handler uncached.
import { interleave, ratio, round } from '../harness.mjs';
import { startVariant } from '../http-load.mjs';

export const title = 'HTTP: throughput of a memory hit, relative to the same handler without a cache';
export const header = [
  'adapter',
  'answer',
  'variant',
  'req/s (median)',
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
  'ours, no metrics',
  'ours, fast lane',
  'node:http',
];
const SHORT = ['uncached', 'cache-manager', 'ours', 'ours, no metrics', 'ours, fast lane'];

export async function measure({ short, progress }) {
  const rows = [];
  const gates = [];
  const data = [];
  for (const adapter of ['fastify', 'express']) {
    for (const bytes of [1_000, 20_000]) {
      const names = short ? SHORT : VARIANTS;
      const servers = [];
      try {
        for (const name of names) servers.push(await startVariant(adapter, name, bytes));
        for (const server of servers) await server.rate(short ? 1 : 2);
        const results = await interleave(
          servers.map((server) => ({ name: server.name, run: () => server.rate(short ? 1 : 2) })),
          { rounds: short ? 3 : 8, progress: (text) => progress(`${adapter}, ${bytes} bytes, ${text}`) },
        );
        for (const name of names) {
          const against = ratio(results, name, 'uncached');
          const peer = ratio(results, name, 'cache-manager');
          rows.push([
            adapter,
            `${bytes / 1000} KB`,
            name,
            Math.round(results.get(name).median),
            round(against.median),
            `${round(against.low)}–${round(against.high)}`,
            round(peer.median),
          ]);
          data.push({ adapter, bytes, name, requestsPerSecond: results.get(name).values });
        }
        const of = (name, base) => ratio(results, name, base).median;
        // Margins that noise does not cross: the targets of the long run stand in docs/performance.md.
        gates.push({
          name: `${adapter} ${bytes}: ours / CacheInterceptor`,
          value: of('ours', 'cache-manager'),
          atLeast: 1,
        });
        gates.push({
          name: `${adapter} ${bytes}: with / without metrics`,
          value: of('ours', 'ours, no metrics'),
          atLeast: 0.85,
        });
      } finally {
        for (const server of servers) server.stop();
      }
    }
  }
  return { rows, gates, data };
}
