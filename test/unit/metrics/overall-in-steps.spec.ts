import { beforeEach, describe, expect, it } from '@jest/globals';
import { MissReason, Operation, Outcome, Result, type Series } from '../../../lib/cache/base/observer.js';
import { runAtOnce } from '../../../lib/cache/base/slices.js';
import type { MetricsState } from '../../../lib/metrics/state/metrics-state.js';
import { MetricsStateSum } from '../../../lib/metrics/state/metrics-state-sum.js';
import { MetricsRecorder } from '../../../lib/metrics/recorder.js';
import type { OverallSum } from '../../../lib/metrics/state/metrics-reading.js';
import { cacheStats } from '../../../lib/metrics/statistics.js';
import type { Window } from '../../../lib/metrics/snapshot.js';
import { AccessCount } from '../../../lib/metrics/windows/access-track.js';
import { ManualClock } from '../../support/manual-clock.js';

const PATTERNS = 5;
const SLOT_MS = 10_000;

const statsOf = (overall: OverallSum) => cacheStats(overall.sum, overall);
const atOnce = (of: Pick<MetricsState, 'overallInSteps'>, window: Window) => runAtOnce(of.overallInSteps(window));

describe('reading all patterns in steps', () => {
  let clock: ManualClock;
  let recorder: MetricsRecorder;
  let state: MetricsState;
  let series: Series[];

  beforeEach(() => {
    clock = new ManualClock();
    recorder = new MetricsRecorder({ clock });
    recorder.attach([{ name: 'memory', shared: false }]);
    state = recorder.state;
    series = Array.from({ length: PATTERNS }, (_, n) => recorder.series(`pattern${n}:*`));
  });

  const hit = (pattern: number): void => recorder.hit(series[pattern]!, 0, clock.now());
  /** Counts in the digit of all bytes that belongs to the pattern. */
  const set = (pattern: number): void =>
    recorder.operation(series[pattern]!, Operation.set, Result.ok, 1, 100 ** pattern);
  const traffic = (): void => {
    for (let pattern = 0; pattern < PATTERNS; pattern++) {
      hit(pattern);
      set(pattern);
      recorder.access(series[pattern]!, Outcome.miss, -1, 2, 30, MissReason.cold);
    }
  };
  const perPattern = ({ sum }: OverallSum): number[] => {
    const bytes = sum.counters[AccessCount.bytes]!;
    return Array.from({ length: PATTERNS }, (_, pattern) => Math.floor(bytes / 100 ** pattern) % 100);
  };
  /** Reads, and calls `meanwhile` before each step. */
  const read = (meanwhile: (step: number) => void, of: Pick<MetricsState, 'overallInSteps'> = state): OverallSum => {
    const steps = of.overallInSteps('5m');
    for (let step = 0; ; step++) {
      const taken = steps.next();
      if (taken.done === true) return taken.value;
      meanwhile(step);
    }
  };

  it('a reading in steps reads one pattern per step', () => {
    traffic();
    let steps = 0;
    read(() => steps++);
    expect(steps).toBe(PATTERNS);
  });

  it.each(['1m', '5m', '1h', '24h', 'all'] as const)(
    'a reading in steps equals a reading at once for %s',
    async (window) => {
      for (let turn = 0; turn < 40; turn++) {
        traffic();
        await clock.advance(turn % 7 === 0 ? 600_000 : SLOT_MS);
      }
      const steps = state.overallInSteps(window);
      let step = steps.next();
      while (step.done !== true) step = steps.next();
      expect(statsOf(step.value)).toEqual(statsOf(atOnce(state, window)));
    },
  );

  it('a reading in steps loses nothing and counts nothing twice if slots close meanwhile', async () => {
    traffic();
    await clock.advance(SLOT_MS);
    traffic();
    await clock.advance(SLOT_MS);
    // Both read and unread patterns open a new slot during the reading.
    const overall = read((step) => {
      if (step === 2) for (let more = 0; more < 3; more++) traffic();
    });
    expect(perPattern(overall)).toEqual([2, 2, 2, 2, 2]);
    expect(overall.sum.counters[AccessCount.localHit]).toBe(2 * PATTERNS);
    expect(statsOf(overall)).toMatchObject({ totalRequests: 4 * PATTERNS, cacheHits: 2 * PATTERNS, timeSavedMs: 0 });
    expect(perPattern(atOnce(state, '5m'))).toEqual([5, 5, 5, 5, 5]);
  });

  it('a reading in steps counts a pattern at its own step, hits and their times alike', () => {
    traffic();
    const overall = read((step) => {
      if (step === 2) traffic();
    });
    expect(perPattern(overall)).toEqual([1, 1, 1, 2, 2]);
    const [local] = overall.sum.histograms;
    expect(local!.count).toBe(overall.sum.counters[AccessCount.localHit]);
  });

  it('a reading in steps includes a pattern that appears meanwhile, and one that also closes its slot', async () => {
    traffic();
    const overall = read((step) => {
      if (step !== 1) return;
      const late = recorder.series('late:*');
      recorder.hit(late, 0, clock.now());
    });
    expect(overall.sum.counters[AccessCount.localHit]).toBe(PATTERNS + 1);
  });

  it('a reading in steps leaves out a slot older than its window that closes meanwhile', async () => {
    traffic();
    await clock.advance(3_600_000);
    const overall = read((step) => {
      if (step === 1) traffic();
    });
    expect(statsOf(overall)).toMatchObject({ totalRequests: 0, cacheHits: 0 });
  });

  it('a reading in steps covers the time of its sum, however long it takes', async () => {
    traffic();
    await clock.advance(300_000);
    traffic();
    const before = state.coverageSeconds('5m');
    const steps = state.overallInSteps('5m');
    steps.next();
    await clock.advance(45_000);
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    expect(step.value.coverageSeconds).toBe(before);
  });

  it('a reading in steps starts over if the metrics are reset meanwhile', async () => {
    traffic();
    await clock.advance(SLOT_MS);
    traffic();
    const overall = read((step) => {
      if (step === 2) {
        state.reset();
        hit(0);
      }
    });
    expect(statsOf(overall)).toMatchObject({ totalRequests: 1, cacheHits: 1, coverageSeconds: 0 });
  });

  it('a reading in steps runs next to another reading, each with its own figures', async () => {
    traffic();
    await clock.advance(SLOT_MS);
    let other: OverallSum | undefined;
    const overall = read((step) => {
      if (step === 1) traffic();
      if (step === 3) other = read((inner) => inner === 1 && set(0));
    });
    expect(perPattern(overall)).toEqual([1, 1, 1, 1, 1]);
    expect(perPattern(other!)).toEqual([2, 2, 2, 2, 2]);
  });

  it('a reading in steps adds up over several processes', async () => {
    traffic();
    const other = new MetricsRecorder({ clock });
    other.attach([{ name: 'memory', shared: false }]);
    const theirs = other.series('pattern0:*');
    other.hit(theirs, 0, clock.now());
    await clock.advance(SLOT_MS);
    const overall = read(
      (step) => {
        if (step === 3) traffic();
      },
      new MetricsStateSum([state, other.state]),
    );
    expect(overall.sum.counters[AccessCount.localHit]).toBe(PATTERNS + 1);
  });
});
