// One application (HTTP, GraphQL, RPC, WebSocket) on every version of Nest, Node and platform.
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { here, nests, run } from './projects.mjs';

export async function matrix(work, nodes) {
  const starts = [];
  for (const nest of nests) {
    const application = join(work, nest, 'application');
    cpSync(join(here, 'application'), application, { recursive: true });
    await run('node', ['../node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'], { cwd: application });
    for (const [node, binary] of nodes) {
      for (const platform of ['express', 'fastify']) {
        starts.push(async () => {
          const args = ['--disable-warning=ExperimentalWarning', 'dist/main.js', platform];
          await run(binary, args, { cwd: application, timeout: 300_000 });
          return `${nest}, Node ${node}, ${platform}`;
        });
      }
    }
  }
  // Two at a time, as CI has two processors.
  const results = [];
  const next = async () => {
    for (let start = starts.shift(); start !== undefined; start = starts.shift()) {
      results.push((await Promise.allSettled([start()]))[0]);
    }
  };
  await Promise.all([next(), next()]);
  const failed = results.filter(({ status }) => status === 'rejected');
  for (const { value } of results.filter(({ status }) => status === 'fulfilled')) console.log(`${value}: ok`);
  if (failed.length > 0) throw new Error(failed.map(({ reason }) => reason.message).join('\n'));
}
