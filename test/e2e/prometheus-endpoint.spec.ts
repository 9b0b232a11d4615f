import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { Controller, Get, Injectable } from '@nestjs/common';
import { InjectMetric, makeCounterProvider, PrometheusModule } from '@willsoto/nestjs-prometheus';
import { AggregatorRegistry, collectDefaultMetrics, type Counter, register, Registry } from 'prom-client';
import { registerFamilies } from '../../lib/exporters/prometheus/registry.js';
import {
  CacheObservabilityModule,
  type CacheObservabilityOptions,
  createObservedCache,
  memoryLayer,
  ObservedCache,
} from '../../lib/index.js';
import { boot, closeApps, type Platform, platforms } from '../support/apps.js';

const promtool = spawnSync('promtool', ['--version']).status === 0;

@Controller()
class AppController {
  @Get('hello')
  hello() {
    return 'hello';
  }
}

@Injectable()
class Sales {
  constructor(@InjectMetric('sales_total') readonly total: Counter<string>) {}
}

const start = (platform: Platform, options: CacheObservabilityOptions, others: any[] = [], providers: any[] = []) =>
  boot(platform, {
    imports: [...others, CacheObservabilityModule.forRoot(options)],
    controllers: [AppController],
    providers,
  });

beforeAll(() => register.clear());
afterEach(async () => {
  await closeApps();
  register.clear();
});

