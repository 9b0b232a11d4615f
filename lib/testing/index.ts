export { CACHE_CLOCK, cacheToken } from '../cache/base/tokens.js';
export { ManualClock, settle } from './manual-clock.js';
export { type CollectedLayer, type CollectedMetrics, type LatencyStats, MemoryCollector } from './memory-collector.js';
export { TimersClock } from './timers-clock.js';
