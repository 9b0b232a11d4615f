import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LayerOperation, LayerResult, MissReason, Operation, Outcome, Result } from '../../lib/cache/base/observer.js';
import { createCacheMetrics } from '../../lib/insight/create-cache-metrics.js';
import { type Window, WINDOWS } from '../../lib/metrics/snapshot.js';
import { windowStart } from '../../lib/metrics/windows/window-lengths.js';
import { ManualClock } from '../support/manual-clock.js';

const START = 1_700_000_003_210;
const PATTERNS = ['feed:*', 'user:*', 'search:*'];

interface Step {
  readonly wait: number;
  readonly pattern: number;
  readonly outcome: Outcome;
  readonly ms: number;
  readonly local: boolean;
}

/** Mostly seconds, at times idle minutes, hours and days. */
const waits = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 0, max: 25_000 }) },
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 400_000 }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 5_000_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 100_000_000 }) },
);

const steps = fc.array(
  fc.record<Step>({
    wait: waits,
    pattern: fc.integer({ min: 0, max: PATTERNS.length - 1 }),
    outcome: fc.constantFrom(Outcome.hit, Outcome.stale, Outcome.miss, Outcome.coalesced, Outcome.error),
    ms: fc.integer({ min: 1, max: 5000 }),
    local: fc.boolean(),
  }),
  { minLength: 1, maxLength: 150 },
);

/** A manual clock without promises. */
class BareClock extends ManualClock {
  #at = START;
  override now(): number {
    return this.#at;
  }
  turn(ms: number): void {
    this.#at += ms;
  }
}

interface Logged extends Step {
  readonly at: number;
}

function inWindow(log: readonly Logged[], window: Window, now: number): readonly Logged[] {
  return window === 'all' ? log : log.filter(({ at }) => at >= windowStart(window, now));
}

function isHit({ outcome, local }: Step): boolean {
  return local || outcome === Outcome.hit || outcome === Outcome.stale;
}

describe('the windows of a series', () => {
  it('the windows of a series equal a log of every access, after idle times of any length', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 20 }), (script, readEvery) => {
        const clock = new BareClock();
        const { observer, metrics } = createCacheMetrics({ clock });
        observer.attach([{ name: 'memory', shared: false }]);
        const series = PATTERNS.map((pattern) => observer.series(pattern, `GET /${pattern}`));
        const log: Logged[] = [];
        const compare = () => {
          for (const window of WINDOWS) {
            const wanted = inWindow(log, window, clock.now());
            const layer = metrics.getLayerStats(window)[0]!;
            const stats = metrics.getStats(window);
            expect([stats.totalRequests, stats.cacheHits]).toEqual([wanted.length, wanted.filter(isHit).length]);
            const timed = wanted.filter(({ local }) => !local);
            const mean = timed.length === 0 ? null : timed.reduce((sum, { ms }) => sum + ms, 0) / timed.length;
            const sets = metrics.getOperationStats(window).find(({ operation }) => operation === 'set')!;
            expect([sets.count, stats.sets, layer.cacheMisses]).toEqual([timed.length, timed.length, timed.length]);
            if (mean === null) expect(sets.avgResponseTimeMs).toBeNull();
            else expect(sets.avgResponseTimeMs).toBeCloseTo(mean, 3);
            expect(stats.maxResponseTimeMs).toBe(
              wanted.length === 0 ? null : Math.max(...wanted.map(({ ms, local }) => (local ? 0 : ms))),
            );
            for (const [at, pattern] of PATTERNS.entries()) {
              const own = wanted.filter((step) => step.pattern === at);
              const { totalRequests, staleHits, avgResponseTimeMs } = metrics.getPatternStats(pattern, window);
              expect([totalRequests, staleHits]).toEqual([
                own.length,
                own.filter(({ outcome, local }) => !local && outcome === Outcome.stale).length,
              ]);
              const sum = own.reduce((all, { ms, local }) => all + (local ? 0 : ms), 0);
              if (own.length > 0) expect(avgResponseTimeMs).toBeCloseTo(sum / own.length, 3);
              else expect(avgResponseTimeMs).toBeNull();
            }
          }
        };
        for (const [at, step] of script.entries()) {
          clock.turn(step.wait);
          log.push({ ...step, at: clock.now() });
          const each = series[step.pattern]!;
          if (step.local) observer.hit(each, 0, clock.now());
          else {
            observer.access(each, step.outcome, 0, step.ms, step.ms, MissReason.none);
            observer.operation(each, Operation.set, Result.ok, step.ms, 0);
            observer.layer(0, LayerOperation.get, LayerResult.miss, step.ms, 1, 0);
          }
          if (at % readEvery === 0) compare();
        }
        compare();
        clock.turn(90_000_000);
        compare();
      }),
      { numRuns: 60 },
    );
  });

  it('the windows of a series are never longer than stated and less than one slot shorter', () => {
    fc.assert(
      fc.property(fc.double({ min: START, max: START * 1.1, noNaN: true }), (now) => {
        for (const [window, span, slot] of [
          ['1m', 60_000, 10_000],
          ['5m', 300_000, 60_000],
          ['1h', 3_600_000, 300_000],
          ['24h', 86_400_000, 3_600_000],
        ] as const) {
          const length = now - windowStart(window, now);
          expect(length).toBeLessThanOrEqual(span);
          expect(length).toBeGreaterThan(span - slot);
        }
      }),
    );
  });

  it('the figures of every window add up: hits and misses to requests, patterns to overall', () => {
    fc.assert(
      fc.property(steps, (script) => {
        const clock = new BareClock();
        const { observer, metrics } = createCacheMetrics({ clock });
        for (const step of script) {
          clock.turn(step.wait);
          const series = observer.series(PATTERNS[step.pattern]!);
          if (step.local) observer.hit(series, 0, clock.now());
          else observer.access(series, step.outcome, 0, step.ms, step.ms, MissReason.none);
        }
        for (const window of WINDOWS) {
          const overall = metrics.getStats(window);
          const patterns = metrics.getAllPatternStats(window);
          for (const stats of [overall, ...patterns]) {
            expect(stats.totalRequests).toBe(stats.cacheHits + stats.cacheMisses);
            if (stats.totalRequests > 0) expect(stats.hitRate! + stats.missRate!).toBeCloseTo(1, 12);
          }
          for (const field of ['totalRequests', 'cacheHits', 'staleHits', 'coalesced', 'errors'] as const) {
            expect(patterns.reduce((all, stats) => all + stats[field], 0)).toBe(overall[field]);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