describe.each(platforms)('the Prometheus endpoint on %s', (platform) => {
  it('the Prometheus endpoint exposes the cache and Node in the classic format', async () => {
    const { app, ask } = await start(platform, {});
    await app.get(ObservedCache).getOrSet('a:1', () => 1);
    const { text, headers } = await ask().get('/metrics').expect(200);
    expect(headers['content-type']).toMatch(/^text\/plain; ?version=0\.0\.4/);
    expect(text).toMatch(/^# TYPE cache_operations_total counter$/m);
    expect(text).toMatch(/^cache_operations_total\{operation="get",result="miss"\} 1$/m);
    expect(text).toMatch(/^nodejs_version_info\{/m);
  });

  it('the Prometheus endpoint answers in OpenMetrics on request, with metrics of Node and of the application', async () => {
    const counter = makeCounterProvider({ name: 'sales_total', help: 'sales' });
    const { app, ask } = await start(platform, {}, [], [counter, Sales]);
    app.get(Sales).total.inc(3);
    await app.get(ObservedCache).getOrSet('a:1', () => 1);
    const open = await ask()
      .get('/metrics')
      .set('Accept', 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5');
    expect(open.headers['content-type']).toMatch(/^application\/openmetrics-text; ?version=1\.0\.0/);
    const text = open.text ?? String(open.body);
    expect(text).toMatch(/^# TYPE cache_operations counter$/m);
    expect(text).toMatch(/^# TYPE sales counter\nsales_total 3$/m);
    expect(text).toMatch(/^nodejs_version_info\{/m);
    expect(text).not.toMatch(/\n\n/);
    expect(text.match(/# EOF/g)).toHaveLength(1);
    expect(text).toMatch(/# EOF\n$/);
    const classic = await ask().get('/metrics');
    expect(classic.headers['content-type']).toMatch(/^text\/plain/);
    expect(classic.text).toMatch(/^# TYPE sales_total counter\nsales_total 3$/m);
  });

  it('the Prometheus endpoint leaves Node out if defaultMetrics is false', async () => {
    const { ask } = await start(platform, { prometheus: { defaultMetrics: false } });
    expect((await ask().get('/metrics').expect(200)).text).not.toMatch(/^nodejs_/m);
  });

  it.each(['after', 'before'])(
    'the endpoint exposes Node once if the application collects metrics %s ours',
    async (when) => {
      if (when === 'before') collectDefaultMetrics();
      const { ask } = await start(platform, {});
      if (when === 'after') collectDefaultMetrics();
      for (const accept of ['text/plain', 'application/openmetrics-text']) {
        const response = await ask().get('/metrics').set('Accept', accept).expect(200);
        const text = response.text ?? String(response.body);
        expect(text.match(/^# TYPE nodejs_version_info /gm)).toHaveLength(1);
        expect(text.match(/^# TYPE process_cpu_user_seconds/gm)).toHaveLength(1);
      }
    },
  );

  it('the Prometheus endpoint exposes metrics that the application creates with @willsoto/nestjs-prometheus', async () => {
    const counter = makeCounterProvider({ name: 'sales_total', help: 'sales' });
    const { app, ask } = await start(platform, { prometheus: { defaultMetrics: false } }, [], [counter, Sales]);
    app.get(Sales).total.inc(3);
    expect((await ask().get('/metrics')).text).toMatch(/^sales_total 3$/m);
  });

  it('the Prometheus endpoint adds metrics.prefix before every name', async () => {
    const { ask } = await start(platform, { metrics: { prefix: 'shop_' }, prometheus: { defaultMetrics: false } });
    const { text } = await ask().get('/metrics');
    expect(text).toMatch(/^# TYPE shop_cache_operations_total counter$/m);
    expect(text).not.toMatch(/^# TYPE cache_/m);
  });

  it('the Prometheus endpoint leaves the path to a PrometheusModule of the application, which exposes the cache too', async () => {
    const module = PrometheusModule.register({ path: '/prom', defaultMetrics: { enabled: false } });
    const { app, ask } = await start(platform, { metrics: { prefix: 'shop_' } }, [module]);
    await app.get(ObservedCache).getOrSet('a:1', () => 1);
    await app.get(ObservedCache).getOrSet('a:1', () => 1);
    await ask().get('/metrics').expect(404);
    const { text } = await ask().get('/prom').expect(200);
    expect(text).toMatch(/^shop_cache_operations_total\{operation="get",result="hit"\} 1$/m);
    expect(text).toMatch(/^shop_cache_operation_duration_seconds_bucket\{.*le="\+Inf"\} \d+$/m);
    expect(text).toMatch(/^shop_cache_operation_duration_seconds_count\{.*operation="get".*\} 2$/m);
  });

  it('the Prometheus endpoint leaves its path to a PrometheusModule at the same path, registered before or after ours', async () => {
    const module = () => PrometheusModule.register({ defaultMetrics: { enabled: false } });
    const { ask } = await start(platform, {}, [module()]);
    expect((await ask().get('/metrics').expect(200)).text).toMatch(/^cache_operations_total/m);
    await closeApps();
    const after = await boot(platform, { imports: [CacheObservabilityModule.forRoot(), module()] });
    expect((await after.ask().get('/metrics').expect(200)).text.match(/^# TYPE cache_operations_total/gm)).toHaveLength(
      1,
    );
  });

  it('the exposition contains no cache metrics if prometheus is false', async () => {
    const module = PrometheusModule.register({ defaultMetrics: { enabled: false } });
    const { ask } = await start(platform, { prometheus: false }, [module]);
    expect((await ask().get('/metrics').expect(200)).text).not.toMatch(/cache_/);
  });

  it('the Prometheus endpoint adds up two applications that share one registry, and drops a closed one', async () => {
    const module = () => PrometheusModule.register({ defaultMetrics: { enabled: false } });
    const one = await start(platform, {}, [module()]);
    const two = await start(platform, {}, [module()]);
    await one.app.get(ObservedCache).get('a');
    await two.app.get(ObservedCache).get('a');
    const misses = async () =>
      (await two.ask().get('/metrics')).text.match(
        /^cache_operations_total\{operation="get",result="miss"\} (\d+)$/m,
      )?.[1];
    expect(await misses()).toBe('2');
    await one.close();
    expect(await misses()).toBe('1');
    await two.close();
    expect(register.getSingleMetric('cache_operations_total')).toBeUndefined();
  });

  it('the Prometheus endpoint separates two applications with separate registries in one process', async () => {
    const one = await start(platform, {});
    const two = await start(platform, {});
    await one.app.get(ObservedCache).get('a');
    expect((await two.ask().get('/metrics')).text).not.toMatch(/result="miss"\} 1$/m);
    expect((await one.ask().get('/metrics')).text).toMatch(/result="miss"\} 1$/m);
  });
});

it('counters and entries of cluster workers are added up, rates are averaged, states and sizes stay', async () => {
  const workers = [];
  for (const requests of [2, 4]) {
    const cache = createObservedCache({ layers: [memoryLayer()] });
    await cache.connect();
    for (let request = 0; request < requests; request++) await cache.getOrSet('user:1', () => 'x'.repeat(100));
    const registry = new Registry();
    registerFamilies(registry, cache.metrics);
    workers.push(await registry.getMetricsAsJSON());
    await cache.disconnect();
  }
  const text = await AggregatorRegistry.aggregate(workers as never).metrics();
  const alone = (await AggregatorRegistry.aggregate(workers.slice(0, 1) as never).metrics()).split('\n');
  const value = (series: string, lines = text.split('\n')): number =>
    Number(lines.find((line) => line.startsWith(series))?.split(' ')[1]);
  expect(value('cache_operations_total{operation="get",result="hit"}')).toBe(4);
  expect(value('cache_hit_rate{window="all"}')).toBeCloseTo((1 / 2 + 3 / 4) / 2);
  expect(value('cache_entries{layer="memory"}')).toBe(2);
  expect(value('cache_layer_circuit_state{layer="memory",state="closed"}')).toBe(1);
  // Both workers store values of one size.
  const size = 'cache_pattern_value_bytes{pattern="user:*"}';
  expect(value(size)).toBe(value(size, alone));
});

(promtool ? it : it.skip)('promtool has no findings in either exposition', async () => {
  const own = await start('express', {});
  await own.app.get(ObservedCache).getOrSet('a:1', () => 1);
  const shared = await start('express', { metrics: { prefix: 'shop_' } }, [
    PrometheusModule.register({ path: '/prom', defaultMetrics: { enabled: false } }),
  ]);
  await shared.app.get(ObservedCache).getOrSet('a:1', () => 1);
  // Leave out Node's own metrics by prom-client: promtool warns of their units.
  const ours = (text: string) =>
    `${text
      .split('\n')
      .filter((line) => /\b(shop_)?cache_/.test(line))
      .join('\n')}\n`;
  for (const input of [(await own.ask().get('/metrics')).text, (await shared.ask().get('/prom')).text]) {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: ours(input) });
    expect({ status, stdout: String(stdout), stderr: String(stderr) }).toEqual({ status: 0, stdout: '', stderr: '' });
  }
});
