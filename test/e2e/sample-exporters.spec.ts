import { afterEach, describe, expect, it } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const running = new Set<ChildProcess>();
const closing: (() => void)[] = [];
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  for (const close of closing.splice(0)) close();
});

/** Starts an example as its users do, requests one product three times, ends it, and returns its output. */
async function run(example: string, environment: Record<string, string>): Promise<string> {
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      '--import',
      './test/support/process/typescript.mjs',
      `sample/exporters/${example}.ts`,
    ],
    { env: { PATH: process.env['PATH'], PORT: '0', ...environment }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  running.add(child);
  let output = '';
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += String(chunk)));
  const address = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += String(chunk);
      const port = /The shop is at http:\/\/[^"\s]+:(\d+)/.exec(output)?.[1];
      if (port !== undefined) resolve(`http://localhost:${port}`);
    });
    child.once('exit', (code) => reject(new Error(`${example} ended with ${code}: ${errors.slice(-2000)}`)));
  });
  for (let time = 0; time < 3; time++) {
    const { status, headers } = await fetch(`${address}/products/1`);
    expect([status, headers.get('x-cache')]).toEqual([200, time === 0 ? 'MISS' : 'HIT']);
  }
  child.removeAllListeners('exit');
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
  running.delete(child);
  expect(errors).toBe('');
  return output;
}

describe('the examples of exporters', () => {
  it.each([
    ['dogstatsd', /^shop\.cache\.operations:2\|c\|#(?=.*operation:get)(?=.*result:hit)/m],
    ['statsd', /^shop\.cache\.operations\.get\.hit:2\|c$/m],
  ])('StatsD receives the counters in the dialect %s', async (dialect, line) => {
    const socket = createSocket('udp4');
    closing.push(() => socket.close());
    let received = '';
    socket.on('message', (message) => (received += `${message.toString()}\n`));
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    await run('statsd', { STATSD_PORT: String(socket.address().port), STATSD_DIALECT: dialect });
    expect(received).toMatch(line);
  });

  it('an OpenTelemetry collector receives the counters', async () => {
    const bodies: unknown[] = [];
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        bodies.push([request.url, JSON.parse(Buffer.concat(chunks).toString())]);
        response.setHeader('content-type', 'application/json').end('{}');
      });
    });
    closing.push(() => server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await run('otlp', { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` });

    interface Metrics {
      readonly resourceMetrics: { scopeMetrics: { scope: { name: string }; metrics: Metric[] }[] }[];
    }
    interface Metric {
      readonly name: string;
      readonly sum?: { dataPoints: { asDouble: number; attributes: { key: string; value: object }[] }[] };
    }
    const [path, last] = bodies.at(-1) as [string, Metrics];
    expect(path).toBe('/v1/metrics');
    const metrics = last.resourceMetrics
      .flatMap(({ scopeMetrics }) => scopeMetrics)
      .filter(({ scope }) => scope.name === 'nestjs-cache-observability')
      .flatMap((scope) => scope.metrics);
    const hits = metrics
      .find(({ name }) => name === 'cache.operations')
      ?.sum?.dataPoints.find(({ attributes }) => /"get".*"hit"|"hit".*"get"/.test(JSON.stringify(attributes)));
    expect(hits?.asDouble).toBe(2);
  });

  it('CloudWatch reads the counters from standard output, where every line is JSON', async () => {
    const output = await run('cloudwatch', { ENVIRONMENT: 'test' });
    const lines = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const metrics = lines.filter((line) => '_aws' in line);
    expect(metrics.length).toBeGreaterThan(0);
    for (const { _aws } of metrics)
      expect(_aws).toMatchObject({
        Timestamp: expect.any(Number),
        CloudWatchMetrics: [{ Namespace: 'Shop', Dimensions: [expect.arrayContaining(['environment'])] }],
      });
    expect(metrics).toContainEqual(
      expect.objectContaining({ environment: 'test', operation: 'get', result: 'hit', 'cache.operations': 2 }),
    );
  });
});
