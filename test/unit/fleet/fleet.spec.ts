import { beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheLog } from '../../../lib/cache/cache-log.js';
import type { Board } from '../../../lib/cache/layers/layer.js';
import { Fleet } from '../../../lib/fleet/fleet.js';
import { createCacheMetrics } from '../../../lib/insight/create-cache-metrics.js';
import type { CacheMetrics } from '../../../lib/metrics/cache-metrics.js';
import { ManualClock, settle } from '../../support/manual-clock.js';

/** A board in memory whose notes end by the clock. */
class MemoryBoard implements Board {
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
  let board: MemoryBoard;
  let told: string[];
  const log: CacheLog = (_level, code) => void told.push(code);

  beforeEach(() => {
    clock = new ManualClock();
    board = new MemoryBoard(clock);
    told = [];
  });

  const member = (everyMs: number | undefined = 5_000, on: Board | undefined = board) => {
    const { observer, metrics } = createCacheMetrics({ clock });
    const hit = (times: number) => {
      const series = observer.series('feed:*');
      for (let time = 0; time < times; time++) observer.hit(series, 0, clock.now());
    };
    return { hit, metrics, fleet: new Fleet({ metrics, board: on, everyMs, clock, log }) };
  };
  const totalOf = async ({ fleet }: { fleet: Fleet }) => {
    const { statistics, instances } = await fleet.statistics();
    return [statistics.getStats().totalRequests, instances];
  };

  it('tells the others at its interval, and answers for them with its own figures as they are now', async () => {
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

  it('asks the others once a second, however often it is asked itself', async () => {
    const one = member();
    await Promise.all([totalOf(one), totalOf(one), totalOf(one)]);
    expect(board.reads).toBe(1);
    await clock.advance(1_000);
    await totalOf(one);
    expect(board.reads).toBe(2);
  });

  it('loses an instance that is silent for three intervals, and at once one that ends', async () => {
    const [one, dead, ending] = [member(), member(), member()];
    for (const { fleet, hit } of [dead, ending]) {
      hit(1);
      fleet.onApplicationBootstrap();
    }
    await settle();
    expect(await totalOf(one)).toEqual([2, 3]);
    await ending.fleet.onApplicationShutdown();
    board.publish = () => new Promise(() => undefined);
    await clock.advance(14_000);
    expect(await totalOf(one)).toEqual([1, 2]);
    await clock.advance(1_000);
    expect(await totalOf(one)).toEqual([0, 1]);
  });

  it('leaves out what it cannot read, and says so once', async () => {
    const [one, other] = [member(), member()];
    other.fleet.onApplicationBootstrap();
    await settle();
    await board.publish('newer', Uint8Array.from([1, 2, 3]), 60_000);
    for (let time = 0; time < 3; time++) {
      expect(await totalOf(one)).toEqual([0, 2]);
      await clock.advance(1_000);
    }
    expect(told).toEqual(['FLEET_IMAGE_REFUSED']);
  });

  it('says once that it cannot tell the others, goes on trying, and says when it can again', async () => {
    const one = member();
    board.fails = true;
    one.fleet.onApplicationBootstrap();
    await clock.advance(20_000);
    expect(told).toEqual(['FLEET_NOT_TOLD']);
    board.fails = false;
    await clock.advance(5_000);
    expect(told).toEqual(['FLEET_NOT_TOLD', 'FLEET_RESTORED']);
    expect(board.notes.size).toBe(1);
  });

  it('gives up asking a board that does not answer, and asks it anew the next time', async () => {
    const one = member();
    board.hangs = true;
    const asked = expect(one.fleet.statistics()).rejects.toMatchObject({ code: 'FLEET_UNAVAILABLE' });
    await clock.advance(1_500);
    await asked;
    board.hangs = false;
    expect(await totalOf(one)).toEqual([0, 1]);
  });

  it('tells a large image less often, and lets it live longer', async () => {
    const large = { collectImage: () => Promise.resolve(new Uint8Array(2_000_000)) } as unknown as CacheMetrics;
    new Fleet({ metrics: large, board, everyMs: 5_000, clock, log }).onApplicationBootstrap();
    await settle();
    const { until } = [...board.notes.values()][0]!;
    expect(until - clock.now()).toBe(60_000);
    await clock.advance(19_000);
    expect([...board.notes.values()][0]!.until).toBe(until);
    await clock.advance(1_000);
    expect([...board.notes.values()][0]!.until).toBe(until + 20_000);
  });

  it('ends although the board does not answer', async () => {
    const one = member();
    one.fleet.onApplicationBootstrap();
    await settle();
    board.hangs = true;
    const ended = one.fleet.onApplicationShutdown();
    await clock.advance(1_000);
    await ended;
    expect(clock.pending).toBe(0);
  });

  it('says what it needs where it is off or nothing is shared, and does nothing by itself then', async () => {
    const off = member(undefined as never);
    const { metrics } = off;
    const fleets = [
      new Fleet({ metrics, board, everyMs: undefined, clock, log }),
      new Fleet({ metrics, board: undefined, everyMs: 5_000, clock, log }),
    ];
    for (const fleet of fleets) {
      fleet.onApplicationBootstrap();
      await expect(fleet.statistics()).rejects.toMatchObject({ code: 'FLEET_OFF' });
      await fleet.onApplicationShutdown();
    }
    expect([board.notes.size, clock.pending, told]).toEqual([0, 0, ['FLEET_OFF']]);
  });
});
