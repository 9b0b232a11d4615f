import { describe, expect, it } from '@jest/globals';
import {
  BypassReason,
  CircuitState,
  MissReason,
  Operation,
  Outcome,
  Result,
} from '../../../lib/cache/base/observer.js';
import { createCacheMetrics } from '../../../lib/insight/create-cache-metrics.js';
import { DumpFault } from '../../../lib/metrics/dumps/dump-bytes.js';
import { ManualClock } from '../../support/manual-clock.js';

const process = (clock: ManualClock, maxPatterns = 100) => {
  const { observer, metrics } = createCacheMetrics({ clock, metrics: { maxPatterns } });
  observer.attach([
    { name: 'memory', shared: false },
    { name: 'redis', shared: true },
  ]);
  const held = { entries: 2, bytes: 200, connected: true };
  const shared = {
    entries: 9,
    bytes: 900,
    connected: true,
    invalidationsPending: 0,
    busNotSent: false,
    busUnreachable: false,
  };
  metrics.watchLayers(() => [held, shared]);
  const ask = (pattern: string, outcome: Outcome = Outcome.hit) =>
    observer.access(observer.series(pattern), outcome, 0, 2, 2, MissReason.none);
  return { observer, metrics, ask, held, shared };
};

describe('metrics restored after a restart', () => {
  it('restored metrics cover the observed time, not the time between', async () => {
    const clock = new ManualClock();
    const first = process(clock);
    await clock.advance(1_800_000);
    first.ask('feed:*');
    const dump = first.metrics.dump();
    await clock.advance(600_000);
    const second = process(clock);
    second.metrics.restore(dump);
    await clock.advance(300_000);
    expect(second.metrics.getStats().coverageSeconds).toBe(2_100);
    expect(second.metrics.getStats('5m').coverageSeconds).toBeGreaterThan(239);
    expect(second.metrics.getStats('5m').coverageSeconds).toBeLessThanOrEqual(300);
    const third = process(clock);
    third.metrics.restore(second.metrics.dump());
    expect(third.metrics.getStats().coverageSeconds).toBe(2_100);
  });

  it('restored metrics contain no states: loads in flight, open circuits, layers that no longer exist', () => {
    const clock = new ManualClock();
    const first = process(clock);
    first.observer.inFlight(1);
    first.observer.circuit(1, CircuitState.open);
    first.observer.queueDepth(1, 7);
    first.observer.bypass(first.observer.series('feed:*'), BypassReason.method);
    const { observer, metrics } = createCacheMetrics({ clock });
    observer.attach([{ name: 'redis', shared: true }]);
    metrics.restore(first.metrics.dump());
    expect(metrics.getStats()).toMatchObject({ operationsInFlight: 0, bypasses: 1 });
    expect(metrics.getLayerStats()).toMatchObject([{ layer: 'redis', circuitState: 'closed', queueDepth: 0 }]);
  });

  it('restored metrics keep patterns over the limit in the overall figures, and continue to count the others', () => {
    const clock = new ManualClock();
    const first = process(clock);
    for (const pattern of ['a:*', 'b:*', 'c:*']) first.ask(pattern);
    const second = process(clock, 2);
    second.ask('c:*');
    second.metrics.restore(first.metrics.dump());
    second.ask('c:*');
    expect(second.metrics.getPatternStats('c:*').totalRequests).toBe(2);
    expect(second.metrics.getPatternStats('a:*').totalRequests).toBe(1);
    expect(second.metrics.getPatternStats('b:*').totalRequests).toBe(0);
  });

  it('restored metrics refuse the figures of a clock that is ahead', async () => {
    const [ahead, clock] = [new ManualClock(1_700_000_200_000), new ManualClock(1_700_000_000_000)];
    const dump = process(ahead).metrics.dump();
    expect(() => process(clock).metrics.restore(dump)).toThrow(DumpFault);
  });
});

describe('statistics of several processes together', () => {
  it('statistics of several processes add loads in flight and queues, take the worst circuit, and count shared layers once', () => {
    const clock = new ManualClock();
    const [one, other] = [process(clock), process(clock)];
    for (const { observer } of [one, other]) {
      observer.inFlight(1);
      observer.queueDepth(1, 3);
    }
    other.observer.circuit(1, CircuitState.open);
    other.held.connected = false;
    const fleet = one.metrics.together([one.metrics.other(other.metrics.dump())]);
    expect(fleet.getStats()).toMatchObject({ operationsInFlight: 2, entryCount: 4, totalSizeBytes: 400 });
    expect(fleet.getLayerStats()).toMatchObject([
      { layer: 'memory', entryCount: 4, totalSizeBytes: 400, connected: false, circuitState: 'closed' },
      { layer: 'redis', entryCount: 9, totalSizeBytes: 900, connected: true, circuitState: 'open', queueDepth: 6 },
    ]);
    expect(fleet.getHealth().warnings.map(({ code, layer }) => [code, layer])).toEqual([
      ['LAYER_DOWN', 'memory'],
      ['CIRCUIT_OPEN', 'redis'],
    ]);
  });

  it('statistics of several processes warn of the invalidations and messages that the layer of one process refuses', () => {
    const clock = new ManualClock();
    const [one, other] = [process(clock), process(clock)];
    one.shared.invalidationsPending = 1;
    Object.assign(other.shared, { invalidationsPending: 2, busNotSent: true, busUnreachable: true });
    const fleet = one.metrics.together([one.metrics.other(other.metrics.dump())]);
    expect(fleet.getHealth().warnings.map(({ code, value }) => [code, value])).toEqual([
      ['INVALIDATIONS_PENDING', 3],
      ['BUS_NOT_SENT', 'not sent'],
      ['BUS_UNREACHABLE', 'not received'],
    ]);
  });

  it('statistics of several processes recommend by the TTLs of this process and the misses of all', () => {
    const clock = new ManualClock();
    const [one, other] = [process(clock), process(clock)];
    one.metrics.declare('feed:*', { ttlMs: 60_000 });
    for (let time = 0; time < 9; time++) {
      other.observer.access(other.observer.series('feed:*'), Outcome.miss, -1, 1, 9, MissReason.expired);
      other.observer.load(other.observer.series('feed:*'), Operation.load, Result.ok, 8);
    }
    one.ask('feed:*');
    const [low] = one.metrics.together([one.metrics.other(other.metrics.dump())]).getLowPerformers(0.5);
    expect(low).toMatchObject({ pattern: 'feed:*', totalRequests: 10, hitRate: 0.1, ttlMs: 60_000 });
    expect(low?.recommendation).toMatch(/100 % of misses.*the TTL is 1m/);
  });
});
