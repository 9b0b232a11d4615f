import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LayerOperation, LayerResult, MissReason, Operation, Outcome, Result } from '../../lib/cache/base/observer.js';
import { createCacheMetrics } from '../../lib/insight/create-cache-metrics.js';
import type { CacheMetrics } from '../../lib/metrics/cache-metrics.js';
import type { CacheStatistics } from '../../lib/metrics/cache-statistics.js';
import { DumpFault } from '../../lib/metrics/dumps/dump-bytes.js';
import { type Window, WINDOWS } from '../../lib/metrics/snapshot.js';
import { ManualClock } from '../support/manual-clock.js';

const START = 1_700_000_003_210;
const PATTERNS = ['feed:*', 'user:*', 'search:*'];
const INSTANCES = 3;

interface Step {
  readonly wait: number;
  readonly instance: number;
  readonly pattern: number;
  readonly outcome: Outcome;
  readonly ms: number;
  readonly loadMs: number;
}

const steps = fc.array(
  fc.record<Step>({
    wait: fc.oneof(
      { weight: 12, arbitrary: fc.integer({ min: 0, max: 25_000 }) },
      { weight: 4, arbitrary: fc.integer({ min: 0, max: 400_000 }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 20_000_000 }) },
    ),
    instance: fc.integer({ min: 0, max: INSTANCES - 1 }),
    pattern: fc.integer({ min: 0, max: PATTERNS.length - 1 }),
    outcome: fc.constantFrom(Outcome.hit, Outcome.stale, Outcome.miss, Outcome.coalesced, Outcome.error),
    ms: fc.integer({ min: 1, max: 5000 }),
    loadMs: fc.integer({ min: 0, max: 900 }),
  }),
  { minLength: 1, maxLength: 120 },
);

class BareClock extends ManualClock {
  #at = START;
  override now(): number {
    return this.#at;
  }
  turn(ms: number): void {
    this.#at += ms;
  }
}

function process(clock: BareClock) {
  const { observer, metrics } = createCacheMetrics({ clock });
  observer.attach([
    { name: 'memory', shared: false },
    { name: 'redis', shared: true },
  ]);
  metrics.watchLayers(() => [
    { entries: 3, bytes: 300, connected: true },
    { entries: null, bytes: null, connected: true },
  ]);
  const run = (step: Step): void => {
    const series = observer.series(PATTERNS[step.pattern]!, `GET /${PATTERNS[step.pattern]}`);
    observer.access(series, step.outcome, 0, step.ms, step.ms + 1, MissReason.cold);
    if (step.outcome === Outcome.miss) observer.load(series, Operation.load, Result.ok, step.loadMs);
    observer.layer(1, LayerOperation.get, LayerResult.hit, step.ms, 1, 1);
  };
  return { metrics, run };
}

/** All counters and quantiles; figures that depend on the order of hits and loads are left out. */
function answers(metrics: CacheStatistics, window: Window): unknown {
  return {
    overall: rounded(metrics.getStats(window)),
    patterns: metrics.getAllPatternStats(window).map(rounded).sort(byName('pattern')),
    endpoints: metrics.getEndpointStats(window).map(rounded).sort(byName('endpoint')),
    operations: metrics.getOperationStats(window).map(rounded),
    layers: metrics.getLayerStats(window).map(rounded),
  };
}

function rounded(stats: object): Record<string, unknown> {
  const left = new Set(['timeSavedMs', 'coverageSeconds', 'entryCount', 'totalSizeBytes']);
  return Object.fromEntries(
    Object.entries(stats)
      .filter(([name]) => !left.has(name))
      .map(([name, value]) => [name, typeof value === 'number' ? Number(value.toPrecision(9)) : value]),
  );
}

function byName(field: string) {
  return (one: Record<string, unknown>, other: Record<string, unknown>) =>
    String(one[field]) < String(other[field]) ? -1 : 1;
}

