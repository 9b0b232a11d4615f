import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, createCluster, type RedisClientType, type RedisClusterType } from '@redis/client';

/** A free TCP port of this machine. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as net.AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

/** Waits until `condition` is true, checked every 20 ms; for servers, which have their own clock. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  what: string,
  withinMs = 20_000,
): Promise<void> {
  const until = Date.now() + withinMs;
  for (;;) {
    if (await condition()) return;
    if (Date.now() > until) throw new Error(`${what}: not within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

type Config = Readonly<Record<string, string | number>>;

const argumentsOf = (config: Config): string[] =>
  Object.entries(config).flatMap(([name, value]) => [
    `--${name}`,
    ...(value === '' ? [''] : name === 'user' ? [String(value)] : String(value).split(' ')),
  ]);

/** The program of the servers: Redis, or another server with its protocol, such as `valkey-server`. */
const PROGRAM = process.env.CACHE_TEST_SERVER ?? 'redis-server';

/** A server for the test, on a free port, in memory only. */
export class RedisServer {
  readonly #directory = mkdtempSync(join(tmpdir(), 'cache-redis-'));
  readonly #clients: RedisClientType[] = [];
  #process: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    readonly config: Config,
  ) {}

  /** @param config directives of redis.conf, such as `{ maxmemory: '2mb', 'maxmemory-policy': 'noeviction' }`. */
  static async start(config: Config = {}, port?: number): Promise<RedisServer> {
    const server = new RedisServer(port ?? (await freePort()), config);
    await server.up();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Whether the process runs; it may be frozen. */
  get isUp(): boolean {
    return this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Starts it again, empty, on the same port. */
  async up(): Promise<void> {
    const child = spawn(
      PROGRAM,
      argumentsOf({
        port: this.port,
        bind: '127.0.0.1',
        save: '',
        appendonly: 'no',
        dir: this.#directory,
        ...this.config,
      }),
      { stdio: ['ignore', 'pipe', 'ignore'] },
    );
    this.#process = child;
    let output = '';
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => {
        output += String(chunk);
        if (/Ready to accept connections|Running mode=cluster.*[\s\S]*Ready/.test(output)) resolve();
      });
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`${PROGRAM} ended with ${code}: ${output.slice(-500)}`)));
    });
    child.removeAllListeners('exit');
  }

  /** SIGKILL: the connections are reset, the data is gone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (!this.isUp) return;
    const child = this.#process!;
    const exited = once(child, 'exit');
    child.kill(signal);
    if (signal !== 'SIGKILL') child.kill('SIGCONT');
    await exited;
  }

  /** SIGSTOP: the sockets stay open and the server does not answer. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  /** SIGCONT: it continues, first with the commands received meanwhile. */
  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.up();
  }

  /** A plain client of node-redis for reading the data; closed by `dispose`. */
  async client(): Promise<RedisClientType> {
    const client = createClient({ url: this.url }) as RedisClientType;
    client.on('error', () => undefined);
    await client.connect();
    this.#clients.push(client);
    return client;
  }

  async dispose(): Promise<void> {
    for (const client of this.#clients) if (client.isOpen) client.destroy();
    await this.kill();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** A master, a replica and three sentinels that fail over within about four seconds. */
export class RedisSentinelSetup {
  readonly #sentinels: ChildProcess[] = [];
  readonly #directory = mkdtempSync(join(tmpdir(), 'cache-sentinel-'));

  private constructor(
    readonly master: RedisServer,
    readonly replica: RedisServer,
    readonly ports: readonly number[],
    /** The master's name in the sentinels. */
    readonly name: string,
  ) {}

  static async start(name = 'primary'): Promise<RedisSentinelSetup> {
    const master = await RedisServer.start();
    const replica = await RedisServer.start({ replicaof: `127.0.0.1 ${master.port}` });
    const ports = [await freePort(), await freePort(), await freePort()];
    const setup = new RedisSentinelSetup(master, replica, ports, name);
    await setup.#startSentinels();
    const looking = await replica.client();
    await eventually(async () => (await looking.info('replication')).includes('master_link_status:up'), 'replication');
    // A master without its replica must refuse writes, which the promoted replica would never get.
    await (await master.client()).configSet('min-replicas-to-write', '1');
    const sentinel = createClient({ url: `redis://127.0.0.1:${ports[0]}` });
    await sentinel.connect();
    await eventually(async () => {
      const fields = (await sentinel.sendCommand(['SENTINEL', 'MASTER', setup.name])) as unknown as string[];
      const value = (field: string) => Number(fields[fields.indexOf(field) + 1]);
      return value('num-slaves') === 1 && value('num-other-sentinels') === 2;
    }, 'sentinels know each other');
    sentinel.destroy();
    return setup;
  }

  get rootNodes(): { host: string; port: number }[] {
    return this.ports.map((port) => ({ host: '127.0.0.1', port }));
  }

  async #startSentinels(): Promise<void> {
    for (const port of this.ports) {
      const file = join(this.#directory, `${port}.conf`);
      writeFileSync(
        file,
        [
          `port ${port}`,
          'bind 127.0.0.1',
          `dir ${this.#directory}`,
          `sentinel monitor ${this.name} 127.0.0.1 ${this.master.port} 2`,
          `sentinel down-after-milliseconds ${this.name} 2500`,
          `sentinel failover-timeout ${this.name} 3000`,
        ].join('\n'),
      );
      const child = spawn(PROGRAM, [file, '--sentinel'], { stdio: ['ignore', 'pipe', 'ignore'] });
      this.#sentinels.push(child);
      for await (const chunk of child.stdout) if (/Sentinel ID is|\+monitor/.test(String(chunk))) break;
      child.stdout.resume();
    }
  }

  async dispose(): Promise<void> {
    for (const child of this.#sentinels) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }
    await this.replica.dispose();
    await this.master.dispose();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Three masters without replicas, every slot covered. */
export class RedisCluster {
  readonly #replicas: RedisServer[] = [];

  private constructor(readonly nodes: readonly RedisServer[]) {}

  static async #startNode(config: Config): Promise<RedisServer> {
    // The bus listens on the port plus 10,000, so ports must stay below 55,536.
    let port = await freePort();
    while (port > 55_000) port = await freePort();
    return RedisServer.start(
      {
        'cluster-enabled': 'yes',
        'cluster-node-timeout': 1000,
        ...config,
        'cluster-config-file': `nodes-${port}.conf`,
      },
      port,
    );
  }

  /** @param config directives of every node, such as `{ 'cluster-require-full-coverage': 'no' }`. */
  static async start(config: Config = {}): Promise<RedisCluster> {
    const nodes: RedisServer[] = [];
    for (let index = 0; index < 3; index++) nodes.push(await RedisCluster.#startNode(config));
    const clients = await Promise.all(nodes.map((node) => node.client()));
    const first = nodes[0]!;
    await Promise.all(
      clients.map(async (client, index) => {
        const from = Math.floor((16_384 * index) / 3);
        const to = Math.floor((16_384 * (index + 1)) / 3) - 1;
        await client.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', String(from), String(to)]);
        await client.sendCommand(['CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1)]);
      }),
    );
    for (const client of clients.slice(1)) {
      await client.sendCommand(['CLUSTER', 'MEET', '127.0.0.1', String(first.port)]);
    }
    for (const client of clients) {
      await eventually(async () => {
        const info = String(await client.sendCommand(['CLUSTER', 'INFO']));
        return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3');
      }, 'cluster agrees');
    }
    return new RedisCluster(nodes);
  }

  get rootNodes(): { url: string }[] {
    return this.nodes.map(({ url }) => ({ url }));
  }

  /** Adds a replica that takes over when its master is lost; the master refuses writes without it. */
  async addReplica(of: RedisServer): Promise<RedisServer> {
    const replica = await RedisCluster.#startNode(of.config);
    this.#replicas.push(replica);
    const [client, master] = [await replica.client(), await of.client()];
    await client.sendCommand(['CLUSTER', 'MEET', '127.0.0.1', String(of.port)]);
    const id = String(await master.sendCommand(['CLUSTER', 'MYID']));
    await eventually(
      () => client.sendCommand(['CLUSTER', 'REPLICATE', id]).then(Boolean, () => false),
      'the replica knows its master',
    );
    await eventually(async () => (await client.info('replication')).includes('master_link_status:up'), 'replication');
    await master.configSet('min-replicas-to-write', '1');
    return replica;
  }

  /** A plain cluster client; close it yourself. */
  async client(): Promise<RedisClusterType> {
    const cluster = createCluster({ rootNodes: this.rootNodes }) as unknown as RedisClusterType;
    cluster.on('error', () => undefined);
    await cluster.connect();
    return cluster;
  }

  async dispose(): Promise<void> {
    for (const node of [...this.nodes, ...this.#replicas]) await node.dispose();
  }
}
