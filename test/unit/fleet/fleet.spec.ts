import { beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheLog } from '../../../lib/cache/base/cache-log.js';
import type { SharedMap } from '../../../lib/cache/layers/layer.js';
import { Fleet } from '../../../lib/fleet/fleet.js';
import { createCacheMetrics } from '../../../lib/insight/create-cache-metrics.js';
import type { CacheMetrics } from '../../../lib/metrics/cache-metrics.js';
import { ShutdownBudget } from '../../../lib/cache/base/shutdown-budget.js';
import { ManualClock, settle } from '../../support/manual-clock.js';

/** A shared map in memory whose notes expire by the clock. */
class MemorySharedMap implements SharedMap {
  readonly notes = new Map<string, { bytes: Uint8Array; until: number }>();
  reads = 0;
  fails = false;
  hangs = false;
  constructor(private readonly clock: ManualClock) {}

  async publish(slot: string, bytes: Uint8Array, keepMs: number): Promise<void> {
    await this.#gate();
    this.notes.set(slot, { bytes, until: this.clock.now() + keepMs });
  }
  async read(slot: string): Promise<Uint8Array | undefined> {
    return (await this.readAll()).get(slot);
  }
  async readAll(): Promise<ReadonlyMap<string, Uint8Array>> {
    this.reads++;
    await this.#gate();
    const living = [...this.notes].filter(([, { until }]) => until > this.clock.now());
    return new Map(living.map(([slot, { bytes }]) => [slot, bytes]));
  }
  async withdraw(slot: string): Promise<void> {
    await this.#gate();
    this.notes.delete(slot);
  }
  async #gate(): Promise<void> {
    if (this.hangs) await new Promise(() => undefined);
    if (this.fails) throw new Error('away');
  }
}

