import type { MetricFamily, MetricPoint } from '../family.js';

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
