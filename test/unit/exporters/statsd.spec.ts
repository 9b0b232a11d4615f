import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { StatsD } from 'hot-shots';
import { DatabaseMetrics } from '../../../lib/database/index.js';
import type { ExportSource, MetricsSnapshot } from '../../../lib/exporters/metrics-exporter.js';
import { StatsdExporter } from '../../../lib/exporters/statsd/index.js';
import { Figures } from '../../support/figures.js';
import { eventually } from '../../support/redis.js';
import { StatsdServer } from '../../support/statsd-server.js';

const snapshotOf = (figures: Pick<Figures, 'families'>): MetricsSnapshot => ({
  at: 0,
  startedAt: 0,
  families: figures.families(),
});
const source: ExportSource = { serviceName: 'shop', families: () => [] };

describe('DogStatsD figures', () => {
  let figures: Figures;
  let client: StatsD;
  let exporter: StatsdExporter;
  const sent = (): string[] => {
    const lines = [...(client.mockBuffer ?? [])];
    client.mockBuffer!.length = 0;
    return lines;
  };
  beforeEach(async () => {
    figures = new Figures();
    client = new StatsD({ mock: true });
    exporter = new StatsdExporter({ client, prefix: 'shop' });
    await exporter.start(source);
  });

  it('DogStatsD figures are sent with labels as tags: increments of counters, values of gauges', async () => {
    figures.operations = { hit: 1_000, miss: 0 };
    figures.bytes = 64;
    await exporter.export(snapshotOf(figures));
    expect(sent()).toEqual([
      'shop.cache.operations:1000|c|#operation:get,result:hit',
      'shop.cache.pattern.operations:1000|c|#pattern:feed:*,operation:get,result:hit',
      'shop.cache.memory.usage:64|g|#layer:memory',
    ]);
    figures.operations.hit = 1_010;
    await exporter.export(snapshotOf(figures));
    expect(sent()[0]).toBe('shop.cache.operations:10|c|#operation:get,result:hit');
  });

  it('DogStatsD figures contain a few figures of each interval’s durations, however many operations there were', async () => {
    for (let n = 1; n <= 10_000; n++) figures.record(n / 100);
    await exporter.export(snapshotOf(figures));
    const lines = sent().filter((line) => line.startsWith('shop.cache.operation.duration'));
    const of = (part: string): number => Number(new RegExp(`${part}:([\\d.]+)\\|`).exec(lines.join('\n'))?.[1]);
    expect(lines).toHaveLength(6);
    expect(of('count')).toBe(10_000);
    expect(of('avg')).toBeCloseTo(50.005, 2);
    expect(of('p50') / 50).toBeCloseTo(1, 1);
    expect(of('p99') / 99).toBeCloseTo(1, 1);
    expect(of('max')).toBe(100);
    await exporter.export(snapshotOf(figures));
    expect(sent().filter((line) => line.startsWith('shop.cache.operation.duration'))).toEqual([]);
  });

  it('DogStatsD figures separate used and idle connections under one name', async () => {
    const databases = new DatabaseMetrics();
    databases.pool('main', 'mysql', () => ({ limit: 4, open: 3, idle: 1, pending: 0 }));
    await exporter.export({ at: 0, startedAt: 0, families: [...databases.families()] });
    expect(sent()).toEqual(
      expect.arrayContaining([
        'shop.db.client.connection.count:2|g|#pool:main,state:used',
        'shop.db.client.connection.count:1|g|#pool:main,state:idle',
      ]),
    );
  });

  it('DogStatsD figures are not split by the content of a label', async () => {
    figures.pattern = 'a,b|c\n#d:*';
    figures.operations.hit = 1;
    await exporter.export(snapshotOf(figures));
    expect(sent()).toContain('shop.cache.pattern.operations:1|c|#pattern:a_b_c_d:*,operation:get,result:hit');
  });

  it('the exporter leaves the application’s own client open', async () => {
    const close = jest.spyOn(client, 'close');
    await exporter.stop();
    expect(close).not.toHaveBeenCalled();
  });
});

describe('StatsD figures', () => {
  let server: StatsdServer;
  beforeAll(async () => (server = await StatsdServer.start()), 20_000);
  afterAll(() => server.stop());

  it('StatsD figures arrive under names with their labels, add up over exports, and include the last export', async () => {
    const figures = new Figures();
    const exporter = new StatsdExporter({ dialect: 'statsd', port: server.port, prefix: 'shop.', interval: '10s' });
    expect(exporter.intervalMs).toBe(10_000);
    await exporter.start(source);
    figures.operations = { hit: 7, miss: 1 };
    figures.bytes = 4_096;
    figures.record(20);
    await exporter.export(snapshotOf(figures));
    figures.operations = { hit: 12, miss: 1 };
    await exporter.export(snapshotOf(figures));
    await exporter.stop();
    await eventually(() => server.counters.get('shop.cache.operations.get.hit') === 12, 'StatsD has counted');
    expect(Object.fromEntries(server.counters)).toMatchObject({
      'shop.cache.operations.get.hit': 12,
      'shop.cache.operations.get.miss': 1,
      'shop.cache.pattern.operations.feed_.get.hit': 12,
      'shop.cache.operation.duration.get.count': 1,
    });
    expect(server.gauges.get('shop.cache.memory.usage.memory')).toBe(4_096);
    expect(server.gauges.get('shop.cache.operation.duration.get.max')).toBe(20);
  });

  it('StatsD figures do not delay the end if no server listens', async () => {
    const exporter = new StatsdExporter({ dialect: 'statsd', host: '127.0.0.1', port: 9, tags: { ignored: 'yes' } });
    await exporter.start(source);
    await exporter.export({ at: 0, startedAt: 0, families: new Figures().families() });
    await exporter.stop();
    await exporter.export({ at: 0, startedAt: 0, families: new Figures().families() });
  });
});

describe('without hot-shots', () => {
  it('an error without hot-shots names the package to install', async () => {
    jest.resetModules();
    jest.unstable_mockModule('hot-shots', () => {
      throw Object.assign(new Error("Cannot find package 'hot-shots'"), { code: 'ERR_MODULE_NOT_FOUND' });
    });
    const { StatsdExporter: Fresh } = await import('../../../lib/exporters/statsd/index.js');
    await expect((new Fresh() as { start(source: ExportSource): Promise<void> }).start(source)).rejects.toMatchObject({
      code: 'MISSING_PACKAGE',
      message: 'The StatsD exporter needs the package hot-shots: npm install hot-shots@17',
    });
  });
});
