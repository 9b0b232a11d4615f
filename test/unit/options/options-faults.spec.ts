import { describe, expect, it } from '@jest/globals';
import type { CacheObservabilityOptions } from '../../../lib/cache-observability.options.js';
import { CacheError } from '../../../lib/cache/errors.js';
import type { LayerFactory } from '../../../lib/cache/layers/layer.js';
import { resolveAsyncOptions, resolveOptions } from '../../../lib/options/resolved-options.js';

const layer = (name: string): LayerFactory => ({ name, required: false, create: () => ({}) as never });

function faultsOf(options: unknown): string[] {
  try {
    resolveOptions(options as CacheObservabilityOptions);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(CacheError);
    expect((error as CacheError).code).toBe('INVALID_OPTIONS');
    return (error as CacheError).message
      .split('\n')
      .slice(1)
      .map((line) => line.replace('  - ', ''));
  }
}

describe('options', () => {
  it('are all right when there are none', () => {
    expect(resolveOptions({})).toEqual({
      monitoring: {
        path: 'cache',
        guards: [],
        imports: [],
        decorators: [],
        allowUnguarded: false,
        swagger: false,
        maxEventClients: 50,
      },
      prometheus: { path: '/metrics', defaultMetrics: true },
      http: { headers: 'minimal', fastLane: false },
      isGlobal: true,
    });
  });

  it('take every option at once', () => {
    expect(
      faultsOf({
        layers: [layer('memory'), layer('redis')],
        namespace: 'shop',
        version: 'v42',
        ttl: '5m',
        policy: {
          staleWhileRevalidate: '1m',
          staleIfError: 60_000,
          softTimeout: '1s',
          hardTimeout: '10s',
          refreshAhead: { fraction: 0.8, xfetch: true, beta: 1 },
          jitter: 0.1,
          negativeTtl: false,
          cacheIf: () => true,
          lock: true,
          waitTimeout: '2s',
          tags: ['a'],
          maxEntrySize: 1_000_000,
          clone: false,
        },
        metrics: { samplingRate: 0.5, maxPatterns: 10, maxEndpoints: 10, prefix: 'shop_', patternOf: () => undefined },
        health: { minHitRate: 0.7, window: '1h', minimumRequests: 0, patterns: { 'feed:*': { hitRate: 0.8 } } },
        monitoring: {
          path: 'ops/cache',
          guards: [class {}, { canActivate: () => true }],
          decorators: [() => undefined],
          allowUnguarded: true,
          swagger: true,
          maxEventClients: 10,
        },
        profiling: { every: 10, maxStacks: 100 },
        fleet: { every: '10s' },
        persistence: { layer: 'redis', name: 'web-1' },
        prometheus: { path: '/prometheus', defaultMetrics: false },
        warming: { onStartup: true, blockReadiness: true, concurrency: 8, popularKeys: { limit: 10, every: '1m' } },
        http: { headers: 'standard' },
        enabled: false,
        serviceName: 'shop',
        probe: 0.01,
        isGlobal: false,
      }),
    ).toEqual([]);
  });

  it('are refused with one error that lists every fault', () => {
    expect(
      faultsOf({
        ttl: '5 minuts',
        metrics: { samplingRate: 2, maxPatterns: 0 },
        health: { window: '2m' },
        warming: { concurrency: 1.5 },
        http: { headers: 'all' },
      }),
    ).toEqual([
      `ttl: "5 minuts" is no duration; give milliseconds (30000) or a string such as '30s', '5m', '24h'`,
      'metrics.samplingRate: must be a number from 0 to 1, not 2',
      'metrics.maxPatterns: must be a whole number of 1 or more, not 0',
      'health.window: must be one of "1m", "5m", "1h", "24h", "all", not "2m"',
      'warming.concurrency: must be a whole number of 1 or more, not 1.5',
      'http.headers: must be one of "minimal", "standard", false, not "all"',
    ]);
  });

  it('of what is seen beyond the process are refused where they make no sense', () => {
    expect(faultsOf({ profiling: true, fleet: false, persistence: { path: '/tmp/metrics' } })).toEqual([]);
    expect(
      faultsOf({
        profiling: { every: 0 },
        fleet: { every: '10ms' },
        persistence: { path: '' },
        monitoring: { maxEventClients: 0 },
      }),
    ).toEqual([
      'profiling.every: must be a whole number of 1 or more, not 0',
      'fleet.every: must be one second or more',
      'persistence.path: must be a text that is not empty, not ""',
      'monitoring.maxEventClients: must be a whole number of 1 or more, not 0',
    ]);
  });

  it('of an unknown name are refused with the name that was probably meant', () => {
    expect(faultsOf({ monitorin: false, policy: { staleWhileRevalidat: '1m' } })).toEqual([
      'monitorin: is unknown; did you mean monitoring?',
      'policy.staleWhileRevalidat: is unknown; did you mean staleWhileRevalidate?',
    ]);
  });

  it('of an unknown name that resembles none are refused with the names there are', () => {
    expect(faultsOf({ http: { compression: true } })).toEqual([
      'http.compression: is unknown; there are headers, fastLane',
    ]);
  });

  it.each([
    [{ layers: [layer('a')], cache: 'app' }, 'layers and cache: give one of them; an adopted cache has its own stores'],
    [{ layers: [] }, 'layers: must not be empty; leave it out for one memoryLayer()'],
    [{ layers: [layer('a'), layer('a')] }, 'layers: two are named "a"; give one of them another name'],
    [
      { policy: { softTimeout: '40s' } },
      'policy.softTimeout: must be shorter than policy.hardTimeout (30s unless set)',
    ],
    [
      { layers: ['redis://localhost'] },
      'layers[0]: must be made by memoryLayer(), redisLayer(), keyvLayer() or legacyStoreLayer(), not "redis://localhost"',
    ],
    [{ cache: {} }, "cache: must be 'app' or a cache made by cache-manager's createCache(), not an object"],
    [{ monitoring: { path: '' } }, `monitoring.path: must be a path such as 'cache', not ""`],
    [{ monitoring: true }, 'monitoring: must be an object, not true'],
    [
      { monitoring: { guards: ['admin'] } },
      `monitoring.guards[0]: must be a guard's class or an object with canActivate(), not "admin"`,
    ],
    [{ metrics: { prefix: 'a-b' } }, 'metrics.prefix: must be letters, digits and _ as in a metric name, not "a-b"'],
    [{ health: { patterns: { 'feed:*': {} } } }, 'health.patterns["feed:*"].hitRate: is missing'],
    [
      { exporters: [{ start: () => undefined }] },
      'exporters[0]: must be a metrics exporter with export, stop, not an object',
    ],
    [{ namespace: 'a*' }, 'namespace: must be a text without blanks and without * ? [ ] \\, not "a*"'],
  ])('refuse %j', (options, fault) => {
    expect(faultsOf(options)).toEqual([fault]);
  });

  it('treat undefined as left out', () => {
    expect(faultsOf({ ttl: undefined, layers: undefined, policy: { jitter: undefined } })).toEqual([]);
  });

  it('that are no object are refused', () => {
    expect(faultsOf([])).toEqual(['options: must be an object, not an array']);
  });
});

