import { beforeEach, describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { CloudWatchExporter, embeddedMetrics } from '../../../lib/exporters/cloudwatch/index.js';
import type { MetricsSnapshot } from '../../../lib/exporters/metrics-exporter.js';
import type { MetricFamily } from '../../../lib/metrics/family.js';
import { Figures } from '../../support/figures.js';

/** The schema of the specification of the embedded metric format (Amazon CloudWatch User Guide). */
const schema = {
  type: 'object',
  title: 'Root Node',
  required: ['_aws'],
  properties: {
    _aws: {
      type: 'object',
      required: ['Timestamp', 'CloudWatchMetrics'],
      properties: {
        Timestamp: { type: 'integer' },
        CloudWatchMetrics: {
          type: 'array',
          items: {
            type: 'object',
            required: ['Namespace', 'Dimensions', 'Metrics'],
            properties: {
              Namespace: { type: 'string', minLength: 1, maxLength: 1024, pattern: '^(.*)$' },
              Dimensions: {
                type: 'array',
                minItems: 1,
                items: {
                  type: 'array',
                  minItems: 1,
                  maxItems: 30,
                  items: { type: 'string', minLength: 1, maxLength: 250 },
                },
              },
              Metrics: {
                type: 'array',
                maxItems: 100,
                items: {
                  type: 'object',
                  required: ['Name'],
                  properties: {
                    Name: { type: 'string', minLength: 1, maxLength: 1024 },
                    Unit: { enum: ['Seconds', 'Milliseconds', 'Bytes', 'Count', 'None'] },
                    StorageResolution: { enum: [1, 60] },
                  },
                },
              },
            },
          },
        },
      },
    },
  },
} as const;

interface Event extends Record<string, unknown> {
  _aws: {
    CloudWatchMetrics: { Namespace: string; Dimensions: string[][]; Metrics: { Name: string; Unit: string }[] }[];
  };
}
const validate = new Ajv().compile<Event>(schema);

/** Also checks that declared fields exist, which the schema cannot express. */
function valid(text: string): Event {
  const event: unknown = JSON.parse(text);
  expect(text).not.toContain('\n');
  if (!validate(event)) throw new Error(JSON.stringify(validate.errors));
  for (const { Dimensions, Metrics } of event._aws.CloudWatchMetrics) {
    for (const dimension of Dimensions.flat()) expect(typeof event[dimension]).toBe('string');
    for (const { Name } of Metrics) expect(typeof event[Name]).toBe('number');
  }
  return event;
}

describe('CloudWatch figures', () => {
  let written: string[];
  let figures: Figures;
  beforeEach(() => {
    written = [];
    figures = new Figures();
  });
  const exporter = (options: object = {}): CloudWatchExporter => {
    const one = new CloudWatchExporter({ write: (event) => written.push(event), ...options });
    one.start({ serviceName: 'shop', families: () => [] });
    return one;
  };
  const snapshot = (): MetricsSnapshot => ({ at: 1_700_000_000_000.5, startedAt: 0, families: figures.families() });

  it('CloudWatch figures are events of the embedded metric format, with labels as dimensions and patterns as properties', async () => {
    figures.operations = { hit: 5, miss: 2 };
    figures.bytes = 64;
    await exporter().export(snapshot());
    const events = written.map(valid);
    const named = (name: string): Event => events.find((event) => name in event)!;
    expect(named('cache.operations')).toMatchObject({
      service: 'shop',
      operation: 'get',
      result: 'hit',
      'cache.operations': 5,
    });
    const pattern = named('cache.pattern.operations');
    expect(pattern).toMatchObject({ pattern: 'feed:*', 'cache.pattern.operations': 5 });
    expect(pattern._aws.CloudWatchMetrics[0]!.Dimensions).toEqual([['service', 'operation', 'result']]);
    expect(named('cache.memory.usage')._aws.CloudWatchMetrics[0]!.Metrics).toEqual([
      { Name: 'cache.memory.usage', Unit: 'Bytes' },
    ]);
  });

  it('CloudWatch figures with the same labels share an event, whatever their families', async () => {
    const family = (name: string, type: 'counter' | 'gauge', labels: readonly string[]): MetricFamily => {
      return {
        name,
        help: '',
        type,
        labelNames: ['pattern'],
        points: () => labels.map((l) => ({ labels: [l], value: 3 })),
      };
    };
    const families = [
      family('cache_load_saved_seconds_total', 'counter', ['feed:*', 'user:*']),
      { ...family('cache_alone_total', 'counter', ['get', 'set']), labelNames: ['operation'] },
      family('cache_pattern_value_bytes', 'gauge', ['user:*']),
    ];
    await exporter().export({ ...snapshot(), families });
    const events = written.map(valid).map(({ _aws, service: _, ...rest }) => rest);
    expect(events).toEqual([
      { pattern: 'feed:*', 'cache.load.saved': 3 },
      { pattern: 'user:*', 'cache.load.saved': 3, 'cache.pattern.value': 3 },
      { operation: 'get', 'cache.alone': 3 },
      { operation: 'set', 'cache.alone': 3 },
    ]);
  });

  it('CloudWatch figures contain the increments since the last minute', async () => {
    const one = exporter();
    expect(one.intervalMs).toBe(60_000);
    figures.operations.hit = 5;
    figures.record(10);
    await one.export(snapshot());
    written = [];
    figures.operations.hit = 8;
    for (let n = 0; n < 99; n++) figures.record(1);
    await one.export(snapshot());
    const events = written.map(valid);
    expect(events.find((event) => 'cache.operations' in event)).toMatchObject({ 'cache.operations': 3 });
    const durations = events.find((event) => 'cache.operation.duration.p99' in event)!;
    expect(durations['cache.operation.duration.count']).toBe(99);
    expect((durations['cache.operation.duration.p99'] as number) / 1).toBeCloseTo(1, 1);
  });

  it('CloudWatch figures are written again if writing failed', async () => {
    let broken = true;
    const one = exporter({
      write: (event: string) => {
        if (broken) throw new Error('EPIPE');
        written.push(event);
      },
    });
    figures.operations.hit = 5;
    await expect(one.export(snapshot())).rejects.toThrow('EPIPE');
    broken = false;
    await one.export(snapshot());
    expect(written.map(valid).find((event) => 'cache.operations' in event)).toMatchObject({ 'cache.operations': 5 });
  });

  it('CloudWatch figures have the application’s namespace and dimensions, up to CloudWatch’s limit', async () => {
    figures.operations.hit = 1;
    await exporter({ namespace: 'Shop/Cache', dimensions: { environment: 'test' } }).export(snapshot());
    const event = valid(written[0]!);
    expect(event._aws.CloudWatchMetrics[0]).toMatchObject({
      Namespace: 'Shop/Cache',
      Dimensions: [['environment', 'operation', 'result']],
    });
    const many = Object.fromEntries(Array.from({ length: 26 }, (_, n) => [`d${n}`, 'x']));
    expect(() => new CloudWatchExporter({ dimensions: many })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTIONS' }),
    );
  });

  it('CloudWatch figures are split into events of at most 100 metrics and 30 dimensions, with values cut to the limit', () => {
    const metrics = Array.from({ length: 250 }, (_, n) => ({ name: `m${n}`, unit: 'Count' as const, value: n }));
    const dimensions = Object.fromEntries(
      Array.from({ length: 40 }, (_, n) => [`d${n}`, n === 0 ? '' : 'x'.repeat(2_000)]),
    );
    const events = embeddedMetrics('Shop', 1_700_000_000_000, { dimensions, properties: {}, metrics }).map(valid);
    expect(events.map((event) => event._aws.CloudWatchMetrics[0]!.Metrics.length)).toEqual([100, 100, 50]);
    expect(events[0]!._aws.CloudWatchMetrics[0]!.Dimensions[0]).toHaveLength(30);
    expect([events[0]!.d0, (events[0]!.d1 as string).length]).toEqual(['none', 1_024]);
  });
});
