import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { insightBytes, readInsightNotes } from '../../../lib/fleet/insight-notes.js';
import { createObservedCache, memoryLayer, type ObservedCache } from '../../../lib/index.js';
import { FACTORS } from '../../../lib/insight/memory-ladder.js';
import {
  type InstanceMemory,
  type MemoryOfInstance,
  memoryTogether,
} from '../../../lib/insight/memory-ladders-together.js';
import { FleetInstances } from '../../support/fleet-instances.js';
import { HandClock } from '../../support/hand-clock.js';
import { RedisServer } from '../../support/redis.js';
import { seededRandom } from '../../support/seeded-traffic.js';
import { zipf } from '../../support/workloads.js';

const MAX_ENTRIES = 60;
const ROUNDS = 120;
const ROUND_MS = 3_000;
/** Requests of each instance in a round. */
const REQUESTS = [30, 20, 10];

/** Plays the same requests each time. */
const visit = async (caches: readonly ObservedCache[], clock: HandClock) => {
  const draws = caches.map((_, at) => zipf(400, 0.9, seededRandom(at)));
  let loads = 0;
  for (let round = 0; round < ROUNDS; round++) {
    clock.turnTo(clock.now() + ROUND_MS);
    const asked = caches.flatMap((cache, at) =>
      Array.from({ length: REQUESTS[at]! }, () => cache.getOrSet(`item:${draws[at]!()}`, () => ++loads)),
    );
    await Promise.all(asked);
  }
};

/** The share of requests that memories of another size answer. */
const realised = async (factor: number) => {
  const clock = new HandClock();
  const caches = REQUESTS.map(() => {
    const layers = [memoryLayer({ maxEntries: MAX_ENTRIES * factor, maxBytes: '1gb', eviction: 'lru' })];
    return createObservedCache({ clock, ttl: '1h', namespace: 'alone', layers, insight: false, alerts: false });
  });
  await visit(caches, clock);
  const counted = caches.map(({ metrics }) => metrics.getLayerStats('all')[0]!);
  await Promise.all(caches.map((cache) => cache.close()));
  const sum = (of: (stats: (typeof counted)[number]) => number) => counted.reduce((all, one) => all + of(one), 0);
  return sum(({ cacheHits }) => cacheHits) / sum(({ totalRequests }) => totalRequests);
};

describe('the memory ladder of a fleet', () => {
  let server: RedisServer;
  let fleet: FleetInstances;
  let turn = 0;
  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server.dispose());
  beforeEach(() => {
    fleet = new FleetInstances(server, `shop${turn++}`);
  });
  afterEach(() => fleet.close());

  const memory = (maxEntries = MAX_ENTRIES) => memoryLayer({ maxEntries, maxBytes: '1gb', eviction: 'lru' });

  it('the memory ladder of a fleet predicts the hit rate of all memories at 0.5 to 4 times their size', async () => {
    const instances = [];
    for (let at = 0; at < REQUESTS.length; at++) instances.push(await fleet.start({}, memory()));
    await visit(
      instances.map(({ cache }) => cache),
      fleet.clock,
    );
    await fleet.noted();
    const { value, instances: covered } = await instances[2]!.insight.memoryLadders();
    expect(covered).toBe(3);
    expect(value).toMatchObject([{ layer: 'memory', eviction: 'lru', instances: 3, accesses: expect.any(Number) }]);
    const [{ ladder, requestsPerSecond }] = value as [(typeof value)[number]];
    for (const factor of [0.5, 1, 2, 4]) {
      const rung = ladder.find((one) => one.factor === factor)!;
      expect(rung).toMatchObject({ maxEntries: MAX_ENTRIES * factor, hitRate: expect.any(Number) });
      const off = Math.abs(rung.hitRate! - (await realised(factor)));
      expect({ factor, off, within: off <= 0.03 }).toMatchObject({ within: true });
      expect(rung.missesPerSecond).toBeCloseTo(requestsPerSecond * (1 - rung.hitRate!));
    }
  });

  it('the memory ladder of a fleet names instances with other bounds, and counts those that note none', async () => {
    const one = await fleet.start({}, memory());
    const other = await fleet.start({}, memory(500));
    await visit([one.cache, other.cache], fleet.clock);
    await fleet.noted();
    const older = insightBytes({
      alerts: [],
      recommendations: [],
      ladders: new Map(),
      hotKeys: undefined,
      memory: undefined,
    });
    await one.cache.layers[1]!.sharedMap!('insight').publish('older', older!, 60_000);
    fleet.clock.turnTo(fleet.clock.now() + 2_000);
    const { value, instances } = await one.insight.memoryLadders();
    expect(instances).toBe(2);
    expect(value).toMatchObject([
      { instances: 2, missing: 1, differing: [{ id: 'i2', host: 'host-2', pid: 7, why: 'maxEntries: 500; most others: 60' }] },
    ]); // prettier-ignore
  });
});