describe('options of forRootAsync', () => {
  const useFactory = () => ({});

  it('take what decides routes and tokens from beside the factory', () => {
    const resolved = resolveAsyncOptions(
      { useFactory, isGlobal: false, monitoring: false, prometheus: false, cache: 'app' } as never,
      { ttl: '1m' },
    );
    expect(resolved).toMatchObject({ isGlobal: false, monitoring: false, prometheus: false, cache: 'app', ttl: '1m' });
  });

  it.each([
    [{ useFactory }, { monitoring: false }, 'monitoring: belongs beside useFactory, because it decides'],
    [{ useFactory }, { cache: 'app' }, 'cache: belongs beside useFactory, because it decides'],
    [{ useFactory, ttl: '1m' }, {}, 'ttl: belongs into what useFactory returns, not beside it'],
    [{ useFactory, monitorin: false }, {}, 'monitorin: is unknown; did you mean monitoring?'],
    [
      { useFactory, useClass: class {} },
      {},
      'give one of useFactory, useClass, useExisting, not useFactory and useClass',
    ],
    [{}, {}, 'give one of useFactory, useClass, useExisting, not none'],
    [{ useFactory, cache: 'app' }, { layers: [layer('a')] }, 'layers and cache: give one of them'],
    [{ useFactory }, null, 'options: must be an object, not null'],
  ])('refuse %j with a result of %j', (beside, result, fault) => {
    expect(() => resolveAsyncOptions(beside as never, result as never)).toThrow(fault);
  });
});
