import { afterEach, describe, expect, it } from '@jest/globals';
import { CACHE_MANAGER } from '@nestjs/cache-manager';
import { Inject, Injectable, Module } from '@nestjs/common';
import type { Cache } from 'cache-manager';
import {
  CacheError,
  CacheHealthIndicator,
  CacheMetrics,
  CacheObservabilityModule,
  type CacheObservabilityOptions,
  type CacheObservabilityOptionsFactory,
  CacheWarmer,
  memoryLayer,
  ObservedCache,
} from '../../lib/index.js';
import { boot, closeApps, platforms } from '../support/apps.js';

@Injectable()
class Settings implements CacheObservabilityOptionsFactory {
  readonly namespace: string = 'from-settings';

  createCacheObservabilityOptions(): CacheObservabilityOptions {
    return { layers: [memoryLayer({ name: this.namespace })] };
  }
}

@Module({ providers: [Settings], exports: [Settings] })
class SettingsModule {}

@Injectable()
class Feature {
  constructor(
    @Inject(ObservedCache) readonly cache: ObservedCache,
    @Inject(CACHE_MANAGER) readonly manager: Cache,
    @Inject(CacheMetrics) readonly metrics: CacheMetrics,
    @Inject(CacheWarmer) readonly warmer: CacheWarmer,
    @Inject(CacheHealthIndicator) readonly health: CacheHealthIndicator,
  ) {}
}

@Module({ providers: [Feature] })
class FeatureModule {}

afterEach(closeApps);

describe.each(platforms)('the module on %s', (platform) => {
  it('the module works without options: a cache in memory, metrics, routes, Prometheus', async () => {
    const { app, ask } = await boot(platform, { imports: [CacheObservabilityModule.forRoot(), FeatureModule] });
    const { cache } = app.get(Feature);
    await cache.getOrSet('product:1', () => 'one');
    await cache.getOrSet('product:1', () => 'two');
    expect(cache.layers).toEqual([expect.objectContaining({ name: 'memory' })]);
    const stats = await ask().get('/cache/stats').expect(200);
    expect(stats.body).toMatchObject({ total_requests: 2, cache_hits: 1, cache_misses: 1, hit_rate: 0.5 });
    const metrics = await ask().get('/metrics').expect(200);
    expect(metrics.text).toMatch(/^cache_operations_total\{operation="get",result="hit"\} 1$/m);
    expect(metrics.text).toMatch(/^process_cpu_user_seconds_total /m);
  });

  it('the module provides the same cache to every module of the application, as CACHE_MANAGER too', async () => {
    const { app } = await boot(platform, { imports: [CacheObservabilityModule.forRoot(), FeatureModule] });
    const feature = app.get(Feature);
    expect(feature.manager).toBe(feature.cache);
    expect(feature.metrics).toBe(feature.cache.metrics);
    expect(feature.warmer).toBeInstanceOf(CacheWarmer);
    expect(await feature.health.isHealthy('cache')).toMatchObject({ cache: { status: 'up' } });
  });

  it('the module takes options from a factory with dependencies', async () => {
    const { app } = await boot(platform, {
      imports: [
        CacheObservabilityModule.forRootAsync({
          imports: [SettingsModule],
          inject: [Settings],
          useFactory: async (settings: Settings) => ({
            layers: [memoryLayer({ name: `${settings.namespace}-factory` })],
          }),
        }),
      ],
    });
    expect(app.get(ObservedCache).layers[0]?.name).toBe('from-settings-factory');
  });

  it('the module takes options from a class that it instantiates', async () => {
    const { app } = await boot(platform, { imports: [CacheObservabilityModule.forRootAsync({ useClass: Settings })] });
    expect(app.get(ObservedCache).layers[0]?.name).toBe('from-settings');
  });

  it('the module takes options from an existing provider', async () => {
    const { app } = await boot(platform, {
      imports: [CacheObservabilityModule.forRootAsync({ imports: [SettingsModule], useExisting: Settings })],
    });
    expect(app.get(ObservedCache).layers[0]?.name).toBe('from-settings');
  });

  it('the module takes the options of routes from outside the factory', async () => {
    const { ask } = await boot(platform, {
      imports: [
        CacheObservabilityModule.forRootAsync({
          useFactory: () => ({}),
          monitoring: { path: 'ops/cache' },
          prometheus: { path: '/ops/metrics', defaultMetrics: false },
        }),
      ],
    });
    await ask().get('/ops/cache/health').expect(200);
    await ask().get('/ops/metrics').expect(200);
    await ask().get('/cache/health').expect(404);
    await ask().get('/metrics').expect(404);
  });

  it('the module has no routes if monitoring and prometheus are false', async () => {
    const { app, ask } = await boot(platform, {
      imports: [CacheObservabilityModule.forRoot({ monitoring: false, prometheus: false })],
    });
    expect(await app.get(ObservedCache).getOrSet('a', () => 1)).toBe(1);
    await ask().get('/cache/health').expect(404);
    await ask().get('/metrics').expect(404);
  });

  it('the module runs twice in one process, each application with its own cache, figures and routes', async () => {
    const one = await boot(platform, { imports: [CacheObservabilityModule.forRoot({ monitoring: { path: 'one' } })] });
    const two = await boot(platform, { imports: [CacheObservabilityModule.forRoot()] });
    await one.app.get(ObservedCache).set('a:1', 1);
    await one.app.get(ObservedCache).get('a:1');
    await two.app.get(ObservedCache).get('a:1');
    expect((await one.ask().get('/one/stats')).body).toMatchObject({ cache_hits: 1, cache_misses: 0 });
    expect((await two.ask().get('/cache/stats')).body).toMatchObject({ cache_hits: 0, cache_misses: 1 });
    await one.ask().get('/cache/stats').expect(404);
    const exposition = (await two.ask().get('/metrics')).text;
    expect(exposition).toMatch(/^cache_operations_total\{operation="get",result="miss"\} 1$/m);
    await one.close();
    await two.ask().get('/cache/stats').expect(200);
  });
});

