import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { DatabaseMetrics } from '../../../lib/database/index.js';
import { CacheMetricProducer } from '../../../lib/exporters/otel/index.js';
import type { FamilySource, MetricFamily } from '../../../lib/metrics/family.js';
import { Figures } from '../../support/figures.js';
import { ManualClock } from '../../support/manual-clock.js';

/** A data point as an OTLP/HTTP receiver gets it. */
interface OtlpPoint {
  attributes: { key: string; value: { stringValue: string } }[];
  startTimeUnixNano: string;
  timeUnixNano: string;
  asDouble?: number;
  scale?: number;
  count?: string | number;
  sum?: number;
  min?: number;
  max?: number;
  zeroCount?: number;
  positive?: { offset: number; bucketCounts: (number | string)[] };
}
interface OtlpMetric {
  name: string;
  unit: string;
  description: string;
  sum?: { isMonotonic: boolean; aggregationTemporality: number; dataPoints: OtlpPoint[] };
  gauge?: { dataPoints: OtlpPoint[] };
  exponentialHistogram?: { aggregationTemporality: number; dataPoints: OtlpPoint[] };
}

describe('OpenTelemetry figures', () => {
  let receiver: Server;
  const received: OtlpMetric[][] = [];
  const providers: MeterProvider[] = [];
  beforeEach(async () => {
    received.length = 0;
    receiver = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => (body += chunk));
      request.on('end', () => {
        const { resourceMetrics } = JSON.parse(body) as {
          resourceMetrics: { scopeMetrics: { metrics: OtlpMetric[] }[] }[];
        };
        received.push(resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics).flatMap(({ metrics }) => metrics));
        response.setHeader('content-type', 'application/json').end('{}');
      });
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => receiver.once('listening', resolve));
  });
  afterEach(async () => {
    await Promise.all(providers.splice(0).map((provider) => provider.shutdown()));
    await new Promise((resolve) => receiver.close(resolve));
  });

  const exported = async (producer: CacheMetricProducer): Promise<Record<string, OtlpMetric>> => {
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/v1/metrics`;
    const reader = new PeriodicExportingMetricReader({
      exporter: new OTLPMetricExporter({ url }),
      metricProducers: [producer],
      exportIntervalMillis: 3_600_000,
    });
    providers.push(new MeterProvider({ readers: [reader] }));
    await reader.forceFlush();
    return Object.fromEntries((received.at(-1) ?? []).map((metric) => [metric.name, metric]));
  };
  const attributes = (point: OtlpPoint): Record<string, string> =>
    Object.fromEntries(point.attributes.map(({ key, value }) => [key, value.stringValue]));

  it('OpenTelemetry figures arrive at a receiver under their names, with units and attributes', async () => {
    const figures = new Figures();
    figures.operations = { hit: 5, miss: 2 };
    figures.bytes = 1_024;
    const metrics = await exported(new CacheMetricProducer({ source: figures }));
    const operations = metrics['cache.operations']!;
    expect(operations).toMatchObject({ unit: '{operation}', sum: { isMonotonic: true, aggregationTemporality: 2 } });
    expect(operations.sum!.dataPoints.map((point) => [attributes(point), point.asDouble])).toEqual([
      [{ 'cache.operation': 'get', 'cache.result': 'hit' }, 5],
      [{ 'cache.operation': 'get', 'cache.result': 'miss' }, 2],
    ]);
    expect(attributes(metrics['cache.pattern.operations']!.sum!.dataPoints[0]!)).toMatchObject({
      'cache.key.pattern': 'feed:*',
    });
    expect(metrics['cache.memory.usage']).toMatchObject({
      unit: 'By',
      sum: { isMonotonic: false, dataPoints: [{ asDouble: 1_024 }] },
    });
  });

  it('OpenTelemetry figures have the attributes of their own labels, whichever series came before them', async () => {
    let patterns = ['feed:*', 'user:*'];
    const source: FamilySource = {
      families: () => [
        {
          name: 'cache_load_saved_seconds_total',
          help: '',
          type: 'counter',
          labelNames: ['pattern'],
          points: () => patterns.map((pattern) => ({ labels: [pattern], value: pattern.length })),
        },
      ],
    };
    const producer = new CacheMetricProducer({ source });
    const read = async () => {
      const [metric] = (await producer.collect()).resourceMetrics.scopeMetrics[0]!.metrics;
      return metric!.dataPoints.map(({ attributes: named, value }) => [named['cache.key.pattern'], value]);
    };
    await read();
    patterns = ['a:*', 'feed:*', 'user:*'];
    expect(await read()).toEqual([
      ['a:*', 3],
      ['feed:*', 6],
      ['user:*', 6],
    ]);
    patterns = ['user:*'];
    expect(await read()).toEqual([['user:*', 6]]);
  });

  it('OpenTelemetry figures contain histograms without loss: every value is in its bucket of scale 4, in seconds', async () => {
    const figures = new Figures();
    const values = [0, 0.000_1, 0.003, 0.5, 1, 1.0001, 7, 7, 40, 999.999, 1_000, 1_001, 65_536];
    for (const ms of values) figures.record(ms);
    const { exponentialHistogram, unit } = (await exported(new CacheMetricProducer({ source: figures })))[
      'cache.operation.duration'
    ]!;
    const [point] = exponentialHistogram!.dataPoints as [OtlpPoint];
    expect(unit).toBe('s');
    expect(exponentialHistogram!.aggregationTemporality).toBe(2);
    expect(point).toMatchObject({ scale: 4, zeroCount: 2, min: 0, max: 65.536 });
    expect(Number(point.count)).toBe(values.length);
    expect(point.sum).toBeCloseTo(values.reduce((sum, ms) => sum + ms, 0) / 1000, 9);
    const expected = new Map<number, number>();
    for (const ms of values.slice(2)) {
      // Data model: bucket i of scale 4 holds (2^(i/16), 2^((i+1)/16)].
      const bucket = Math.ceil(Math.log2(ms / 1000) * 16 - 1e-9) - 1;
      expected.set(bucket, (expected.get(bucket) ?? 0) + 1);
    }
    const { offset, bucketCounts } = point.positive!;
    const buckets = bucketCounts.flatMap((count, at) => (Number(count) > 0 ? [[offset + at, Number(count)]] : []));
    expect(buckets).toEqual([...expected].sort(([a], [b]) => a - b));
  });

  it('OpenTelemetry figures of databases have the names of the semantic conventions', async () => {
    const databases = new DatabaseMetrics({ log: () => undefined });
    databases.pool('main', 'postgresql', () => ({ limit: 10, open: 4, idle: 1, pending: 2 })).add('acquired', 5);
    databases.query('SELECT * FROM users', 'postgresql', true, 12);
    databases.query('SELECT 1', 'postgresql', false, 3);
    const metrics = await exported(new CacheMetricProducer({ source: databases }));
    const points = (name: string) =>
      (metrics[name]!.sum ?? metrics[name]!.exponentialHistogram)!.dataPoints.map((point) => [
        attributes(point),
        point.asDouble ?? Number(point.count),
      ]);
    const main = { 'db.client.connection.pool.name': 'main' };
    expect(points('db.client.connection.count')).toEqual([
      [{ ...main, 'db.client.connection.state': 'used' }, 3],
      [{ ...main, 'db.client.connection.state': 'idle' }, 1],
    ]);
    expect(points('db.client.connection.max')).toEqual([[main, 10]]);
    expect(points('db.client.connection.pending_requests')).toEqual([[main, 2]]);
    expect(points('db.client.connection.wait_time')).toEqual([[main, 1]]);
    expect(metrics['db.client.operation.duration']!.unit).toBe('s');
    expect(points('db.client.operation.duration')).toEqual([
      [{ 'db.operation.name': 'SELECT', 'db.collection.name': 'users' }, 1],
      [{ 'db.operation.name': 'SELECT' }, 1],
    ]);
    expect(points('db.client.operations')).toContainEqual([
      { 'db.operation.name': 'SELECT', 'error.type': '_OTHER' },
      1,
    ]);
  });

  it('OpenTelemetry figures start at the last reading if they were reset', async () => {
    const [clock, figures] = [new ManualClock(), new Figures()];
    const producer = new CacheMetricProducer({ source: figures, clock });
    const began = clock.now();
    const start = async (): Promise<number> => {
      const { resourceMetrics } = await producer.collect();
      const [seconds, nanos] = resourceMetrics.scopeMetrics[0]!.metrics[0]!.dataPoints[0]!.startTime;
      return seconds * 1000 + nanos / 1e6;
    };
    figures.operations.hit = 10;
    await clock.advance(10_000);
    expect(await start()).toBe(began);
    await clock.advance(10_000);
    figures.operations.hit = 1;
    expect(await start()).toBe(began + 10_000);
  });

  it('OpenTelemetry figures keep their start if one reader overtakes another', async () => {
    const clock = new ManualClock();
    const began = clock.now();
    let hits = 10;
    let unhurried = true;
    const counter = (name: string, points: MetricFamily['points']): MetricFamily => {
      return { name, help: name, type: 'counter', labelNames: ['result'], points };
    };
    const source: FamilySource = {
      families: () => [
        counter('cache_operations_total', () => [{ labels: ['hit'], value: hits }]),
        counter('cache_evictions_total', () => {
          const until = performance.now() + (unhurried ? 3 : 0);
          while (performance.now() < until);
          unhurried = false;
          return [{ labels: ['capacity'], value: 1 }];
        }),
      ],
    };
    const producer = new CacheMetricProducer({ source, clock });
    await clock.advance(10_000);
    const slow = producer.collect();
    // The slow exporter is still reading, before the next turn of the event loop.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    hits = 20;
    await producer.collect();
    await slow;
    const { resourceMetrics } = await producer.collect();
    expect(resourceMetrics.scopeMetrics[0]!.metrics[0]!.dataPoints[0]!.startTime[0] * 1_000).toBe(
      Math.floor(began / 1_000) * 1_000,
    );
  });

  it('OpenTelemetry figures are read between start and end of the producer, and report a source that throws', async () => {
    const producer = new CacheMetricProducer();
    const collected = async (): Promise<number> =>
      (await producer.collect()).resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics).length;
    expect(await collected()).toBe(0);
    producer.start(new Figures());
    expect(await collected()).toBe(4);
    const broken: FamilySource = {
      families: () => {
        throw new Error('broken');
      },
    };
    producer.start(broken);
    expect((await producer.collect()).errors).toEqual([expect.objectContaining({ message: 'broken' })]);
    producer.stop();
    expect(await collected()).toBe(0);
  });
});
