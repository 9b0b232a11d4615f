import { createClient } from '@redis/client';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../../lib/cache/base/clock.js';
import { runAtOnce } from '../../lib/cache/base/slices.js';
import { SharedLadders } from '../../lib/fleet/shared-ladders.js';
import { figuresBytes, readFigures } from '../../lib/insight/ladder-figures.js';
import type { TtlLadder } from '../../lib/insight/ladder-report.js';
import { createObservedCache, memoryLayer, type ObservedCache, redisLayer } from '../../lib/index.js';
import { HandClock } from './hand-clock.js';
import type { RedisServer } from './redis.js';
import { playTraffic, seededRandom, type TrafficOptions } from './seeded-traffic.js';
import type { Realised } from './ttl-experiment.js';

const TIMES = [1 / 4, 1 / 2, 1, 2, 4, 8, 16, 64];
const PATTERN = 'item:*';
const INSTANCES = 4;
const EVERY_MS = 5_000;
/** How much later each instance exchanges than the one before. */
const APART_MS = 1_300;
/** Requests within this part of the TTL run concurrently. */
const TOGETHER = 1 / 160;

export interface FleetOfLadders {
  /** What the first instance reports for the whole fleet. */
  readonly ladder: TtlLadder;
  /** The real results of a fleet with each TTL that is not withheld. */
  readonly realised: readonly Realised[];
}

/** Plays traffic over four instances with one Redis, and at the same time over four with each of the other TTLs. */
export async function fleetExperiment(
  server: RedisServer,
  traffic: TrafficOptions,
  ttlMs: number,
): Promise<FleetOfLadders> {
  const clock = new HandClock();
  const startedAt = clock.now();
  const endsAt = startedAt + traffic.seconds * 1_000;
  const clients = await Promise.all(Array.from({ length: INSTANCES }, () => connected(server, clock)));
  const timers = new ExchangeTimers(clock);
  const isObserved = (times: number) => times * ttlMs > EVERY_MS && startedAt + 2 * times * ttlMs <= endsAt;
  const fleets = TIMES.filter(isObserved).map((times) => {
    const namespace = `shop-${namespaces++}`;
    const caches = clients.map((client, instance) =>
      createObservedCache({
        clock,
        random: seededRandom(traffic.seed + instance),
        ttl: times * ttlMs,
        namespace,
        alerts: false,
        layers: [memoryLayer({ maxEntries: 1_000_000, maxBytes: '1gb' }), redisLayer({ client, deadline: '1m' })],
        ...(times === 1 ? { metrics: { patternOf: () => PATTERN } } : { metrics: false, insight: false }),
      }),
    );
    return new PlayedFleet(times * ttlMs, caches);
  });
  await Promise.all(fleets.flatMap(({ caches }) => caches.map((cache) => cache.connect())));
  const today = fleets.find((fleet) => fleet.ttlMs === ttlMs)!.caches;
  const exchanges = today.map((cache, at) => exchanging(cache, timers.of(at * APART_MS)));

  const random = seededRandom(traffic.seed + 7_777);
  const versions = new Uint32Array(traffic.keys);
  const pending = new Map<number, Promise<unknown>>();
  let until = 0;
  const settled = async () => {
    await Promise.all(pending.values());
    pending.clear();
  };
  for (const { at, index, what } of happeningsOf(traffic)) {
    const now = startedAt + at * 1_000;
    const instance = Math.floor(random() * INSTANCES);
    if (pending.size > 0 && (now > until || pending.has(index))) await settled();
    if (pending.size === 0) until = now + ttlMs * TOGETHER;
    clock.turnTo(now);
    if (timers.running > 0) await settled();
    while (timers.running > 0) await nextTurn();
    if (what === 'ask') {
      pending.set(index, Promise.all(fleets.map((fleet) => fleet.ask(instance, index, versions[index]!))));
      continue;
    }
    versions[index]! += 1;
    if (what === 'announce') await Promise.all(fleets.map((fleet) => fleet.announce(instance, index)));
  }
  await settled();
  clock.turnTo(endsAt);
  const others = today.slice(1).map((cache) => readFigures(figuresBytes(runAtOnce(cache.insight.ladderFigures())))!);
  const ladder = today[0]!.insight.ttlLadderWith(others, PATTERN);
  await Promise.all(exchanges.map((shared) => shared.onApplicationShutdown()));
  await Promise.all(fleets.flatMap(({ caches }) => caches.map((cache) => cache.close())));
  for (const client of clients) client.destroy();
  const isShown = (ms: number) => ladder.ladder.some((rung) => rung.ttlMs === ms && rung.hitRate !== null);
  return { ladder, realised: fleets.map((fleet) => fleet.realised).filter((real) => isShown(real.ttlMs)) };
}

