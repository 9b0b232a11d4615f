import { NoopCollector } from '../metrics/collectors/noop-collector.js';

/** Keeps everything it is told, for assertions. */
export class MemoryCollector extends NoopCollector {
  snapshot(): object {
    return {};
  }
}
