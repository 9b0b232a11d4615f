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

/** The number of pages, and true if each page requests all that is due at once. */
const HUNDRED = [100, true];
const ALL = [[1, true], [100, false], HUNDRED];
/** Pages are opened within so many milliseconds. */
const OPENING_MS = 5_000;
/** The longest interval of a page. Each page is at another point of it, so that any time measured is like any other. */
const CYCLE_MS = 60_000;

export async function measure({ short, progress }) {
  const seconds = short ? 5 : 40;
  const counts = short ? [100] : [100, 1_000];
  // All servers run at the same time. Each with pages has a twin without: the same traffic, at the same time, on the same machine.
  const servers = await Promise.all(
    counts.map(async (patterns) => [await startServer(patterns), await startServer(patterns)]),
  );
  progress('no page');
  // Until the code is compiled, the traffic costs several times as much.
  await sleep(short ? 3_000 : 60_000);
  const rows = [];
  for (const [count, together] of short ? [HUNDRED] : ALL) {
    progress(`${count} pages`);
    const open = servers.map(([{ port }]) =>
      Array.from({ length: count }, (_, n) => openPage(port, n / count, together)),
    );
    await sleep(OPENING_MS + (short ? 1_000 : 5_000));
    const before = open.map(sums);
    const used = await Promise.all(servers.flat().map((server) => server.cpuDuring(seconds)));
    const after = open.map(sums);
    for (const page of open.flat()) page.close();
    counts.forEach((patterns, at) =>
      rows.push([
        patterns,
        `${count}${together ? '' : ', each route on its own'}`,
        round((after[at].requests - before[at].requests) / seconds),
        round((after[at].bytes - before[at].bytes) / seconds / 1024, 1),
        round((used[2 * at] - used[2 * at + 1]) * 100),
      ]),
    );
    await sleep(1_000);
  }
  for (const server of servers.flat()) server.close();
  rows.sort(([one], [other]) => one - other);
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
 * @param phase where in its cycle the page is, 0–1.
 * @param together true: the page requests everything that is due in one request, as the dashboard does; false: each
 * route separately.
 */
export function openPage(port, phase, together = true) {
  const agent = new Agent({ keepAlive: true, maxSockets: 6 });
  const counts = { requests: 0, bytes: 0 };
  let closed = false;
  let pace = 1;
  const ask = (path, headers = {}, answered = () => undefined) => {
    const options = { port, host: '127.0.0.1', path: `/cache/${path}`, agent };
    const request = get({ ...options, headers: { 'Accept-Encoding': 'gzip, deflate, br', ...headers } }, (answer) => {
      if (answer.statusCode !== 200) throw new Error(`${path}: ${answer.statusCode}`);
      counts.requests++;
      pace = Number(answer.headers['x-cache-pace'] ?? pace);
      answered();
      answer.on('data', (part) => (counts.bytes += part.length));
    });
    request.on('error', (error) => {
      if (closed) return;
      // The server has closed the kept connection in this moment (Node.js documentation, request.reusedSocket).
      if (request.reusedSocket && error.code === 'ECONNRESET') ask(path, headers, answered);
      else console.error(error);
    });
  };
  // As if it had been opened a while ago.
  const openedAt = Date.now() - phase * CYCLE_MS;
  const due = new Map(ROUTES.map(([path]) => [path, 0]));
  const look = () => {
    const now = Date.now();
    const asked = ROUTES.filter(([path]) => due.get(path) <= now);
    if (asked.length === 0) return;
    for (const [path] of asked) due.set(path, Infinity);
    // As the page does: the pace of the answer holds for the next request.
    const plan = () => {
      for (const [path, every] of asked) {
        const everyMs = every * 1_000 * pace;
        due.set(path, openedAt + Math.round((now - openedAt) / everyMs + 1) * everyMs);
      }
    };
    if (together) ask(`dashboard/overview?${new URLSearchParams(asked.map(([path]) => ['part', path]))}`, {}, plan);
    else for (const [path] of asked) ask(path, { 'Cache-Control': 'max-age=3' }, plan);
  };
  let timer;
  const listens = setTimeout(() => ask('events'), (phase * OPENING_MS) / 2);
  // Once all listen, the first answer has the pace that holds from then on.
  const asks = setTimeout(
    () => {
      look();
      timer = setInterval(look, 500);
    },
    ((phase + 1) * OPENING_MS) / 2,
  );
  return {
    counts,
    close() {
      closed = true;
      clearTimeout(listens);
      clearTimeout(asks);
      clearInterval(timer);
      agent.destroy();
    },
  };
}
