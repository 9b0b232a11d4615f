import 'reflect-metadata';
import type { INestApplication } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { register } from 'prom-client';
import { createMarketplace } from '../../sample/marketplace/marketplace.js';
import { readSettings } from '../../sample/marketplace/settings.js';
import { Browser } from '../../sample/traffic/browser.js';
import { crowd } from '../../sample/traffic/crowd.js';
import { readChoices } from '../../sample/traffic/choices.js';
import { Tally } from '../../sample/traffic/tally.js';
import { PrometheusServer } from '../support/prometheus.js';
import { eventually, RedisServer } from '../support/redis.js';

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

interface Panel {
  readonly type: string;
  readonly title: string;
  readonly targets?: readonly { readonly expr: string }[];
}

const panels = (JSON.parse(readFileSync(at('grafana/dashboard.json'), 'utf8')) as { panels: Panel[] }).panels;
const queries = panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }, index) => ({ panel: `${title} ${targets.length > 1 ? index + 1 : ''}`.trim(), expr })),
);

/** Replaces variables as Grafana does: one job, all of its instances. */
const substituted = (expression: string): string =>
  expression
    .replaceAll('$job', 'marketplace')
    .replaceAll('$instance', '.*')
    .replaceAll('$cache', '.*')
    .replaceAll('$__rate_interval', '5s')
    .replaceAll('$__range', '1m');

