export { StatsdExporter, type StatsdClient, type StatsdExporterOptions } from './statsd-exporter.js';
