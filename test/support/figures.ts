import type { FamilySource, MetricFamily } from '../../lib/metrics/family.js';
import { Histogram } from '../../lib/metrics/windows/histogram.js';

/** A source of figures that a test sets by hand. */
export class Figures implements FamilySource {
  operations = { hit: 0, miss: 0 };
  readonly duration = new Histogram();
  pattern = 'feed:*';
  bytes = 0;

  record(ms: number): void {
    this.duration.record(ms, 1);
  }

  families(): MetricFamily[] {
    return [
      {
        name: 'cache_operations_total',
        help: 'Operations.',
        type: 'counter',
        labelNames: ['operation', 'result'],
        points: () => Object.entries(this.operations).map(([result, value]) => ({ labels: ['get', result], value })),
      },
      {
        name: 'cache_pattern_operations_total',
        help: 'Operations by pattern.',
        type: 'counter',
        labelNames: ['pattern', 'operation', 'result'],
        points: () => [{ labels: [this.pattern, 'get', 'hit'], value: this.operations.hit }],
      },
      {
        name: 'cache_operation_duration_seconds',
        help: 'Durations.',
        type: 'histogram',
        unit: 'seconds',
        labelNames: ['operation'],
        points: () => [{ labels: ['get'], histogram: this.duration }],
      },
      {
        name: 'cache_memory_usage_bytes',
        help: 'Bytes.',
        type: 'gauge',
        unit: 'bytes',
        labelNames: ['layer'],
        points: () => [{ labels: ['memory'], value: this.bytes }],
      },
    ];
  }
}