describe('a fleet', () => {
  let clock: ManualClock;
  let sharedMap: MemorySharedMap;
  let codes: string[];
  const log: CacheLog = (_level, code) => void codes.push(code);

  beforeEach(() => {
    clock = new ManualClock();
    sharedMap = new MemorySharedMap(clock);
    codes = [];
  });

  const member = (everyMs: number | undefined = 5_000, on: SharedMap | undefined = sharedMap) => {
    const { observer, metrics } = createCacheMetrics({ clock });
    const hit = (times: number) => {
      const series = observer.series('feed:*');
      for (let time = 0; time < times; time++) observer.hit(series, 0, clock.now());
    };
    return {
      hit,
      metrics,
      fleet: new Fleet({ shutdown: new ShutdownBudget(clock), metrics, sharedMap: on, everyMs, clock, log }),
    };
  };
  const totalOf = async ({ fleet }: { fleet: Fleet }) => {
    const { statistics, instances } = await fleet.statistics();
    return [statistics.getStats().totalRequests, instances];
  };

  it('a fleet publishes at its interval, and adds up all instances with its own current figures', async () => {
    const [one, other] = [member(), member()];
    one.fleet.onApplicationBootstrap();
    other.fleet.onApplicationBootstrap();
    await settle();
    other.hit(3);
    await clock.advance(5_000);
    one.hit(4);
    expect(await totalOf(one)).toEqual([7, 2]);
    one.hit(1);
    expect(await totalOf(one)).toEqual([8, 2]);
    await clock.advance(20_000);
    expect(await totalOf(one)).toEqual([8, 2]);
  });

  it('a fleet reads the other instances once a second at most', async () => {
    const one = member();
    await Promise.all([totalOf(one), totalOf(one), totalOf(one)]);
    expect(sharedMap.reads).toBe(1);
    await clock.advance(1_000);
    await totalOf(one);
    expect(sharedMap.reads).toBe(2);
  });

  it('a fleet drops an instance that is silent for three intervals, and at once an instance that ends', async () => {
    const [one, dead, ending] = [member(), member(), member()];
    for (const { fleet, hit } of [dead, ending]) {
      hit(1);
      fleet.onApplicationBootstrap();
    }
    await settle();
    expect(await totalOf(one)).toEqual([2, 3]);
    await ending.fleet.onApplicationShutdown();
    sharedMap.publish = () => new Promise(() => undefined);
    await clock.advance(14_000);
    expect(await totalOf(one)).toEqual([1, 2]);
    await clock.advance(1_000);
    expect(await totalOf(one)).toEqual([0, 1]);
  });

  it('a fleet ignores dumps that it cannot read, and logs it once', async () => {
    const [one, other] = [member(), member()];
    other.fleet.onApplicationBootstrap();
    await settle();
    await sharedMap.publish('newer', Uint8Array.from([1, 2, 3]), 60_000);
    for (let time = 0; time < 3; time++) {
      expect(await totalOf(one)).toEqual([0, 2]);
      await clock.advance(1_000);
    }
    expect(codes).toEqual(['FLEET_IMAGE_REFUSED']);
  });

  it('a fleet logs once that it cannot publish, retries, and logs when it can again', async () => {
    const one = member();
    sharedMap.fails = true;
    one.fleet.onApplicationBootstrap();
    await clock.advance(20_000);
    expect(codes).toEqual(['FLEET_NOT_PUBLISHED']);
    sharedMap.fails = false;
    await clock.advance(5_000);
    expect(codes).toEqual(['FLEET_NOT_PUBLISHED', 'FLEET_RESTORED']);
    expect(sharedMap.notes.size).toBe(1);
  });

  it('a fleet stops waiting for a shared map that does not respond, and reads it again the next time', async () => {
    const one = member();
    sharedMap.hangs = true;
    const asked = expect(one.fleet.statistics()).rejects.toMatchObject({ code: 'FLEET_UNAVAILABLE' });
    await clock.advance(1_500);
    await asked;
    sharedMap.hangs = false;
    expect(await totalOf(one)).toEqual([0, 1]);
  });

  it('a fleet publishes a large dump less often, and for longer', async () => {
    const large = { collectDump: () => Promise.resolve(new Uint8Array(2_000_000)) } as unknown as CacheMetrics;
    new Fleet({
      shutdown: new ShutdownBudget(clock),
      metrics: large,
      sharedMap,
      everyMs: 5_000,
      clock,
      log,
    }).onApplicationBootstrap();
    await settle();
    const { until } = [...sharedMap.notes.values()][0]!;
    expect(until - clock.now()).toBe(60_000);
    await clock.advance(19_000);
    expect([...sharedMap.notes.values()][0]!.until).toBe(until);
    await clock.advance(1_000);
    expect([...sharedMap.notes.values()][0]!.until).toBe(until + 20_000);
  });

  it('a fleet stops although the shared map does not respond', async () => {
    const one = member();
    one.fleet.onApplicationBootstrap();
    await settle();
    sharedMap.hangs = true;
    const ended = one.fleet.onApplicationShutdown();
    await clock.advance(1_000);
    await ended;
    expect(clock.pending).toBe(0);
  });

  it('a fleet that is off or has no shared layer names what is missing, and stays idle', async () => {
    const off = member(undefined as never);
    const { metrics } = off;
    const fleets = [
      new Fleet({ shutdown: new ShutdownBudget(clock), metrics, sharedMap, everyMs: undefined, clock, log }),
      new Fleet({ shutdown: new ShutdownBudget(clock), metrics, sharedMap: undefined, everyMs: 5_000, clock, log }),
    ];
    for (const fleet of fleets) {
      fleet.onApplicationBootstrap();
      await expect(fleet.statistics()).rejects.toMatchObject({ code: 'FLEET_OFF' });
      await fleet.onApplicationShutdown();
    }
    expect([sharedMap.notes.size, clock.pending, codes]).toEqual([0, 0, ['FLEET_OFF']]);
  });
});
