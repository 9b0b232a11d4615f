export { CloudWatchExporter, type CloudWatchExporterOptions } from './cloudwatch-exporter.js';
export { embeddedMetrics, type EmfGroup, type EmfMetric, type EmfUnit } from './embedded-metrics.js';
