export { ManualClock, settle } from './manual-clock.js';
export { type CollectedLayer, type CollectedMetrics, type LatencyStats, MemoryCollector } from './memory-collector.js';