describe('metrics dumps of several processes', () => {
  it('metrics dumps merge in every window to the figures of one process with every access', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: 7_000_000 }), (script, later) => {
        const clock = new BareClock();
        const all = process(clock);
        const each = Array.from({ length: INSTANCES }, () => process(clock));
        for (const step of script) {
          clock.turn(step.wait);
          all.run(step);
          each[step.instance]!.run(step);
        }
        const [own, ...others] = each.map(({ metrics }) => metrics);
        const dumps = others.map((metrics) => metrics.dump());
        clock.turn(later);
        const fleet = own!.together(dumps.map((dump) => own!.other(dump)));
        for (const window of WINDOWS) expect(answers(fleet, window)).toEqual(answers(all.metrics, window));
        expect(fleet.getStats().entryCount).toBe(3 * INSTANCES);
        const seen = new Set(script.map(({ pattern }) => PATTERNS[pattern]!));
        expect(new Set(fleet.getHitRates().patterns.map(({ pattern }) => pattern))).toEqual(seen);
      }),
      { numRuns: 60 },
    );
  });

  it('metrics dumps continue in a process that restores them as if their process had never ended', () => {
    fc.assert(
      fc.property(steps, fc.nat({ max: 120 }), (script, cut) => {
        const clock = new BareClock();
        const all = process(clock);
        let running = process(clock);
        for (const [at, step] of script.entries()) {
          if (at === Math.min(cut, script.length - 1)) {
            const dump = running.metrics.dump();
            running = process(clock);
            clock.turn(step.wait);
            running.metrics.restore(dump);
          } else clock.turn(step.wait);
          all.run(step);
          running.run(step);
        }
        for (const window of WINDOWS) {
          expect(answers(running.metrics, window)).toEqual(answers(all.metrics, window));
          expect(running.metrics.getStats(window).timeSavedMs).toBeCloseTo(all.metrics.getStats(window).timeSavedMs, 0);
        }
        expect(running.metrics.dump().length).toBeGreaterThan(0);
      }),
      { numRuns: 60 },
    );
  });

  it('metrics dumps include every time of a slot in which a clock moved backwards', () => {
    const clock = new BareClock();
    const { observer, metrics } = createCacheMetrics({ clock });
    const series = observer.series('feed:*');
    for (const ms of [-1, 5, 90]) observer.access(series, Outcome.miss, -1, ms, ms, MissReason.cold);
    const other = createCacheMetrics({ clock }).metrics;
    other.restore(metrics.dump());
    expect(other.getStats().p50ResponseTimeMs).toBe(metrics.getStats().p50ResponseTimeMs);
  });

  it('metrics dumps are equal when taken a few patterns at a time while other processes count', async () => {
    const clock = new BareClock();
    const { observer, metrics } = createCacheMetrics({ clock });
    const series = Array.from({ length: 80 }, (_, at) => observer.series(`p${at}:*`));
    for (let round = 0; round < 30; round++) {
      for (const each of series) observer.access(each, Outcome.hit, 0, 2, 2, MissReason.none);
      const counted = metrics.getStats().totalRequests;
      const taken = metrics.collectDump();
      // Within the same slot, and across its end, at which the figures of all patterns move together.
      if (round % 2 === 1) clock.turn(10_000);
      observer.access(series[79]!, Outcome.hit, 0, 2, 2, MissReason.none);
      observer.access(series[0]!, Outcome.hit, 0, 2, 2, MissReason.none);
      const { metrics: other } = createCacheMetrics({ clock });
      other.restore(await taken);
      const patterns = other.getAllPatternStats();
      const total = other.getStats().totalRequests;
      expect(patterns.reduce((sum, { totalRequests }) => sum + totalRequests, 0)).toBe(total);
      expect([counted, counted + 1, counted + 2]).toContain(total);
    }
  });

  it('metrics dumps are refused without a change when any byte is missing or changed', () => {
    const clock = new BareClock();
    const one = process(clock);
    for (let at = 0; at < 40; at++)
      one.run({ wait: 0, instance: 0, pattern: at % 3, outcome: 0, ms: at + 1, loadMs: 5 });
    const dump = one.metrics.dump();
    const other: CacheMetrics = process(clock).metrics;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: dump.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
        expect(() => other.restore(dump.subarray(0, at))).toThrow(DumpFault);
        const damaged = dump.slice();
        damaged[at]! ^= change;
        expect(() => other.restore(damaged)).toThrow(DumpFault);
        expect(() => other.other(damaged)).toThrow(DumpFault);
        expect(other.getStats().totalRequests).toBe(0);
      }),
    );
    expect(() => other.restore(Uint8Array.from([...dump, 0]))).toThrow(DumpFault);
    other.restore(dump);
    expect(other.getStats().totalRequests).toBe(40);
  });
});
