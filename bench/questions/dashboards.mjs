// How much CPU do a hundred open dashboards cost the watched process? Real connections, at the page's own rate.
import { fork } from 'node:child_process';
import { Agent, get } from 'node:http';
import { URLSearchParams } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { round } from '../harness.mjs';

export const title = 'Dashboards: CPU time that open pages cost the watched process';
export const header = ['patterns', 'pages', 'requests per second', 'KB per second', '% of a core'];

const WINDOW = 'window=5m';
/** The routes of the first page and their intervals, seconds. A test compares them with the page. */
export const ROUTES = [
  ['dashboard/context', 60],
  ['health', 10],
  [`stats?${WINDOW}`, 10],
  [`history?${WINDOW}&patterns=6`, 10],
  [`stats/patterns?${WINDOW}&limit=6`, 20],
  ['insights', 30],
  [`stats/low-performers?${WINDOW}&threshold=0.8&min_requests=20&limit=3`, 30],
  ['alerts?state=all', 20],
  [`stats/layers?${WINDOW}`, 20],
  ['insights/memory', 30],
  [`stats/endpoints?${WINDOW}`, 20],
];

/** The number of pages, and true if each page requests all its parts at once. */
const HUNDRED = [100, true];

export async function measure({ short, progress }) {
  const seconds = short ? 5 : 60;
  const rows = [];
  for (const patterns of short ? [100] : [100, 1_000]) {
    const server = await startServer(patterns);
    progress(`${patterns} patterns, no page`);
    await sleep(short ? 3_000 : 20_000);
    const idle = await server.cpuDuring(seconds);
    for (const [count, together] of short ? [HUNDRED] : [[1, true], [100, false], HUNDRED]) {
      progress(`${patterns} patterns, ${count} pages`);
      const pages = Array.from({ length: count }, (_, n) => openPage(server.port, n / count, together));
      await sleep(short ? 3_000 : 10_000);
      const before = sums(pages);
      const cpu = (await server.cpuDuring(seconds)) - idle;
      const after = sums(pages);
      for (const page of pages) page.close();
      rows.push([
        patterns,
        `${count}${together ? '' : ', each route on its own'}`,
        round((after.requests - before.requests) / seconds),
        round((after.bytes - before.bytes) / seconds / 1024, 1),
        round(cpu * 100),
      ]);
      await sleep(1_000);
    }
    server.close();
  }
  return { rows, data: rows };
}

async function startServer(patterns) {
  const child = fork(new URL('../dashboard-server.mjs', import.meta.url), [String(patterns)]);
  const next = () => new Promise((resolve) => child.once('message', resolve));
  const { port } = await next();
  const used = async () => {
    const answer = next();
    child.send('cpu');
    const { user, system } = (await answer).cpu;
    return { at: performance.now(), ms: (user + system) / 1_000 };
  };
  return {
    port,
    /** The share of a core that the server used. */
    async cpuDuring(seconds) {
      const before = await used();
      await sleep(seconds * 1_000);
      const after = await used();
      return (after.ms - before.ms) / (after.at - before.at);
    },
    close: () => child.disconnect(),
  };
}

const sums = (pages) =>
  pages.reduce((sum, { counts }) => ({ requests: sum.requests + counts.requests, bytes: sum.bytes + counts.bytes }), {
    requests: 0,
    bytes: 0,
  });

/**
 * @param phase when the page was opened, as a share of its intervals.
 * @param together true: the page requests everything that is due in one request, as the dashboard does; false: each
 * route separately.
 */
export function openPage(port, phase, together = true) {
  const agent = new Agent({ keepAlive: true, maxSockets: 6 });
  const counts = { requests: 0, bytes: 0 };
  let closed = false;
  const ask = (path, headers = {}) => {
    const options = { port, host: '127.0.0.1', path: `/cache/${path}`, agent };
    const request = get({ ...options, headers: { 'Accept-Encoding': 'gzip, deflate, br', ...headers } }, (answer) => {
      if (answer.statusCode !== 200) throw new Error(`${path}: ${answer.statusCode}`);
      counts.requests++;
      answer.on('data', (part) => (counts.bytes += part.length));
    });
    request.on('error', (error) => closed || console.error(error));
  };
  const due = new Map(ROUTES.map(([path]) => [path, 0]));
  const look = () => {
    const now = Date.now();
    if (![...due.values()].some((at) => at <= now)) return;
    const asked = ROUTES.filter(([path, every]) => due.get(path) <= now + (together ? every * 250 : 0));
    for (const [path, every] of asked) due.set(path, now + every * 1_000);
    if (together) ask(`dashboard/overview?${new URLSearchParams(asked.map(([path]) => ['part', path]))}`);
    else for (const [path] of asked) ask(path, { 'Cache-Control': 'max-age=3' });
  };
  let timer;
  const opened = setTimeout(() => {
    ask('events');
    look();
    timer = setInterval(look, 500);
  }, phase * 10_000);
  return {
    counts,
    close() {
      closed = true;
      clearTimeout(opened);
      clearInterval(timer);
      agent.destroy();
    },
  };
}
