import { beforeEach, describe, expect, it } from '@jest/globals';
import { MissReason, Operation, Outcome, Result, type Series } from '../../../lib/cache/observer.js';
import type { Ledger } from '../../../lib/metrics/ledger.js';
import { LedgerSum } from '../../../lib/metrics/images/ledger-sum.js';
import { MetricsRecorder } from '../../../lib/metrics/recorder.js';
import type { OverallSum } from '../../../lib/metrics/reading/overall-reading.js';
import { cacheStats, type Surroundings } from '../../../lib/metrics/reading/statistics.js';
import { AccessCount } from '../../../lib/metrics/windows/access-track.js';
import { ManualClock } from '../../support/manual-clock.js';

const PATTERNS = 5;
const SLOT_MS = 10_000;

const NOTHING_ELSE = { operationsInFlight: 0, evictions: 0, invalidations: 0, entryCount: null, totalSizeBytes: null };
const statsOf = ({ sum, window, coverageSeconds }: OverallSum) =>
  cacheStats(sum, { ...NOTHING_ELSE, window, coverageSeconds } satisfies Surroundings);

describe('all patterns together, read a pattern a step', () => {
  let clock: ManualClock;
  let recorder: MetricsRecorder;
  let ledger: Ledger;
  let series: Series[];

  beforeEach(() => {
    clock = new ManualClock();
    recorder = new MetricsRecorder({ clock });
    recorder.attach([{ name: 'memory', shared: false }]);
    ledger = recorder.ledger;
    series = Array.from({ length: PATTERNS }, (_, n) => recorder.series(`pattern${n}:*`));
  });

  const hit = (pattern: number): void => recorder.hit(series[pattern]!, 0, clock.now());
  /** Told by the pattern's own digit of all bytes. */
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
  /** Reads with something happening before each step. */
  const read = (meanwhile: (step: number) => void, of: Pick<Ledger, 'overallInSteps'> = ledger): OverallSum => {
    const steps = of.overallInSteps('5m');
    for (let step = 0; ; step++) {
      const taken = steps.next();
      if (taken.done === true) return taken.value;
      meanwhile(step);
    }
  };

  it('takes no more than one pattern between two looks at the clock', () => {
    traffic();
    let steps = 0;
    read(() => steps++);
    expect(steps).toBe(PATTERNS);
  });

  it.each(['1m', '5m', '1h', '24h', 'all'] as const)('says of %s what is read at once', async (window) => {
    for (let turn = 0; turn < 40; turn++) {
      traffic();
      await clock.advance(turn % 7 === 0 ? 600_000 : SLOT_MS);
    }
    const steps = ledger.overallInSteps(window);
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    expect(statsOf(step.value)).toEqual(statsOf(ledger.overall(window)));
  });

  it('loses nothing and tells nothing twice where slots close in the middle of it', async () => {
    traffic();
    await clock.advance(SLOT_MS);
    traffic();
    await clock.advance(SLOT_MS);
    // Patterns that were taken and patterns that were not open a new slot while it goes on.
    const overall = read((step) => {
      if (step === 2) for (let more = 0; more < 3; more++) traffic();
    });
    expect(perPattern(overall)).toEqual([2, 2, 2, 2, 2]);
    expect(overall.sum.counters[AccessCount.nearHit]).toBe(2 * PATTERNS);
    expect(statsOf(overall)).toMatchObject({ totalRequests: 4 * PATTERNS, cacheHits: 2 * PATTERNS, timeSavedMs: 0 });
    expect(perPattern(ledger.overall('5m'))).toEqual([5, 5, 5, 5, 5]);
  });

  it('counts a pattern as it is when it is reached, hits and their times alike', () => {
    traffic();
    const overall = read((step) => {
      if (step === 2) traffic();
    });
    expect(perPattern(overall)).toEqual([1, 1, 1, 2, 2]);
    const [near] = overall.sum.histograms;
    expect(near!.count).toBe(overall.sum.counters[AccessCount.nearHit]);
  });

  it('finds a pattern that comes while it goes on, and one that comes and closes its slot', async () => {
    traffic();
    const overall = read((step) => {
      if (step !== 1) return;
      const late = recorder.series('late:*');
      recorder.hit(late, 0, clock.now());
    });
    expect(overall.sum.counters[AccessCount.nearHit]).toBe(PATTERNS + 1);
  });

  it('leaves out a slot before its window that closes in the middle of it', async () => {
    traffic();
    await clock.advance(3_600_000);
    const overall = read((step) => {
      if (step === 1) traffic();
    });
    expect(statsOf(overall)).toMatchObject({ totalRequests: 0, cacheHits: 0 });
  });

  it('covers the time that its sum does, whenever it is through', async () => {
    traffic();
    await clock.advance(300_000);
    traffic();
    const before = ledger.coverageSeconds('5m');
    const steps = ledger.overallInSteps('5m');
    steps.next();
    await clock.advance(45_000);
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    expect(step.value.coverageSeconds).toBe(before);
  });

  it('begins anew where everything is reset in the middle of it', async () => {
    traffic();
    await clock.advance(SLOT_MS);
    traffic();
    const overall = read((step) => {
      if (step === 2) {
        ledger.reset();
        hit(0);
      }
    });
    expect(statsOf(overall)).toMatchObject({ totalRequests: 1, cacheHits: 1, coverageSeconds: 0 });
  });

  it('goes on beside another reading, each with what stood there for it', async () => {
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

  it('adds up over several processes', async () => {
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
      new LedgerSum([ledger, other.ledger]),
    );
    expect(overall.sum.counters[AccessCount.nearHit]).toBe(PATTERNS + 1);
  });
});
