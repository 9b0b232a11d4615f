import { expect } from '@jest/globals';
import { type INestApplication, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { setTimeout as pause } from 'node:timers/promises';
import {
  Cached,
  CacheInvalidate,
  CacheObservabilityModule,
  memoryLayer,
  ObservedCache,
  redisLayer,
} from '../../lib/index.js';
import type { RedisLayerOptions } from '../../lib/cache/layers/redis/redis-options.js';
import { createObservedCache } from '../../lib/wiring/create-observed-cache.js';
import { boot, type Platform } from './apps.js';
import { MachineStalls } from './machine-stalls.js';
import { eventually } from './redis.js';
import { type Phase, Visitors } from './visitors.js';

/** The default deadline of the application's layer. */
const DEADLINE_MS = 300;
/** The duration of a load. */
const ORIGIN_MS = 10;
/** Longer than any response may take, and than Redis may need to serve again. */
const HUNG_MS = 5_000;
const RECOVERY_MS = 5_000;
/** How long a closing application may take. */
const CLOSING_MS = 6_000;
/** How many visits of the hot page an outage must see, so that a share of them can be judged. */
const ENOUGH_VISITS = 20;
const NAMESPACE = 'shop';
/** Fewer than there are feed pages, so that Redis is always read. */
const IN_MEMORY = 60;

/** The origin: versions that only grow, each read at the beginning of a slow load. */
export class Origin {
  readonly #versions = new Map<string, number>();

  async product(id: string): Promise<{ id: string; version: number }> {
    const version = this.version(id);
    await pause(ORIGIN_MS);
    return { id, version };
  }

  async feed(page: string): Promise<{ page: string; items: number[] }> {
    await pause(ORIGIN_MS);
    return { page, items: Array.from({ length: 20 }, (_, index) => index) };
  }

  change(id: string): number {
    const version = this.version(id) + 1;
    this.#versions.set(id, version);
    return version;
  }

  version(id: string): number {
    return this.#versions.get(id) ?? 0;
  }
}

function shopOver(origin: Origin): new (cache: ObservedCache) => object {
  @Controller()
  class ShopController {
    constructor(@Inject(ObservedCache) readonly cache: ObservedCache) {}

    @Get('feeds/discover')
    @Cached('feed:*', { ttl: '10m' })
    discover(@Query('page') page: string) {
      return origin.feed(page);
    }

    @Get('products/:id')
    @Cached('product:{params.id}', { ttl: '1s', tags: ['catalogue:{params.id}'] })
    product(@Param('id') id: string) {
      return origin.product(id);
    }

    @Post('products/:id/purchase')
    @HttpCode(200)
    @CacheInvalidate({ tags: ['catalogue:{params.id}'] })
    purchase(@Param('id') id: string) {
      return { version: origin.change(id) };
    }

    @Post('products/:id/reprice')
    @HttpCode(200)
    @CacheInvalidate({ keys: ['product:{params.id}'] })
    reprice(@Param('id') id: string) {
      return { version: origin.change(id) };
    }

    @Post('products/:id/recall')
    @HttpCode(200)
    @CacheInvalidate({ patterns: ['product:{params.id}*'] })
    recall(@Param('id') id: string) {
      return { version: origin.change(id) };
    }

    @Post('notes/:id')
    @HttpCode(200)
    async note(@Param('id') id: string) {
      const version = origin.change(`note ${id}`);
      await this.cache.set(`note:${id}`, { version }, '10m');
      return { version };
    }
  }
  return ShopController;
}

/** Figures of a layer in `/cache/stats/layers`. */
export interface LayerFigures {
  readonly layer: string;
  readonly cache_hits: number;
  readonly circuit_state: 'closed' | 'open' | 'half_open';
  readonly connected: boolean;
  readonly queue_depth: number;
  readonly writes_dropped: number;
}

/**
 * An application with memory and Redis under constant traffic, for a test that breaks its Redis and repairs it. {@link
 * Outage.expectUnnoticed} checks that visitors notice nothing.
 */
export class Outage {
  readonly visitors: Visitors;
  readonly #app: INestApplication;
  readonly #close: () => Promise<void>;
  readonly #redis: RedisLayerOptions;
  readonly #deadlineMs: number;
  /** Delays by other work of the machine, with or without Redis. */
  readonly #stalls = new MachineStalls();

  private constructor(app: INestApplication, close: () => Promise<void>, redis: RedisLayerOptions, visitors: Visitors) {
    this.#app = app;
    this.#close = close;
    this.#redis = redis;
    this.#deadlineMs = Number(redis.deadline ?? DEADLINE_MS);
    this.visitors = visitors;
  }

  /** Boots the application and starts its visitors until every layer is in use. */
  static async begin(redis: RedisLayerOptions, platform: Platform = 'fastify'): Promise<Outage> {
    const origin = new Origin();
    const { app, close } = await boot(platform, {
      imports: [
        CacheObservabilityModule.forRoot({
          layers: [
            memoryLayer({ maxEntries: IN_MEMORY }),
            redisLayer({ deadline: DEADLINE_MS, writes: 'behind', ...redis }),
          ],
          namespace: NAMESPACE,
          prometheus: { defaultMetrics: false },
        }),
      ],
      controllers: [shopOver(origin)],
    });
    await app.listen(0, '127.0.0.1');
    const visitors = new Visitors(await app.getUrl());
    const outage = new Outage(app, close, redis, visitors);
    visitors.enter();
    await eventually(async () => (await outage.redis()).cache_hits > 20, 'Redis is in use');
    return outage;
  }

  /** Breaks Redis, waits until its circuit has opened, and lets visitors continue for a while. */
  async breakRedis(breaking: () => unknown, forMs = 1_000): Promise<void> {
    await this.injectFault(breaking, 0);
    await eventually(async () => (await this.redis()).circuit_state !== 'closed', 'the circuit opens');
    await pause(forMs);
  }

  /** Injects a fault that may leave the circuit closed; later requests count as sent during the outage. */
  async injectFault(breaking: () => unknown, forMs = 1_000): Promise<void> {
    this.visitors.phase = 'during';
    await breaking();
    await pause(forMs);
  }

  /**
   * Lets the outage last until enough visitors came, then repairs Redis, and waits until it serves hits with its circuit
   * closed. @returns how long the repair took.
   */
  async repair(repairing: () => unknown): Promise<number> {
    await eventually(() => this.visitors.count('during', 'hot') > ENOUGH_VISITS, 'enough visits during the outage');
    this.visitors.phase = 'after';
    await repairing();
    const repairedAt = performance.now();
    const { cache_hits: hits } = await this.redis();
    await eventually(async () => {
      const now = await this.redis();
      return now.circuit_state === 'closed' && now.cache_hits > hits;
    }, 'Redis serves hits again');
    const tookMs = performance.now() - repairedAt;
    await pause(500);
    return tookMs;
  }

  /** How long Redis may take to serve again: five seconds, and more if the machine stalled this process. */
  get recoveryMs(): number {
    return RECOVERY_MS + 10 * this.#stalls.longestMs;
  }

  /** The figures of Redis in `/cache/stats/layers`. */
  async redis(): Promise<LayerFigures> {
    const layers = (await this.#json('/cache/stats/layers')) as LayerFigures[];
    return layers.find(({ layer }) => layer === 'redis')!;
  }

  /** Changes of the circuit so far, by new state, from `/metrics`. */
  async transitions(): Promise<Record<'open' | 'half_open' | 'closed', number>> {
    const text = await (await fetch(`${this.visitors.url}/metrics`)).text();
    const count = (to: string) =>
      Number(
        new RegExp(`^cache_layer_circuit_transitions_total\\{layer="redis",to="${to}"\\} (\\d+)`, 'm').exec(
          text,
        )?.[1] ?? 0,
      );
    return { open: count('open'), half_open: count('half_open'), closed: count('closed') };
  }

  /**
   * Checks that no visitor noticed anything: no failure, no wait longer than the deadline of Redis and the origin, no
   * value from before an acknowledged change, and reads from memory as fast as before.
   * @param memoryKept false if the fault cuts the bus too, after which memory is no longer trusted.
   */
  expectUnnoticed({ memoryKept = true } = {}): void {
    const { visitors } = this;
    const deadlineMs = this.#deadlineMs;
    expect(visitors.failures).toEqual([]);
    expect(visitors.outdated).toEqual([]);
    expect(visitors.count('during', 'hot')).toBeGreaterThan(ENOUGH_VISITS);
    if (memoryKept) expect(visitors.count('during', 'cooled')).toBe(0);
    const calm = visitors.quantile('before', 'hot', 0.95);
    const stalledMs = this.#stalls.longestMs;
    expect(visitors.slowerThan(HUNG_MS + 10 * stalledMs)).toEqual([]);
    expect(visitors.quantile('during', 'hot', 0.95)).toBeLessThan(Math.max(deadlineMs / 2, 5 * calm) + 5 * stalledMs);
    for (const phase of ['during', 'after'] satisfies Phase[]) {
      // The deadline of Redis and the origin, doubled, and more if the machine was busy before.
      const busy = 5 * visitors.quantile('before', 'loaded', 0.99) + 10 * stalledMs;
      expect(visitors.quantile(phase, 'loaded', 0.99)).toBeLessThan(2 * (deadlineMs + ORIGIN_MS) + busy);
      // A change is sent to Redis and to the other processes, each within the deadline.
      expect(visitors.quantile(phase, 'changed', 0.99)).toBeLessThan(2 * (2 * deadlineMs + ORIGIN_MS) + busy);
    }
  }

  /** Stops the visitors and compares their responses with the counts: every request is one outcome. */
  async expectCountsMatch(): Promise<void> {
    this.#stalls.stop();
    await this.visitors.leave();
    const stats = (await this.#json('/cache/stats')) as Record<string, number>;
    const seen = this.visitors.byOutcome();
    expect({
      total: stats.total_requests,
      fresh: stats.cache_hits! - stats.stale_hits!,
      stale: stats.stale_hits,
      missed: stats.cache_misses,
    }).toEqual({ total: seen.HIT + seen.STALE + seen.MISS, fresh: seen.HIT, stale: seen.STALE, missed: seen.MISS });
    const endpoints = (await this.#json('/cache/stats/endpoints')) as { total_requests: number }[];
    expect(endpoints.reduce((sum, { total_requests }) => sum + total_requests, 0)).toBe(stats.total_requests);
    expect(stats.operations_in_flight).toBe(0);
  }

  /** Opens another cache without memory over the same Redis, as another process has. */
  async openReader(
    redis: RedisLayerOptions = {},
  ): Promise<{ get<T>(key: string): Promise<T | undefined>; close(): Promise<unknown> }> {
    const cache = createObservedCache({ layers: [redisLayer({ ...this.#redis, ...redis })], namespace: NAMESPACE });
    await cache.connect();
    return { get: (key) => cache.get(key), close: () => cache.disconnect() };
  }

  /** Checks that Redis contains nothing older than the last acknowledged change. */
  async expectNothingOld(redis?: RedisLayerOptions): Promise<void> {
    const other = await this.openReader(redis);
    try {
      for (const [id, version] of this.visitors.acknowledged) {
        const key = id.startsWith('note:') ? id : `product:${id}`;
        await eventually(async () => {
          const kept = await other.get<{ version: number }>(key);
          return kept === undefined || kept.version >= version;
        }, `${key} is not older than ${version}`);
      }
    } finally {
      await other.close();
    }
  }

  /** Checks that writes during the outage are stored afterwards: the last acknowledged value of each note. */
  async expectWritesStored(redis?: RedisLayerOptions): Promise<void> {
    await eventually(async () => (await this.redis()).queue_depth === 0, 'the queue is written');
    const other = await this.openReader(redis);
    try {
      const notes = [...this.visitors.notedDuring];
      expect(notes.length).toBeGreaterThan(5);
      for (const [id, version] of notes) expect((await other.get<{ version: number }>(id))?.version).toBe(version);
      expect((await this.redis()).writes_dropped).toBe(0);
    } finally {
      await other.close();
    }
  }

  async end(): Promise<void> {
    await this.visitors.leave();
    const stalls = new MachineStalls();
    const startedAt = performance.now();
    await this.#close();
    stalls.stop();
    this.#stalls.stop();
    expect(performance.now() - startedAt).toBeLessThan(CLOSING_MS + 10 * stalls.longestMs);
  }

  get app(): INestApplication {
    return this.#app;
  }

  async #json(path: string): Promise<unknown> {
    return (await fetch(this.visitors.url + path)).json();
  }
}
