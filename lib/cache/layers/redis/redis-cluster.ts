import type { createCluster, RedisClusterOptions } from '@redis/client';
import { TIMED_OUT, within } from '../../base/bounded-wait.js';
import type { Clock } from '../../base/clock.js';
import {
  AS_BUFFERS,
  unavailable,
  type ConnectionEvents,
  type RedisArgument,
  type RedisConnection,
  type RedisNode,
} from './redis-connection.js';
import { redisPackage } from './redis-package.js';
import { clientOptions } from './redis-endpoint.js';
import type { RedisLayerOptions } from './redis-options.js';
import { SingleConnection } from './redis-single.js';

type Cluster = ReturnType<typeof createCluster>;
type Node = RedisClusterOptions['rootNodes'][number];

const RETRY_MS = 500;
/** The time limit for a master to list the masters. */
const TELL_MS = 250;

/** A connection to every master of a Redis Cluster; node-redis follows redirections and new masters. */
export class ClusterConnection implements RedisConnection {
  readonly cluster = true;
  readonly keyPrefix = '';
  readonly #options: RedisClusterOptions;
  readonly #events: ConnectionEvents;
  readonly #clock: Clock;
  #cluster: Cluster | undefined;
  #attempt: Promise<void> | undefined;
  #following: Promise<void> | undefined;
  #closed = false;
  #lost = false;
  #attempts = 0;
  #stopWaiting: (() => void) | undefined;

