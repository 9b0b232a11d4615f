import type { Series } from '../../cache/observer.js';
import { AccessTime, type AccessTrack } from '../windows/access-track.js';
import type { Sampling } from './sampling.js';
import type { Track } from '../windows/track.js';

/** How a series is measured. */
export const Timing = { never: 0, sampled: 1, always: 2 } as const;
export type Timing = (typeof Timing)[keyof typeof Timing];

/** Where a series counts and how it is timed. */
interface Place {
  readonly byPattern: AccessTrack;
  readonly bySide: AccessTrack | undefined;
  readonly timing: Timing;
  readonly sampling: Sampling | undefined;
}

/** Where the accesses of a series are counted: its pattern's track, and its endpoint's or method's where it has one. */
export class SeriesHandle implements Series {
  // What a hit reads stands first, together.
  /** The pattern's place in the tally of hits; -1 where nothing is counted. */
  readonly place: number;
  /** The endpoint's or method's place, or -1. */
  readonly sidePlace: number;
  readonly timing: Timing;
  /** Accesses until the next one that is timed. */
  #untilTimed: number;
  readonly #sampling: Sampling | undefined;
  readonly pattern: string;
  readonly endpoint: string | undefined;
  /** The pattern's; undefined where nothing is counted. */
  readonly track: Track | undefined;
  /** The endpoint's or method's. */
  readonly sideTrack: Track | undefined;
  readonly byPattern: AccessTrack | undefined;
  readonly bySide: AccessTrack | undefined;

  constructor(pattern: string, endpoint: string | undefined, place: Place | undefined) {
    this.place = place?.byPattern.place ?? -1;
    this.sidePlace = place?.bySide?.place ?? -1;
    this.pattern = pattern;
    this.endpoint = endpoint;
    this.timing = place?.timing ?? Timing.never;
    this.track = place?.byPattern.track;
    this.sideTrack = place?.bySide?.track;
    this.byPattern = place?.byPattern;
    this.bySide = place?.bySide;
    this.#sampling = place?.sampling;
    this.#untilTimed = place?.sampling?.gap() ?? 0;
  }

  /** A hit in memory that took longer than the tally keeps. */
  timeLong(bucket: number, ms: number, weight: number): void {
    this.track?.histograms[AccessTime.near]!.recordIn(bucket, ms, weight);
    this.sideTrack?.histograms[AccessTime.near]!.recordIn(bucket, ms, weight);
  }

  /** How many hits the timing of this one stands for, where some are timed; 0 where it is not one of them. */
  sampledWeight(): number {
    if (--this.#untilTimed > 0) return 0;
    const sampling = this.#sampling!;
    this.#untilTimed = sampling.gap();
    return sampling.weight();
  }
}
