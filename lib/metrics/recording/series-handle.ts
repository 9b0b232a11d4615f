import type { Series } from '../../cache/base/observer.js';
import { AccessTime, type AccessTrack } from '../windows/access-track.js';
import type { Track } from '../windows/track.js';

/**
 * Which accesses of a series are timed, and how many others each of them stands for. Chosen at random: gaps are drawn
 * from the geometric distribution, so that between two of them an access costs one decrement, and no rhythm of the
 * traffic can hide from a fixed step.
 */
export class Sampling {
  readonly #gapScale: number;
  readonly #wholeWeight: number;
  readonly #restOfWeight: number;
  readonly #random: () => number;

  /** @param rate above 0, below 1. */
  constructor(rate: number, random: () => number) {
    this.#gapScale = 1 / Math.log1p(-rate);
    this.#wholeWeight = Math.floor(1 / rate);
    this.#restOfWeight = 1 / rate - this.#wholeWeight;
    this.#random = random;
  }

  /** How many accesses on the next timed one is: 1 or more. */
  gap(): number {
    const gap = 1 + Math.floor(Math.log(1 - this.#random()) * this.#gapScale);
    return gap > 0x3fff_ffff ? 0x3fff_ffff : gap;
  }

  /** 1 / rate, rounded up or down at random so that it is right in the mean and buckets stay whole numbers. */
  weight(): number {
    return this.#restOfWeight > 0 && this.#random() < this.#restOfWeight ? this.#wholeWeight + 1 : this.#wholeWeight;
  }
}

/** How a series is measured. */
export const Timing = { never: 0, sampled: 1, always: 2 } as const;
export type Timing = (typeof Timing)[keyof typeof Timing];

/** Where a series counts. */
export interface Places {
  readonly byPattern: AccessTrack;
  /** Beside it: the track of an endpoint or a method, or one that waits for its pattern. */
  readonly bySide: AccessTrack | undefined;
}

/** How a series is timed. */
export interface TimedBy {
  readonly timing: Timing;
  readonly sampling: Sampling | undefined;
}

/** Where the accesses of a series are counted: its pattern's track, and its endpoint's or method's where it has one. */
export class SeriesHandle implements Series {
  // What a hit reads stands first, together.
  /** The pattern's place in the tally of hits; -1 where nothing is counted. */
  place = -1;
  /** The place beside it, or -1. */
  sidePlace = -1;
  readonly timing: Timing;
  /** Accesses until the next one that is timed. */
  #untilTimed: number;
  readonly #sampling: Sampling | undefined;
  pattern: string;
  readonly endpoint: string | undefined;
  /** The pattern's; undefined where nothing is counted. */
  track: Track | undefined;
  /** The endpoint's or method's. */
  sideTrack: Track | undefined;
  byPattern: AccessTrack | undefined;
  bySide: AccessTrack | undefined;

  /** @param places undefined where nothing is counted. */
  constructor(pattern: string, endpoint: string | undefined, places?: Places, timed?: TimedBy) {
    this.pattern = pattern;
    this.endpoint = endpoint;
    this.timing = timed?.timing ?? Timing.never;
    this.#sampling = timed?.sampling;
    this.#untilTimed = timed?.sampling?.gap() ?? 0;
    this.track = this.sideTrack = this.byPattern = this.bySide = undefined;
    if (places !== undefined) this.count(places);
  }

  /** Counts in these tracks from now on; holders of the series keep the same object. */
  count({ byPattern, bySide }: Places): void {
    this.pattern = byPattern.name;
    this.place = byPattern.place;
    this.sidePlace = bySide?.place ?? -1;
    this.track = byPattern.track;
    this.sideTrack = bySide?.track;
    this.byPattern = byPattern;
    this.bySide = bySide;
  }

  /** A hit in memory that took longer than the tally keeps. */
  timeLong(bucket: number, ms: number, weight: number): void {
    this.track?.histograms[AccessTime.local]!.recordIn(bucket, ms, weight);
    this.sideTrack?.histograms[AccessTime.local]!.recordIn(bucket, ms, weight);
  }

  /** How many hits the timing of this one stands for, where some are timed; 0 where it is not one of them. */
  sampledWeight(): number {
    if (--this.#untilTimed > 0) return 0;
    const sampling = this.#sampling!;
    this.#untilTimed = sampling.gap();
    return sampling.weight();
  }
}