  constructor(
    cluster: NonNullable<RedisLayerOptions['cluster']>,
    connection: RedisLayerOptions['connection'],
    events: ConnectionEvents,
    clock: Clock,
  ) {
    const { socket, ...rest } = clientOptions(connection);
    this.#options = {
      rootNodes: cluster.rootNodes,
      ...(cluster.nodeAddressMap === undefined ? {} : { nodeAddressMap: cluster.nodeAddressMap }),
      defaults: {
        ...rest,
        disableOfflineQueue: true,
        socket: {
          connectTimeout: 1_000,
          ...socket,
          reconnectStrategy: (retries: number) => Math.min(50 * 2 ** retries, 1_000),
        } as never,
      },
    };
    this.#events = events;
    this.#clock = clock;
  }

  get ready(): boolean {
    return this.#cluster !== undefined;
  }

  send(key: string, args: readonly RedisArgument[]): Promise<unknown> {
    const cluster = this.#cluster;
    if (cluster === undefined) return Promise.reject(unavailable());
    return cluster.sendCommand(key, false, args as RedisArgument[], AS_BUFFERS).catch((error: unknown) => {
      this.#suspect(cluster, error);
      throw error;
    });
  }

  async nodes(): Promise<readonly RedisNode[]> {
    const cluster = this.#cluster;
    if (cluster === undefined) throw unavailable();
    return Promise.all(
      cluster.masters.map(async (master) => {
        const client = await cluster.nodeClient(master);
        return (args: readonly RedisArgument[]) => client.sendCommand(args, AS_BUFFERS);
      }),
    );
  }

  connect(): Promise<void> {
    if (this.#cluster === undefined || this.#lost) return this.#connect();
    return (this.#following ??= this.#followMasters(this.#cluster).finally(() => (this.#following = undefined)));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopWaiting?.();
    await this.#attempt?.catch(() => undefined);
    this.#release();
  }

  /** Messages reach every node, so one connection of our own to any node receives all. */
  async subscribe(
    channel: string,
    onMessage: (message: string) => void,
    onReady: () => void,
    _own?: string,
    onLost?: (cause?: unknown) => void,
  ): Promise<() => Promise<void>> {
    let turn = 0;
    const { rootNodes, defaults } = this.#options;
    const home = new SingleConnection(
      () => Promise.resolve({ ...defaults, ...rootNodes[turn++ % rootNodes.length] } as never),
      { lost: () => undefined, ready: () => undefined },
      this.#clock,
    );
    return home.subscribe(channel, onMessage, onReady, undefined, onLost);
  }

  /**
   * Detects new masters. node-redis detects a killed master and follows redirections. A frozen master causes neither, so the other masters
   * are asked.
   */
  async #followMasters(cluster: Cluster): Promise<void> {
    for (const master of cluster.masters) {
      if (this.#cluster !== cluster) return;
      const known = await within(mastersKnownBy(cluster, master), TELL_MS, this.#clock).catch(() => undefined);
      if (known === undefined || known === TIMED_OUT) continue;
      if (cluster.masters.every(({ id }) => known.ids.has(id))) return;
      return this.#connect([known.by]);
    }
  }

  #connect(rootNodes?: Node[]): Promise<void> {
    return (this.#attempt ??= this.#open(rootNodes)
      .catch((cause: unknown) => {
        this.#retry();
        throw cause;
      })
      .finally(() => (this.#attempt = undefined)));
  }

  async #open(rootNodes = this.#options.rootNodes): Promise<void> {
    if (this.#closed) throw unavailable();
    // A dead master would delay an eager attempt: later attempts connect to nodes when they are needed.
    const minimizeConnections = this.#attempts++ > 0;
    const cluster = (await redisPackage()).createCluster({ ...this.#options, rootNodes, minimizeConnections });
    // This event is the only source of the reason why a node cannot be reached.
    let cause: unknown;
    cluster.on('error', (error) => (cause = error));
    await new Promise<void>((resolve, reject) => {
      const cancel = this.#clock.after(3_000, () =>
        reject(Object.assign(new Error('The cluster did not answer.'), { code: 'ETIMEDOUT' })),
      );
      cluster
        .connect()
        .then(() => resolve(), reject)
        .finally(cancel);
    }).catch((error: unknown) => {
      destroy(cluster);
      throw cause ?? error;
    });
    if (this.#closed) return destroy(cluster);
    this.#release();
    this.#cluster = cluster;
    this.#lost = false;
    this.#attempts = 0;
    this.#events.ready();
  }

  /** Handles a node that does not answer. It may have moved, so the map of slots is fetched again, one fetch at a time. */
  #suspect(cluster: Cluster, error: unknown): void {
    if (this.#closed || this.#cluster !== cluster || this.#lost || !isDisconnection(error)) return;
    this.#lost = true;
    this.#events.lost(error);
    this.#retry();
  }

  #retry(): void {
    if (this.#closed || this.#stopWaiting !== undefined) return;
    this.#stopWaiting = this.#clock.after(RETRY_MS, () => {
      this.#stopWaiting = undefined;
      void this.#connect().catch((cause: unknown) => this.#events.notRestored?.(cause));
    });
  }

  #release(): void {
    if (this.#cluster !== undefined) destroy(this.#cluster);
    this.#cluster = undefined;
  }
}

/** Returns the masters that one master lists, by the names of their nodes, and how to reach that master. */
async function mastersKnownBy(
  cluster: Cluster,
  master: Cluster['masters'][number],
): Promise<{ by: Node; ids: Set<string> }> {
  const client = await cluster.nodeClient(master);
  const slots: unknown = await client.sendCommand(['CLUSTER', 'SLOTS']);
  const { host, port } = client.options.socket as { host: string; port: number };
  return {
    by: { socket: { host, port } },
    ids: new Set(
      (slots as [from: number, to: number, master: [host: string, port: number, id: string]][]).map(
        (range) => range[2][2],
      ),
    ),
  };
}

function destroy(cluster: Cluster): void {
  try {
    cluster.destroy();
  } catch {
    // It was not open.
  }
}

function isDisconnection(error: unknown): boolean {
  return (
    error instanceof Error &&
    /closed|offline|socket|ECONN|disconnect|Cannot find node/i.test(`${error.name} ${error.message}`)
  );
}
