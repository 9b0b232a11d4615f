import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, freePort } from './redis.js';

const require = createRequire(import.meta.url);

/** npm's statsd on free ports, which flushes its counts to a Graphite that is this object. */
export class StatsdServer {
  /** The last flushed figure of each name; sums for counters. */
  readonly counters = new Map<string, number>();
  readonly gauges = new Map<string, number>();
  readonly #directory = mkdtempSync(join(tmpdir(), 'cache-statsd-'));
  #graphite: net.Server | undefined;
  #process: ChildProcess | undefined;

  private constructor(readonly port: number) {}

  static async start(): Promise<StatsdServer> {
    const server = new StatsdServer(await freePort());
    const managementPort = await freePort();
    server.#graphite = net
      .createServer((socket) => {
        let text = '';
        socket.on('data', (chunk) => (text += chunk.toString()));
        socket.on('end', () => text.split('\n').forEach((line) => server.#take(line)));
      })
      .listen(0, '127.0.0.1');
    await once(server.#graphite, 'listening');
    const config = join(server.#directory, 'config.js');
    const settings = {
      address: '127.0.0.1',
      port: server.port,
      mgmt_address: '127.0.0.1',
      mgmt_port: managementPort,
      flushInterval: 100,
      backends: ['./backends/graphite'],
      graphiteHost: '127.0.0.1',
      graphitePort: (server.#graphite.address() as net.AddressInfo).port,
      graphite: { legacyNamespace: false, globalPrefix: '' },
    };
    writeFileSync(config, JSON.stringify(settings));
    // Its logging module is not part of Node 23 and later.
    const log = join(server.#directory, 'log.cjs');
    writeFileSync(log, "require('node:util').log ??= () => undefined;");
    server.#process = spawn(process.execPath, ['--require', log, require.resolve('statsd/stats.js'), config], {
      stdio: 'ignore',
    });
    await eventually(() => answers(managementPort), 'statsd answers');
    return server;
  }

  async stop(): Promise<void> {
    if (this.#process !== undefined && this.#process.exitCode === null) {
      this.#process.kill('SIGKILL');
      await once(this.#process, 'exit');
    }
    this.#graphite?.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #take(line: string): void {
    const [name = '', figure = ''] = line.split(' ');
    const counter = /^counters\.(.+)\.count$/.exec(name)?.[1];
    if (counter !== undefined) this.counters.set(counter, (this.counters.get(counter) ?? 0) + Number(figure));
    const gauge = /^gauges\.(.+)$/.exec(name)?.[1];
    if (gauge !== undefined) this.gauges.set(gauge, Number(figure));
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
