import type { MetricFamily, MetricPoint } from '../family.js';
import type { AccessTrack } from '../windows/access-track.js';

/** Reads the points of a family when it is asked for them. */
export type Points = () => Iterable<MetricPoint>;

/** A family of counters. */
export function counter(
  name: string,
  help: string,
  labelNames: string[],
  points: Points,
  unit?: 'seconds',
): MetricFamily {
  return { name, help, type: 'counter', labelNames, points, ...(unit === undefined ? {} : { unit }) };
}

/** A family of gauges. */
export function gauge(
  name: string,
  help: string,
  labelNames: string[],
  points: Points,
  unit?: 'bytes' | 'ratio',
): MetricFamily {
  return { name, help, type: 'gauge', labelNames, points, ...(unit === undefined ? {} : { unit }) };
}

/** A family of histograms of durations, in seconds. */
export function duration(name: string, help: string, labelNames: string[], points: Points): MetricFamily {
  return { name, help, type: 'histogram', labelNames, points, unit: 'seconds' };
}

/** One track after the other, when they are asked for: who reads may rest between them. */
export function* each(
  tracks: Iterable<AccessTrack>,
  points: (access: AccessTrack) => MetricPoint[],
): Iterable<MetricPoint> {
  for (const access of tracks) {
    access.track.settle();
    yield* points(access);
  }
}
