export { CacheMetricProducer, type CacheMetricProducerOptions } from './metric-producer.js';
