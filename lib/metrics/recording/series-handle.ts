import type { Series } from '../../cache/base/observer.js';
import { AccessTime, type AccessTrack } from '../windows/access-track.js';
import type { Track } from '../windows/rotating-track.js';

/**
 * Selects which accesses of a series are timed, and how many accesses each of them represents. The gaps between them are random, from the
 * geometric distribution. So an access that is not timed costs one decrement, and periodic traffic does not distort the sample as it would
 * with a fixed step.
 */
export class Sampling {
  readonly #gapScale: number;
  readonly #wholeWeight: number;
  readonly #restOfWeight: number;
  readonly #random: () => number;

  /** @param rate above 0 and below 1. */
  constructor(rate: number, random: () => number) {
    this.#gapScale = 1 / Math.log1p(-rate);
    this.#wholeWeight = Math.floor(1 / rate);
    this.#restOfWeight = 1 / rate - this.#wholeWeight;
    this.#random = random;
  }

  /** Returns the number of accesses until the next timed one, 1 or more. */
  gap(): number {
    const gap = 1 + Math.floor(Math.log(1 - this.#random()) * this.#gapScale);
    return gap > 0x3fff_ffff ? 0x3fff_ffff : gap;
  }

  /** Returns 1 / rate, rounded up or down at random, so that its mean is right and buckets stay whole numbers. */
  weight(): number {
    return this.#restOfWeight > 0 && this.#random() < this.#restOfWeight ? this.#wholeWeight + 1 : this.#wholeWeight;
  }
}

/** How a series is measured. */
export const Timing = { never: 0, sampled: 1, always: 2 } as const;
export type Timing = (typeof Timing)[keyof typeof Timing];

/** The tracks in which a series is counted. */
export interface Places {
  readonly byPattern: AccessTrack;
  /** The second track: of an endpoint or method, or the separate track of a form whose pattern may still change. */
  readonly bySide: AccessTrack | undefined;
}

/** How a series is timed. */
export interface TimedBy {
  readonly timing: Timing;
  readonly sampling: Sampling | undefined;
}

/** Where the accesses of a series are counted: in the track of its pattern, and in that of its endpoint or method if it has one. */
export class SeriesHandle implements Series {
  // The fields that a hit reads come first, next to each other.
  /** The index of the pattern in the tally of hits; -1 if nothing is counted. */
  place = -1;
  /** The index of the second track, or -1. */
  sidePlace = -1;
  readonly timing: Timing;
  /** Accesses until the next timed one. */
  #untilTimed: number;
  readonly #sampling: Sampling | undefined;
  pattern: string;
  readonly endpoint: string | undefined;
  /** The track of the pattern; undefined if nothing is counted. */
  track: Track | undefined;
  /** The track of the endpoint or method. */
  sideTrack: Track | undefined;
  byPattern: AccessTrack | undefined;
  bySide: AccessTrack | undefined;

  /** @param places undefined if nothing is counted. */
  constructor(pattern: string, endpoint: string | undefined, places?: Places, timed?: TimedBy) {
    this.pattern = pattern;
    this.endpoint = endpoint;
    this.timing = timed?.timing ?? Timing.never;
    this.#sampling = timed?.sampling;
    this.#untilTimed = timed?.sampling?.gap() ?? 0;
    this.track = this.sideTrack = this.byPattern = this.bySide = undefined;
    if (places !== undefined) this.count(places);
  }

  /** Sets the tracks for later accesses. Holders of the series keep the same object. */
  count({ byPattern, bySide }: Places): void {
    this.pattern = byPattern.name;
    this.place = byPattern.place;
    this.sidePlace = bySide?.place ?? -1;
    this.track = byPattern.track;
    this.sideTrack = bySide?.track;
    this.byPattern = byPattern;
    this.bySide = bySide;
  }

  /** Times a hit in memory whose bucket is not in the tally. */
  timeLong(bucket: number, ms: number, weight: number): void {
    this.track?.histograms[AccessTime.local]!.recordIn(bucket, ms, weight);
    this.sideTrack?.histograms[AccessTime.local]!.recordIn(bucket, ms, weight);
  }

  /** Returns how many hits this one represents if it is timed, otherwise 0. */
  sampledWeight(): number {
    if (--this.#untilTimed > 0) return 0;
    const sampling = this.#sampling!;
    this.#untilTimed = sampling.gap();
    return sampling.weight();
  }
}