const named = (at: number) => ({ id: `i${at}`, host: 'host', pid: at });
const measured = (
  requestsPerSecond: number,
  hitRates: readonly (number | null)[],
  parts: Partial<InstanceMemory> = {},
): InstanceMemory => ({
  layer: 'memory',
  eviction: 'worth',
  accesses: 5_000,
  observedMs: 60_000,
  requestsPerSecond,
  ladder: FACTORS.map((factor, rung) => {
    const hitRate = hitRates[rung]!;
    const size = { factor, maxEntries: 1_000 * factor, maxBytes: null };
    return hitRate === null
      ? { ...size, hitRate, hitRateError: null, withheld: 'accesses: 5 of the 1000 that it needs' }
      : { ...size, hitRate, hitRateError: 0.01 };
  }),
  ...parts,
});
const RATES = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8];
const raised = (by: number) => RATES.map((rate) => rate + by);
const together = (...all: InstanceMemory[]) =>
  memoryTogether(all.map((one, at): MemoryOfInstance => ({ instance: named(at), layers: [one] })));
const todayOf = (...all: InstanceMemory[]) => together(...all)[0]!.ladder[2]!;

describe('memory ladders together', () => {
  it('the hit rate of several instances is weighted by their requests, and their errors are not averaged away', () => {
    expect(todayOf(measured(300, RATES), measured(100, raised(0.04)), measured(0, raised(0.4)))).toMatchObject({
      hitRate: expect.closeTo(0.51),
      hitRateError: expect.closeTo(0.01),
      missesPerSecond: expect.closeTo(196),
    });
  });

  it('a figure is withheld if instances with more than a few of the requests withhold it, and else its error grows', () => {
    const none = RATES.map(() => null);
    expect(todayOf(measured(99, RATES), measured(1, none))).toMatchObject({ hitRate: 0.5, hitRateError: expect.closeTo(0.0149, 5) });
    const [ladder] = together(measured(300, RATES), measured(100, none));
    const withheld = 'instances: 1 of 2, with 25 % of the requests, withhold it';
    expect(ladder).toMatchObject({ withheld, instances: 2 });
    expect(ladder!.ladder.every((rung) => rung.hitRate === null && rung.withheld === withheld)).toBe(true);
    expect(together(measured(0, none))[0]).toMatchObject({ withheld: 'accesses: 5 of the 1000 that it needs' });
  }); // prettier-ignore

  it('an instance differs by its eviction, its bounds, or a hit rate that is far from that of the others', () => {
    const differing = (other: InstanceMemory) =>
      together(measured(100, RATES), measured(100, raised(0.01)), other)[0]!.differing;
    expect(differing(measured(50, raised(0.05)))).toEqual([]);
    expect(differing(measured(50, raised(-0.2)))).toEqual([
      { ...named(2), share: 0.2, hitRate: 0.3, why: 'hit rate today: 30 %; most others: 50 %' },
    ]);
    expect(differing(measured(50, [0.5, 0.5, 0.5, 0.5, 0.5, 0.5]))).toMatchObject([
      { why: 'hit rate with 8 times the memory: 50 %; most others: 80 %' },
    ]);
    expect(differing(measured(50, RATES, { eviction: 'lru' }))).toMatchObject([{ why: 'eviction: lru; most others: worth' }]);
  }); // prettier-ignore

  it('memory of other layers is apart, and figures of instances without requests count alike', () => {
    expect(together(measured(1, RATES), measured(1, RATES, { layer: 'near' }))).toMatchObject([
      { layer: 'memory', instances: 1 },
      { layer: 'near', instances: 1 },
    ]);
    expect(todayOf(measured(0, RATES), measured(0, raised(0.1)))).toMatchObject({ hitRate: expect.closeTo(0.55) });
  });

  it('memory ladders that another program writes into the shared layer are refused', () => {
    const read = (memory: unknown) => {
      const notes = {
        alerts: [],
        recommendations: [],
        ladders: new Map(),
        hotKeys: undefined,
        memory: memory as never,
      };
      return readInsightNotes(insightBytes(notes)!, () => 0)!.memory;
    };
    const own = { instance: named(1), layers: [measured(10, [null, ...RATES.slice(1)])] };
    expect(read(own)).toEqual(own);
    const [layer] = own.layers;
    const withLayer = (parts: object) => ({ ...own, layers: [{ ...layer, ...parts }] });
    for (const hostile of [
      undefined, [], {}, { ...own, instance: { id: 'x'.repeat(100), host: 'h', pid: 1 } }, { ...own, layers: {} },
      withLayer({ eviction: 'none' }), withLayer({ requestsPerSecond: -1 }), withLayer({ ladder: [] }), withLayer({ accesses: null }),
      withLayer({ ladder: layer!.ladder.map((rung) => ({ ...rung, hitRate: 2 })) }),
      withLayer({ ladder: layer!.ladder.toReversed() }), withLayer({ layer: 'x'.repeat(2_000) }),
    ]) expect(read(hostile)).toBeUndefined(); // prettier-ignore
  });
});
