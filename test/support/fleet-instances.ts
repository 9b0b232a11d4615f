import type { SharedMap } from '../../lib/cache/layers/layer.js';
import { FleetInsight } from '../../lib/fleet/fleet-insight.js';
import {
  createObservedCache,
  type LayerFactory,
  memoryLayer,
  type ObservedCache,
  type ObservedCacheOptions,
  redisLayer,
} from '../../lib/index.js';
import { connected } from './fleet-experiment.js';
import { HandClock } from './hand-clock.js';
import { eventually, type RedisServer } from './redis.js';

const EVERY_MS = 5_000;
/** Instances note their insight every third interval. */
const NOTED_MS = 3 * EVERY_MS;

export interface FleetInstance {
  readonly cache: ObservedCache;
  readonly insight: FleetInsight;
}

/** Instances with one namespace over a real Redis, and one clock that the test turns. */
export class FleetInstances {
  readonly clock = new HandClock();
  readonly #all: (FleetInstance & { readonly destroy: () => void })[] = [];
  readonly #published = new Map<FleetInstance, number>();

  constructor(
    private readonly server: RedisServer,
    private readonly namespace: string,
  ) {}

  async start(options: ObservedCacheOptions = {}, memory: LayerFactory = memoryLayer()): Promise<FleetInstance> {
    const client = await connected(this.server, this.clock);
    const cache = createObservedCache({
      clock: this.clock, namespace: this.namespace, ttl: '1h', alerts: false, metrics: { patternOf: () => 'item:*' },
      layers: [memory, redisLayer({ client, deadline: '1m' })],
      ...options,
    }); // prettier-ignore
    await cache.connect();
    const map = cache.layers[1]!.sharedMap!('insight');
    const sharedMap: SharedMap = {
      publish: async (...note) => {
        await map.publish(...note);
        this.#published.set(instance, (this.#published.get(instance) ?? 0) + 1);
      },
      read: (slot) => map.read(slot),
      readAll: () => map.readAll(),
      withdraw: (slot) => map.withdraw(slot),
    };
    const own = { id: `i${this.#all.length + 1}`, host: `host-${this.#all.length + 1}`, pid: 7 };
    const insight = new FleetInsight({ insight: cache.insight, own, sharedMap, everyMs: EVERY_MS, clock: this.clock });
    const instance = { cache, insight, destroy: () => client.destroy() };
    this.#all.push(instance);
    insight.onApplicationBootstrap();
    return instance;
  }

  /** Turns the clock until every instance has noted what it knows now. */
  async noted(): Promise<void> {
    const before = new Map(this.#published);
    await eventually(() => {
      this.clock.turnTo(this.clock.now() + NOTED_MS);
      // The first note may have been made before.
      return this.#all.every((one) => (this.#published.get(one) ?? 0) > (before.get(one) ?? 0) + 1);
    }, 'every instance has noted its insight');
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#all.map(async ({ insight, cache, destroy }) => {
        await insight.onApplicationShutdown();
        await cache.close();
        destroy();
      }),
    );
  }
}
