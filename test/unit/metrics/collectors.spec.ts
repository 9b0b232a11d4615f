import { describe, expect, it, jest } from '@jest/globals';
import { CallbackErrors } from '../../../lib/cache/base/callback-errors.js';
import {
  CircuitState,
  LayerOperation,
  LayerResult,
  MissReason,
  Operation,
  Outcome,
  Result,
} from '../../../lib/cache/base/observer.js';
import { createCacheMetrics } from '../../../lib/insight/create-cache-metrics.js';
import { CollectorObserver } from '../../../lib/metrics/collectors/collector-observer.js';
import { composeObservers } from '../../../lib/metrics/collectors/compose-observers.js';
import type { MetricsCollector } from '../../../lib/metrics/collectors/metrics-collector.js';
import { NoopCollector } from '../../../lib/metrics/collectors/metrics-collector.js';
import { MemoryCollector } from '../../../lib/testing/memory-collector.js';
import { ManualClock, settle } from '../../support/manual-clock.js';

function composed(collectors: readonly MetricsCollector[], errors = new CallbackErrors()) {
  const clock = new ManualClock();
  const { observer, metrics } = createCacheMetrics({ clock });
  const all = composeObservers(
    observer,
    collectors.map((collector) => new CollectorObserver(collector, clock, errors)),
    errors,
  );
  all.attach([
    { name: 'L1', shared: false },
    { name: 'L2', shared: true },
  ]);
  return { all, metrics, clock };
}

describe('a collector', () => {
  it('a collector records a miss in the first layer and a hit in the second', () => {
    const collector = new MemoryCollector();
    const { all } = composed([collector]);
    all.layer(0, LayerOperation.get, LayerResult.miss, 0.1, 1, 0);
    all.layer(1, LayerOperation.get, LayerResult.hit, 2, 1, 1);
    all.access(all.series('feed:*'), Outcome.hit, 1, 2.1, 2.2, MissReason.none);
    const { layers, chain } = collector.snapshot();
    expect(layers.L1).toMatchObject({ hits: 0, misses: 1 });
    expect(layers.L2).toMatchObject({ hits: 1, misses: 0, getLatency: { count: 1, max: 2 } });
    expect(chain).toMatchObject({ totalHits: 1, totalMisses: 0, hitsByLayer: { 1: 1 }, getLatency: { max: 2.2 } });
  });

  it('a collector records hits in memory, writes, deletes, circuits, queues and asynchronous writes', async () => {
    const collector = new MemoryCollector();
    const { all, clock } = composed([collector]);
    const at = clock.now();
    await clock.advance(3);
    all.hit(all.series('feed:*'), 0, at);
    all.access(all.series('feed:*'), Outcome.coalesced, -1, 1, 9, MissReason.cold);
    all.layer(1, LayerOperation.set, LayerResult.ok, 4, 3, 0);
    all.layer(1, LayerOperation.set, LayerResult.timeout, 500, 1, 0);
    all.layer(1, LayerOperation.delete, LayerResult.ok, 1, 1, 0);
    all.layer(1, LayerOperation.get, LayerResult.refused, 0, 1, 0);
    all.circuit(1, CircuitState.open);
    all.circuit(1, CircuitState.halfOpen);
    all.circuit(1, CircuitState.open);
    all.queueDepth(1, 12);
    all.writeDropped(1, 2);
    all.asyncWrite(1, Result.ok, 5, 2);
    all.asyncWrite(1, Result.error, 5, 1);
    expect(collector.snapshot()).toMatchObject({
      layers: {
        L1: { hits: 1, getLatency: { max: 3 } },
        L2: {
          sets: 3,
          errors: 1,
          deletes: 1,
          misses: 0,
          circuitState: 'open',
          circuitOpens: 2,
          queueDepth: 12,
          droppedWrites: 2,
          asyncWrites: 2,
          failedWrites: 1,
        },
      },
      chain: { totalHits: 1, totalMisses: 1 },
    });
    collector.reset();
    expect(collector.snapshot().layers).toEqual({});
  });

  it('a collector returns snapshots that later calls do not change', () => {
    const collector = new MemoryCollector();
    collector.recordGet('L1', true, 1);
    const before = collector.snapshot();
    collector.recordGet('L1', true, 1);
    expect(before.layers.L1!.hits).toBe(1);
    expect(Object.isFrozen(before.layers.L1)).toBe(true);
  });

  it.each([
    [
      'throws',
      () => {
        throw new TypeError('secret');
      },
    ],
    ['rejects', () => Promise.reject(new TypeError('secret'))],
  ])('a collector that %s is counted each time, logged once, and affects nothing else', async (_, fail) => {
    const collector = new MemoryCollector();
    const failing = new NoopCollector();
    failing.recordChainGet = fail;
    const log = jest.fn();
    const errors = new CallbackErrors(log);
    const { all, metrics } = composed([failing, collector], errors);
    for (let at = 0; at < 3; at++) all.hit(all.series('feed:*'), 0, 0);
    all.access(all.series('feed:*'), Outcome.miss, -1, 1, 1, MissReason.cold);
    await settle();
    expect(metrics.getStats().totalRequests).toBe(4);
    expect(collector.snapshot().chain).toMatchObject({ totalHits: 3, totalMisses: 1 });
    expect([...errors.counts]).toEqual([['collector', 4]]);
    expect(log.mock.calls.map(([level, code]) => [level, code])).toEqual([['warn', 'OBSERVER_FAILED']]);
    expect(JSON.stringify(log.mock.calls)).toContain('NoopCollector.recordChainGet');
    expect(JSON.stringify(log.mock.calls)).not.toContain('secret');
  });

  it('a collector may implement only some reports', () => {
    const { observer, metrics } = createCacheMetrics({ clock: new ManualClock() });
    const heard: unknown[] = [];
    const loads = { load: (...figures: unknown[]) => void heard.push(figures) };
    const all = composeObservers(observer, [loads], new CallbackErrors());
    const series = all.series('feed:*');
    all.load(series, Operation.load, Result.ok, 7, 1_000);
    all.access(series, Outcome.miss, -1, 1, 8, MissReason.cold);
    expect(heard).toEqual([[series, Operation.load, Result.ok, 7, 1_000]]);
    expect(metrics.getStats()).toMatchObject({ totalRequests: 1, recalculations: 1 });
  });

  it('a cache without collectors adds no observer for them', () => {
    const { observer } = createCacheMetrics({ clock: new ManualClock() });
    expect(composeObservers(observer, [], new CallbackErrors())).toBe(observer);
  });
});