describe('a Prometheus server', () => {
  let redis: RedisServer;
  let app: INestApplication;
  let base: string;
  let prometheus: PrometheusServer;
  let visitors: Promise<void>;
  const home = new AbortController();

  beforeAll(async () => {
    register.clear();
    redis = await RedisServer.start();
    const settings = readSettings({ CATALOGUE_PRODUCTS: '400', CATALOGUE_SELLERS: '30', REDIS_URL: redis.url });
    app = await createMarketplace(settings, false);
    await app.listen(0, '127.0.0.1');
    base = (await app.getUrl()).replace(/\/$/, '');
    prometheus = await PrometheusServer.start({ marketplace: new URL(base).host }, [
      at('prometheus/recording-rules.yml'),
      at('prometheus/alert-rules.yml'),
    ]);
    const browser = new Browser(new URL(base), 8);
    const around = await readChoices(browser);
    const options = { baseUrl: new URL(base), seconds: 60, visitors: 8, think: 40, seed: 1 };
    visitors = crowd(options, browser, around, new Tally(), home.signal).finally(() => browser.close());
    await ask('/cache/warm', 'POST');
    await eventually(
      async () =>
        ((await prometheus.number('rate(cache_operations_total{operation="get",result="hit"}[5s])')) ?? 0) > 0,
      'the second scrape under traffic',
      20_000,
    );
  }, 60_000);

  afterAll(async () => {
    home.abort();
    await visitors;
    await prometheus?.stop();
    await app?.close();
    await redis?.dispose();
    register.clear();
  });

  async function ask<Body>(path: string, method = 'GET'): Promise<Body> {
    const response = await fetch(`${base}${path}`, { method });
    expect([path, response.status]).toEqual([path, 200]);
    return (await response.json()) as Body;
  }

  it('Prometheus accepts every scrape, in its preferred format', async () => {
    expect(await prometheus.targets()).toEqual({ marketplace: 'up' });
    // A refused format fails each time; on a slow machine a scrape may take too long once.
    expect(await prometheus.number('avg_over_time(up{job="marketplace"}[1m])')).toBeGreaterThan(0.5);
    // Node's own metrics are included.
    expect(await prometheus.query('nodejs_version_info{job="marketplace"}')).toHaveLength(1);
  });

  it('Prometheus loads the rules', async () => {
    expect(await prometheus.rules()).toEqual(
      expect.arrayContaining(['instance:cache_hit_rate:ratio_rate5m', 'CacheCircuitOpen', 'DatabasePoolExhausted']),
    );
  });

  it.each(queries)('Prometheus has data for the panel “$panel”', async ({ expr }) => {
    await eventually(
      async () => (await prometheus.query(substituted(expr))).some(({ value }) => Number.isFinite(value)),
      expr,
      15_000,
    );
  });

  it.each(['Hit rate by cache', 'Accesses by cache', 'Memory by cache', 'Hit rate by layer', 'Hit rate by pattern'])(
    'the panel “%s” shows the pages and the sessions separately',
    async (title) => {
      const { expr } = panels.find((panel) => panel.title === title)!.targets![0]!;
      await eventually(
        async () => {
          const caches = (await prometheus.query(substituted(expr))).map(({ metric }) => metric['cache']);
          return caches.includes('default') && caches.includes('sessions');
        },
        expr,
        15_000,
      );
    },
  );

  it('the hit rate by pattern shows one cache if its variable names the cache', async () => {
    const [{ targets }] = panels.filter(({ title }) => title === 'Hit rate by pattern') as [Panel];
    const chosen = substituted(targets![0]!.expr.replaceAll('$cache', 'sessions'));
    await eventually(
      async () => (await prometheus.query(chosen)).map(({ metric }) => metric['pattern']).join() === 'session:*',
      chosen,
      15_000,
    );
  });

  describe('when the visitors have finished', () => {
    beforeAll(async () => {
      home.abort();
      await visitors;
    });

    /** Waits until both sides agree after a scrape; background work may come between. */
    const agrees = async (compare: () => Promise<readonly [said: unknown, counted: unknown]>): Promise<void> => {
      let last: readonly [unknown, unknown] = [undefined, undefined];
      try {
        await eventually(
          async () => {
            last = await compare();
            return JSON.stringify(last[0]) === JSON.stringify(last[1]);
          },
          'agreement',
          12_000,
        );
      } catch {
        expect(last[0]).toEqual(last[1]);
      }
    };
    const byLabel = async (expression: string, ...labels: string[]): Promise<Record<string, number>> =>
      Object.fromEntries(
        (await prometheus.query(expression))
          .map(({ metric, value }) => [labels.map((label) => metric[label]).join(' '), value] as const)
          .sort(([a], [b]) => (a < b ? -1 : 1)),
      );
    const sorted = (entries: readonly (readonly [string, number])[]): Record<string, number> =>
      Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));

    it('Prometheus counts accesses, hits and loads like the statistics', () =>
      agrees(async () => {
        const stats = await ask<Record<string, number>>('/cache/stats');
        return [
          [
            await prometheus.number('sum(cache_operations_total{operation="get",cache="default"})'),
            await prometheus.number('sum(cache_operations_total{operation="get",result=~"hit|stale",cache="default"})'),
            await prometheus.number('sum(cache_operations_total{operation=~"load|refresh",cache="default"})'),
            await prometheus.number('cache_hit_rate{window="all",cache="default"}'),
            await prometheus.number('cache_operation_duration_seconds_count{operation="get",cache="default"}'),
          ],
          [
            stats['total_requests'],
            stats['cache_hits'],
            stats['recalculations'],
            stats['hit_rate'],
            stats['total_requests'],
          ],
        ];
      }));

    it('Prometheus counts each pattern, endpoint and layer like the statistics', async () => {
      await agrees(async () => [
        await byLabel('sum by (pattern) (cache_pattern_operations_total{operation="get",cache="default"})', 'pattern'),
        sorted(
          (await ask<{ pattern: string; total_requests: number }[]>('/cache/stats/patterns')).map((each) => [
            each.pattern,
            each.total_requests,
          ]),
        ),
      ]);
      await agrees(async () => [
        await byLabel('sum by (method, route) (cache_endpoint_operations_total{cache="default"})', 'method', 'route'),
        sorted(
          (await ask<{ endpoint: string; total_requests: number }[]>('/cache/stats/endpoints')).map((each) => [
            each.endpoint,
            each.total_requests,
          ]),
        ),
      ]);
      await agrees(async () => [
        [
          await byLabel('cache_layer_hits_total{cache="default"}', 'layer'),
          await byLabel('cache_layer_misses_total{cache="default"}', 'layer'),
          await byLabel('cache_layer_circuit_state{cache="default"} == 1', 'layer', 'state'),
        ],
        await ask<{ layer: string; cache_hits: number; cache_misses: number; circuit_state: string }[]>(
          '/cache/stats/layers',
        ).then((layers) => [
          sorted(layers.map(({ layer, cache_hits }) => [layer, cache_hits])),
          sorted(layers.map(({ layer, cache_misses }) => [layer, cache_misses])),
          sorted(layers.map(({ layer, circuit_state }) => [`${layer} ${circuit_state}`, 1])),
        ]),
      ]);
    });

    it('Prometheus computes percentiles in the same bucket as the statistics', () =>
      agrees(async () => {
        const [load] = (
          await ask<{ operation: string; p95_response_time_ms: number }[]>('/cache/stats/operations')
        ).filter(({ operation }) => operation === 'load');
        const quantile = await prometheus.number(
          'histogram_quantile(0.95, cache_operation_duration_seconds_bucket{operation="load",cache="default"})',
        );
        const bounds = (
          await prometheus.query('cache_operation_duration_seconds_bucket{operation="load",cache="default"}')
        ).map(({ metric }) => Number(metric['le'] === '+Inf' ? Infinity : metric['le']));
        // The exponential buckets are 4.4 % wide, so a value at a bound may be reported on either side of it.
        const near = (seconds: number) => bounds.findIndex((bound) => seconds <= bound * 1.05);
        return [Math.abs(near(quantile!) - near(load!.p95_response_time_ms / 1000)) <= 1, true];
      }));

    it('Prometheus has the same pool and queries as /cache/database', () =>
      agrees(async () => {
        const { pools, queries } = await ask<{
          pools: { pool: string; size: number }[];
          queries: { query_type: string; table: string; count: number }[];
        }>('/cache/database');
        return [
          [
            await byLabel('db_connection_pool_size', 'pool'),
            await byLabel('sum by (query_type, table) (db_queries_total)', 'query_type', 'table'),
          ],
          [
            sorted(pools.map(({ pool, size }) => [pool, size])),
            sorted(queries.map(({ query_type, table, count }) => [`${query_type} ${table}`, count])),
          ],
        ];
      }));

    it('Prometheus has the same Redis figures as /cache/info', () =>
      agrees(async () => {
        const info = await ask<{ redis_version: string; total_keys: number }>('/cache/info');
        return [
          [
            await prometheus.number('cache_server_keys{layer="redis",cache="default"}'),
            await prometheus.number('min(cache_server_up)'),
          ],
          [info.total_keys, 1],
        ];
      }));

    it('promtool finds no fault in our families', async () => {
      const text = await (await fetch(`${base}/metrics`)).text();
      const ours = text
        .split('\n')
        .filter((line) => /^(# \w+ )?(cache|db)_/.test(line))
        .join('\n');
      const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: `${ours}\n` });
      expect({ status, said: `${stdout}${stderr}` }).toEqual({ status: 0, said: '' });
    });
  });
});