let namespaces = 0;

/** Four instances with one TTL, and what their callers got. */
class PlayedFleet {
  #accesses = 0;
  #hits = 0;
  #stale = 0;

  constructor(
    readonly ttlMs: number,
    readonly caches: readonly ObservedCache[],
  ) {}

  async ask(instance: number, index: number, version: number): Promise<void> {
    let loaded = false;
    const answer = this.caches[instance]!.getOrSet(`item:${index}`, () => {
      loaded = true;
      return version;
    });
    const value = await answer;
    this.#accesses++;
    if (loaded) return;
    this.#hits++;
    if (value !== version) this.#stale++;
  }

  /** Deletes the key, and waits until every instance has forgotten it. */
  async announce(instance: number, index: number): Promise<void> {
    const key = `item:${index}`;
    await this.caches[instance]!.del(key);
    while (this.caches.some((cache) => cache.peek(key) !== undefined)) await nextTurn();
  }

  get realised(): Realised {
    const hits = this.#hits;
    return {
      ttlMs: this.ttlMs,
      hitRate: hits / this.#accesses,
      staleShare: hits === 0 ? 0 : this.#stale / hits,
      loads: this.#accesses - hits,
    };
  }
}

interface Happening {
  readonly at: number;
  readonly index: number;
  readonly what: 'ask' | 'change' | 'announce';
}

function happeningsOf(traffic: TrafficOptions): readonly Happening[] {
  const happenings: Happening[] = [];
  playTraffic(traffic, (at, index, what) => void happenings.push({ at, index, what }));
  return happenings;
}

/** A client whose server has the time of the hand-turned clock. */
export async function connected(server: RedisServer, clock: Clock) {
  const client = createClient({ url: server.url });
  client.on('error', () => undefined);
  await client.connect();
  const send = client.sendCommand.bind(client);
  client.sendCommand = ((args: readonly string[], options: never) => {
    if (args[0] !== 'TIME') return send(args as never, options);
    const now = clock.now();
    return Promise.resolve([String(Math.floor(now / 1_000)), String((now % 1_000) * 1_000)]);
  }) as never;
  return client;
}

function exchanging(cache: ObservedCache, clock: Clock): SharedLadders {
  const sharedMap = cache.layers[1]!.sharedMap!('ladders');
  const shared = new SharedLadders({ insight: cache.insight, sharedMap, everyMs: EVERY_MS, clock });
  shared.onApplicationBootstrap();
  return shared;
}

/** The timers of exchanges. */
class ExchangeTimers {
  /** How many exchanges began and have not planned the next one. */
  running = 0;

  constructor(private readonly clock: Clock) {}

  /** The clock of an instance whose first exchange is later. */
  of(laterMs: number): Clock {
    let isFirst = true;
    return {
      now: () => this.clock.now(),
      after: (delayMs, task) => {
        if (delayMs !== EVERY_MS) return this.clock.after(delayMs, task);
        if (!isFirst) this.running--;
        const afterMs = isFirst ? delayMs + laterMs : delayMs;
        isFirst = false;
        return this.clock.after(afterMs, () => {
          this.running++;
          task();
        });
      },
    };
  }
}
