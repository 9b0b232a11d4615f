import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Clock, systemClock } from '../../lib/cache/base/clock.js';
import { FleetInsight } from '../../lib/fleet/fleet-insight.js';
import { SharedLadders } from '../../lib/fleet/shared-ladders.js';
import { SharedLoads } from '../../lib/fleet/shared-loads.js';
import { createObservedCache, memoryLayer, type ObservedCache, redisLayer } from '../../lib/index.js';
import { LadderNotesWriter } from '../../lib/insight/ladder-notes.js';
import { eventually, RedisServer } from '../support/redis.js';

const EVERY_MS = 100;
const PATTERN = 'item:*';
const VISITS = 1_600;

interface Instance {
  readonly cache: ObservedCache;
  readonly insight: FleetInsight;
  readonly loads: SharedLoads;
  /** Ends its exchanges and its connection without a word to the others. */
  die(): Promise<void>;
}

describe('the exchange of insight between instances', () => {
  let server: RedisServer;
  let namespace: string;
  let instances: Instance[] = [];
  let turn = 0;
  const unhandled: unknown[] = [];
  const onUnhandled = (reason: unknown) => unhandled.push(reason);

  beforeAll(async () => {
    server = await RedisServer.start();
    process.on('unhandledRejection', onUnhandled);
  });
  afterAll(async () => {
    process.off('unhandledRejection', onUnhandled);
    await server.dispose();
  });
  beforeEach(() => {
    namespace = `fleet${turn++}`;
  });
  afterEach(async () => {
    server.resume();
    if (!server.isUp) await server.up();
    await Promise.all(instances.map((one) => one.die()));
    instances = [];
    expect(unhandled).toEqual([]);
  });

  const start = async (skewMs = 0): Promise<Instance> => {
    let isDead = false;
    const clock: Clock = {
      now: () => systemClock.now() + skewMs,
      after: (ms, task) => systemClock.after(ms, () => isDead || task()),
    };
    const layers = [memoryLayer(), redisLayer({ url: server.url })];
    const cache = createObservedCache({ namespace, clock, ttl: '2s', layers, alerts: false });
    await cache.connect();
    const options = (map: string) => ({
      insight: cache.insight, sharedMap: cache.layers[1]!.sharedMap!(map), everyMs: EVERY_MS, clock,
    }); // prettier-ignore
    const own = { id: `i${instances.length}`, host: 'host', pid: 1 };
    const [insight, loads] = [new FleetInsight({ ...options('insight'), own }), new SharedLoads(options('loads'))];
    for (const part of [insight, loads, new SharedLadders(options('ladders'))]) part.onApplicationBootstrap();
    const die = async () => {
      isDead = true;
      await cache.disconnect();
    };
    const instance = { cache, insight, loads, die };
    instances.push(instance);
    return instance;
  };

  /** Requests for keys that all instances share, and first for one of its own, so that its ladder knows the TTL. */
  const visit = async ({ cache }: Instance) => {
    const own = `item:of-${instances.findIndex((one) => one.cache === cache)}`;
    for (let at = 0; at < VISITS; at++) await cache.getOrSet(at === 0 ? own : `item:${at % 8}`, () => at);
  };
  /** Two instances with accesses. */
  const visitedPair = async (skewMs = 0): Promise<readonly [Instance, Instance]> => {
    const [one, other] = [await start(), await start(skewMs)];
    await visit(one);
    await visit(other);
    return [one, other];
  };
  const ladderOf = ({ insight }: Instance) => insight.ttlLadder(PATTERN);
  const untilAccesses = (of: Instance, count: number) =>
    eventually(async () => {
      const asked = await ladderOf(of).catch(() => undefined);
      return asked?.value.accesses === count;
    }, `${count} accesses`);
  const untilRefused = (of: Instance) =>
    eventually(async () => {
      const refusal = await ladderOf(of).then(
        () => undefined,
        ({ code }) => code,
      );
      return refusal === 'FLEET_UNAVAILABLE';
    }, 'the fleet is unavailable');

  /** No figure is impossible. */
  const expectSound = async (of: Instance) => {
    const { value: merged } = await ladderOf(of);
    for (const { ladder } of [merged, of.cache.insight.ttlLadder(PATTERN)]) {
      for (const { hitRate, staleShare, withheld } of ladder) {
        if (hitRate === null) expect(withheld).toMatch(/^\w+: /);
        else expect(hitRate >= 0 && hitRate <= 1 && staleShare! >= 0 && staleShare! <= 1).toBe(true);
      }
    }
  };

  it('a fleet reads no notes of other programs or versions, and those of instances beside them', async () => {
    const [one, other] = await visitedPair();
    await untilAccesses(one, 2 * VISITS);
    const client = await server.client();
    const forged = (name: string, at: number) => {
      const writer = new LadderNotesWriter(4_096, at);
      writer.pattern(name, 2_000, 2 ** 32);
      writer.key({ hash: 7, isHot: true, digest: 7, checkedAt: at, fills: [{ rung: 0, at, outdated: true }] });
      return Buffer.from(writer.bytes());
    };
    const older = forged(PATTERN, Date.now());
    older[3] = 0x31;
    const json = Buffer.from('{"__proto__":{"polluted":1},"alerts":{},"recommendations":[null]}');
    const hostile: readonly Buffer[] = [
      // More than instances are read, and shorter than their notes.
      ...Array.from({ length: 70 }, (_, at) => Buffer.of(at)),
      Buffer.alloc(2_000_000, 0xff),
      forged('__proto__', Date.now()),
      forged('constructor', Date.now()),
      forged(PATTERN, Date.now() + 86_400_000),
      older,
      Buffer.concat([Buffer.from('4c413032', 'hex'), Buffer.alloc(64, 0xff)]),
      Buffer.concat([Buffer.from([0, 0, 0, json.length]), json, Buffer.from('4c4630310000', 'hex')]),
    ];
    for (const map of ['insight', 'ladders', 'loads']) {
      const names = `${namespace}:~{${namespace}}state:sharedMap:${map}`;
      await eventually(async () => (await client.exists(names)) === 1, 'notes of instances');
      for (const [at, bytes] of hostile.entries()) await client.set(`${names}:h${at}`, bytes);
      await client.rPush(`${names}:list`, 'x');
      await client.sAdd(names, [...hostile.map((_, at) => `h${at}`), 'list']);
    }
    const newcomer = await start();
    await newcomer.cache.getOrSet('item:1', () => 'loaded again');
    await visit(one);
    await untilAccesses(one, 3 * VISITS);
    await eventually(() => one.loads.of(PATTERN)?.instances === 3, 'loads are compared with both others');
    // It loaded nothing: it knows the TTL only from the notes of the others.
    await eventually(() => newcomer.cache.insight.ttlLadder(PATTERN).ttlMs === 2_000, 'the TTL of the others');
    await expectSound(one);
    await expectSound(other);
    expect({}).not.toHaveProperty('polluted');
  });

  it('a fleet is unavailable while Redis is killed, answers requests meanwhile, and is complete after an empty restart', async () => {
    const [one, other] = await visitedPair();
    await untilAccesses(one, 2 * VISITS);
    await server.kill();
    await untilRefused(one);
    expect(await one.cache.getOrSet('item:new', () => 'loaded')).toBe('loaded');
    expect(one.cache.insight.ttlLadder(PATTERN).accesses).toBeGreaterThanOrEqual(VISITS);
    await server.up();
    await untilAccesses(one, 2 * VISITS + 1);
    await untilAccesses(other, 2 * VISITS + 1);
    await expectSound(one);
  });

  it('a fleet is unavailable while Redis is frozen, answers requests meanwhile, and is complete again', async () => {
    const [one] = await visitedPair();
    await untilAccesses(one, 2 * VISITS);
    server.freeze();
    await untilRefused(one);
    expect(await one.cache.getOrSet('item:frozen', () => 'loaded')).toBe('loaded');
    server.resume();
    await untilAccesses(one, 2 * VISITS + 1);
    await expectSound(one);
  });

  it('a fleet forgets an instance that dies, and counts a newcomer', async () => {
    const [one, other] = await visitedPair();
    await untilAccesses(one, 2 * VISITS);
    await other.die();
    await untilAccesses(one, VISITS);
    expect((await ladderOf(one)).instances).toBe(1);
    const newcomer = await start();
    await visit(newcomer);
    await untilAccesses(one, 2 * VISITS);
    expect((await ladderOf(one)).instances).toBe(2);
  });

  it.each([600_000, -600_000])('a fleet withholds TTLs below the difference of its clocks: %d ms', async (skewMs) => {
    const [one, other] = await visitedPair(skewMs);
    const isWithheld = async (of: Instance) => {
      const { value, instances: count } = await ladderOf(of);
      return count === 2 && value.ladder[0]!.withheld?.startsWith('exchange: ') === true;
    };
    await eventually(async () => (await isWithheld(one)) || isWithheld(other), 'the shortest is withheld');
    await expectSound(one);
    await expectSound(other);
  });
});