describe('the module', () => {
  it('the module fails the boot with one error that lists every faulty option', async () => {
    const faulty = { ttl: 'soon', monitorin: false } as CacheObservabilityOptions;
    const start = boot('express', { imports: [CacheObservabilityModule.forRoot(faulty)] });
    await expect(start).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
      message: expect.stringMatching(/2 faults[^]*ttl: "soon"[^]*monitorin: is unknown; did you mean monitoring/),
    });
  });

  it('the module fails the boot with faulty options from a factory', async () => {
    const start = boot('express', {
      imports: [CacheObservabilityModule.forRootAsync({ useFactory: () => ({ monitoring: false }) })],
    });
    await expect(start).rejects.toBeInstanceOf(CacheError);
    await expect(start).rejects.toThrow('monitoring: belongs beside useFactory');
  });

  it.each([
    ['forRoot', 'options: must be an object, not null'],
    ['forRootAsync', 'give one of useFactory, useClass, useExisting, not none'],
  ] as const)('the module fails the boot with null in place of the options of %s', async (name, fault) => {
    const module = CacheObservabilityModule[name](null as never);
    await expect(boot('express', { imports: [module] })).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
      message: expect.stringContaining(fault),
    });
  });

  it('the module fails the boot without a source of options', async () => {
    const start = boot('express', { imports: [CacheObservabilityModule.forRootAsync({})] });
    await expect(start).rejects.toThrow('give one of useFactory, useClass, useExisting');
  });

  it('the module is visible only to modules that import it if isGlobal is false', async () => {
    const local = CacheObservabilityModule.forRoot({ isGlobal: false });
    await expect(boot('express', { imports: [local, FeatureModule] })).rejects.toThrow(/ObservedCache/);
  });

  it('the module counts nothing with metrics: false, and its routes still respond', async () => {
    const { app, ask } = await boot('express', { imports: [CacheObservabilityModule.forRoot({ metrics: false })] });
    await app.get(ObservedCache).getOrSet('a', () => 1);
    expect((await ask().get('/cache/stats').expect(200)).body).toMatchObject({ total_requests: 0, hit_rate: null });
    await ask().get('/metrics').expect(200);
  });
});
