import { Numbers } from './baselines.js';
import { DriftDetector } from './drift-detector.js';
import { type Alarm, type Conditions, LevelDetector } from './level-detector.js';
import type { Minute } from './minute.js';
import { errors, hitRate, invalidations, loadTime, type SignalName, traffic } from './signals.js';

/** The detectors of one pattern, or of the whole cache. */
export class SeriesWatch {
  readonly #hitRate = new LevelDetector(hitRate);
  readonly #drift = new DriftDetector();
  readonly #others = [errors, loadTime, invalidations, traffic].map(
    (signal) => [signal.name, new LevelDetector(signal)] as const,
  );
  #profile = this.#hitRate.profile;
  #driftSince: number | undefined;

  observe(minute: Minute, conditions: Conditions): void {
    const drifting = this.#drift.alarm !== undefined;
    // A slow fall must not be learned as usual.
    if (!drifting) this.#hitRate.observe(minute, conditions);
    this.#learnAnew();
    const fallen = this.#hitRate.alarm !== undefined;
    this.#drift.observe(minute, this.#hitRate.profile, { ...conditions, frozen: conditions.frozen || fallen });
    this.#endLongDrift(minute.at);
    for (const [, detector] of this.#others) detector.observe(minute, conditions);
  }

  /** Returns the usual figures, for {@link load}. */
  save(): number[] {
    const numbers: number[] = [];
    this.#hitRate.save(numbers);
    for (const [, detector] of this.#others) detector.save(numbers);
    this.#drift.save(numbers);
    return numbers;
  }

  /** @param isRecent whether they were saved a short time ago. */
  load(numbers: ArrayLike<number>, isRecent: boolean): void {
    const from = new Numbers(numbers);
    this.#hitRate.load(from, isRecent);
    for (const [, detector] of this.#others) detector.load(from, isRecent);
    this.#drift.load(from);
    if (from.isOver) return;
    // The numbers have another format.
    this.#hitRate.forget();
    for (const [, detector] of this.#others) detector.forget();
    this.#drift.forget();
  }

  /** The current deviations. */
  *alarms(): Generator<readonly [SignalName, Alarm]> {
    const low = this.#hitRate.alarm ?? this.#drift.alarm;
    if (low !== undefined) yield ['hitRate', low];
    for (const [name, { alarm }] of this.#others) if (alarm !== undefined) yield [name, alarm];
  }

  /** If the detector of the hit rate has accepted a new level after a day, resets the drift detector too. */
  #learnAnew(): void {
    if (this.#hitRate.profile === this.#profile) return;
    this.#profile = this.#hitRate.profile;
    this.#drift.forget();
  }

  /** After a day of drift, accepts the new hit rate as usual. */
  #endLongDrift(at: number): void {
    if (this.#drift.alarm === undefined) this.#driftSince = undefined;
    else if (at - (this.#driftSince ??= at) >= DAY_MS) {
      this.#drift.forget();
      this.#hitRate.forget();
    }
  }
}

const DAY_MS = 24 * 60 * 60_000;
