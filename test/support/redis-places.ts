import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals';
import { systemClock, type Clock } from '../../lib/cache/base/clock.js';
import type { Layer } from '../../lib/cache/layers/layer.js';
import { redisLayer } from '../../lib/cache/layers/redis/redis-layer.js';
import type { RedisLayerOptions } from '../../lib/cache/layers/redis/redis-options.js';
import { layerContext } from './layer-context.js';
import { RedisCluster, RedisServer } from './redis.js';
import { LoadTicket } from '../../lib/cache/layers/load-ticket.js';

/** The two places of the order of invalidations, for the whole suite; call it at the top of a file. */
export class RedisPlaces {
  #server: RedisServer | undefined;
  #cluster: RedisCluster | undefined;

  constructor() {
    beforeAll(async () => {
      [this.#server, this.#cluster] = await Promise.all([RedisServer.start(), RedisCluster.start()]);
    }, 30_000);
    afterAll(() => Promise.all([this.#server?.dispose(), this.#cluster?.dispose()]), 30_000);
  }

  get server(): RedisServer {
    return this.#server!;
  }

  get cluster(): RedisCluster {
    return this.#cluster!;
  }

  /** Their options, by name, for `describe.each`. */
  readonly both: ['one server' | 'a cluster', () => RedisLayerOptions][] = [
    ['one server', () => ({ url: this.server.url })],
    ['a cluster', () => ({ cluster: { rootNodes: this.cluster.rootNodes } })],
  ];
}

let turn = 0;

/** Processes over one Redis, in a separate namespace for each test; call it at the top of a `describe`. */
export class LayerProcesses {
  readonly #options: () => RedisLayerOptions;
  readonly #open: Layer[] = [];
  prefix = '';
  /** Two processes of each test. */
  here!: Layer;
  there!: Layer;

  constructor(options: () => RedisLayerOptions) {
    this.#options = options;
    beforeEach(async () => {
      this.prefix = `processes${turn++}`;
      this.here = await this.start();
      this.there = await this.start();
    });
    afterEach(async () => {
      for (const layer of this.#open.splice(0)) await layer.disconnect();
    });
  }

  /** Starts another process, which has only what it reads in Redis. */
  async start(clock: Clock = systemClock): Promise<Layer> {
    const layer = redisLayer({ deadline: 2_000, ...this.#options() }).create(layerContext(this.prefix, { clock }));
    await layer.connect?.();
    this.#open.push(layer);
    return layer;
  }
}

/** Begins a load and returns the result of its read. */
export async function beginLoad(layer: Layer, key: string): Promise<LoadTicket> {
  const ticket = new LoadTicket();
  await layer.get(key, ticket);
  return ticket;
}
