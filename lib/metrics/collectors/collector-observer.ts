import { NoopObserver } from '../noop-observer.js';
import type { MetricsCollector } from './metrics-collector.js';

/** Drives a {@link MetricsCollector} by what the cache tells. */
export class CollectorObserver extends NoopObserver {
  constructor(readonly collector: MetricsCollector) {
    super();
  }
}
