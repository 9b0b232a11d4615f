/** Limits of CloudWatch's embedded metric format. */
const MOST_METRICS = 100;
export const MOST_DIMENSIONS = 30;
const LONGEST_VALUE = 1_024;
const LONGEST_NAME = 250;

export type EmfUnit = 'Count' | 'Milliseconds' | 'Seconds' | 'Bytes' | 'None';

export interface EmfMetric {
  readonly name: string;
  readonly unit: EmfUnit;
  readonly value: number;
}

/** Metrics that share their dimensions and properties. */
export interface EmfGroup {
  readonly dimensions: Readonly<Record<string, string>>;
  /** Written next to the metrics, for CloudWatch Logs Insights; not billed as metrics. */
  readonly properties: Readonly<Record<string, string>>;
  readonly metrics: readonly EmfMetric[];
}

/**
 * Writes metrics as events of the embedded metric format, one JSON text per event, at most 100 metrics per event
 * (Specification: Embedded metric format, Amazon CloudWatch User Guide).
 */
export function embeddedMetrics(namespace: string, timestamp: number, group: EmfGroup): string[] {
  const dimensions = Object.fromEntries(
    Object.entries(group.dimensions)
      .slice(0, MOST_DIMENSIONS)
      .map(([name, value]) => [cut(name, LONGEST_NAME), cut(value === '' ? 'none' : value, LONGEST_VALUE)]),
  );
  const events: string[] = [];
  for (let at = 0; at < group.metrics.length; at += MOST_METRICS) {
    const metrics = group.metrics.slice(at, at + MOST_METRICS);
    const directive = {
      Namespace: namespace,
      Dimensions: [Object.keys(dimensions)],
      Metrics: metrics.map(({ name, unit }) => ({ Name: name, Unit: unit })),
    };
    events.push(
      JSON.stringify({
        _aws: { Timestamp: Math.round(timestamp), CloudWatchMetrics: [directive] },
        ...group.properties,
        ...dimensions,
        ...Object.fromEntries(metrics.map(({ name, value }) => [name, value])),
      }),
    );
  }
  return events;
}

function cut(text: string, length: number): string {
  return text.length > length ? text.slice(0, length) : text;
}
