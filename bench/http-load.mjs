// Starts variants in separate processes and loads them from this one, so that server and load each have a core.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import autocannon from 'autocannon';

/** The microseconds of CPU time that a process has used, user and system; elapsed time if that is unknown (not Linux). */
function cpuOf(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  } catch {
    return performance.now() * 1_000;
  }
}

/** Numbers the entries that are requested once. */
let asked = 0;

/** A running variant: `load(seconds)` returns requests per second and the server's CPU time per request, microseconds. */
export async function startVariant(adapter, variant, bytes) {
  const child = spawn(
    process.execPath,
    [new URL('./http-server.mjs', import.meta.url).pathname, adapter, variant, String(bytes)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_ENV: 'production' },
    },
  );
  const port = await new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      const match = /port (\d+)/.exec(String(chunk));
      if (match) resolve(Number(match[1]));
    });
    child.on('exit', (code) => reject(new Error(`${adapter}, ${variant}: exited with ${code} before it listened`)));
  });
  const url = `http://127.0.0.1:${port}/answer`;
  return {
    name: variant,
    /** @param misses requests another entry each time. */
    async load(seconds, misses = false) {
      const before = cpuOf(child.pid);
      const requests = misses
        ? [{ setupRequest: (request) => ({ ...request, path: `/answer?n=${asked++}` }) }]
        : undefined;
      const result = await autocannon({ url, connections: 64, duration: seconds, requests });
      if (result.non2xx > 0 || result.errors > 0)
        throw new Error(`${variant}: ${result.non2xx} answers not 2xx, ${result.errors} errors`);
      const { total } = result.requests;
      return { rate: total / result.duration, cpu: (cpuOf(child.pid) - before) / total };
    },
    stop: () => child.kill('SIGKILL'),
  };
}
