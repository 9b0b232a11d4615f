import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExemplarSource } from './exemplars.js';
import { formatFor, type PrefixedSource, PrometheusExposition, type TextFormat } from './text.js';

export interface ServeMetricsOptions {
  /** 0 selects a free port. */
  readonly port: number;
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** @default '/metrics' */
  readonly path?: string;
  /** Prepended to every name. @default the prefix of the metrics */
  readonly prefix?: string;
  /** Exemplars for the buckets, in OpenMetrics only. @default none */
  readonly exemplars?: ExemplarSource;
}

export interface ServedMetrics {
  /** The URL of the exposition. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves the exposition over HTTP, without Nest. Clients that accept OpenMetrics get it. Rejects if the server cannot listen. The server
 * does not keep the process alive.
 * @publicApi
 */
export async function serveMetrics(metrics: PrefixedSource, options: ServeMetricsOptions): Promise<ServedMetrics> {
  const { port, host = '127.0.0.1', path = '/metrics', prefix, exemplars } = options;
  const expositions = new Map<TextFormat, PrometheusExposition>(
    (['prometheus', 'openmetrics'] as const).map((format) => [
      format,
      new PrometheusExposition(metrics, {
        format,
        ...(prefix !== undefined && { prefix }),
        ...(exemplars !== undefined && { exemplars }),
      }),
    ]),
  );
  const server = createServer((request, response) => void answer(request, response, path, metrics, expositions));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  server.unref();
  const { address, family, port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}${path}`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  metrics: PrefixedSource,
  expositions: ReadonlyMap<TextFormat, PrometheusExposition>,
): Promise<void> {
  const asked = (request.url ?? '').split('?', 1)[0];
  if (asked !== path) return refuse(response, 404, `The metrics are at ${path}.`);
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405, 'Metrics are read with GET.');
  const exposition = expositions.get(formatFor(request.headers.accept))!;
  try {
    await metrics.refresh?.();
    const text = await exposition.collectBytes();
    response.writeHead(200, { 'content-type': exposition.contentType, 'content-length': text.length });
    response.end(request.method === 'HEAD' ? undefined : text);
  } catch {
    refuse(response, 500, 'The metrics could not be rendered.');
  }
}

function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${message}\n`);
}
