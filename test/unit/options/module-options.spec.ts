import { describe, expect, it } from '@jest/globals';
import type { CacheObservabilityOptions } from '../../../lib/options/cache-observability.options.js';
import { systemClock } from '../../../lib/cache/base/clock.js';
import { CacheError } from '../../../lib/cache/base/errors.js';
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
  it('options have no fault when they are empty', () => {
    expect(resolveOptions({})).toEqual({
      namespace: 'nestjs-cache-observability',
      monitoring: {
        path: 'cache',
        globalPrefix: true,
        dashboard: true,
        guards: [],
        writeGuards: [],
        origins: [],
        imports: [],
        decorators: [],
        allowUnguarded: false,
        swagger: false,
        maxEventClients: 200,
      },
      prometheus: { path: '/metrics', globalPrefix: true, guards: [], defaultMetrics: true },
      http: { headers: 'minimal', fastLane: false },
      isGlobal: true,
      clock: systemClock,
    });
  });

  it('options accept every option at once', () => {
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
          globalPrefix: false,
          guards: [class {}, { canActivate: () => true }],
          writeGuards: [class {}],
          origins: ['https://admin.shop.test', 'http://localhost:8080', 'null'],
          decorators: [() => undefined],
          allowUnguarded: true,
          swagger: true,
          maxEventClients: 10,
        },
        profiling: { every: 10, maxStacks: 100 },
        fleet: { every: '10s' },
        persistence: { layer: 'redis', name: 'web-1' },
        prometheus: { path: '/prometheus', globalPrefix: false, guards: [class {}], defaultMetrics: false },
        warming: {
          onStartup: true,
          blockReadiness: true,
          concurrency: 8,
          popularKeys: { limit: 10, every: '1m' },
          predictive: { maxLoads: 50 },
        },
        http: { headers: 'standard' },
        enabled: false,
        serviceName: 'shop',
        probe: 0.01,
        isGlobal: false,
      }),
    ).toEqual([]);
  });

  it('options are refused with one error that lists every fault', () => {
    expect(
      faultsOf({
        ttl: '5 minuts',
        metrics: { samplingRate: 2, maxPatterns: 0 },
        health: { window: '2m' },
        warming: { concurrency: 1.5 },
        http: { headers: 'all' },
      }),
    ).toEqual([
      `ttl: "5 minuts" is not a duration. Give milliseconds (30000) or a string such as '30s', '5m', '24h'`,
      'metrics.samplingRate: must be a number from 0 to 1, not 2',
      'metrics.maxPatterns: must be a whole number of 1 or more, not 0',
      'health.window: must be one of "1m", "5m", "1h", "24h", "all", not "2m"',
      'warming.concurrency: must be a whole number of 1 or more, not 1.5',
      'http.headers: must be one of "minimal", "standard", false, not "all"',
    ]);
  });

  it('options of shared layers and services are refused if they make no sense', () => {
    expect(faultsOf({ profiling: true, fleet: false, persistence: { path: '/tmp/metrics' } })).toEqual([]);
    expect(
      faultsOf({
        profiling: { every: 0 },
        fleet: { every: '10ms' },
        persistence: { path: '' },
        monitoring: { maxEventClients: 0, writeGuards: [true], origins: ['admin.shop.test', 'https://shop.test/'] },
        prometheus: { guards: {} },
      }),
    ).toEqual([
      'profiling.every: must be a whole number of 1 or more, not 0',
      'fleet.every: must be one second or more',
      'persistence.path: must be non-empty text, not ""',
      'monitoring.maxEventClients: must be a whole number of 1 or more, not 0',
      "monitoring.writeGuards[0]: must be a guard's class or an object with canActivate(), not true",
      `monitoring.origins[0]: must be an origin such as 'https://admin.shop.test', not "admin.shop.test"`,
      `monitoring.origins[1]: must be an origin such as 'https://admin.shop.test', not "https://shop.test/"`,
      'prometheus.guards: must be an array, not an object',
    ]);
  });

  it('options with an unknown name are refused with a similar name', () => {
    expect(faultsOf({ monitorin: false, policy: { staleWhileRevalidat: '1m' } })).toEqual([
      expect.stringMatching(/^monitorin: is unknown; did you mean monitoring\? Allowed: layers, cache, .*prometheus$/),
      expect.stringMatching(/^policy\.staleWhileRevalidat: is unknown; did you mean staleWhileRevalidate\? Allowed: /),
    ]);
  });

  it.each([
    [{ max: 100 }, 'max: is unknown; did you mean layers: [memoryLayer({ maxEntries })]?'],
    [{ stores: [] }, 'stores: is unknown; did you mean layers?'],
    [{ global: true }, 'global: is unknown; did you mean isGlobal?'],
    [{ prefix: 'shop' }, 'prefix: is unknown; did you mean namespace?'],
    [{ grace: '1h' }, 'grace: is unknown; did you mean policy: { staleIfError }?'],
    [{ staleWhileRevalidate: '1m' }, 'did you mean policy: { staleWhileRevalidate }?'],
    [{ policy: { ttl: '1m' } }, 'policy.ttl: is unknown; did you mean ttl, beside policy?'],
    [{ policy: { grace: '1m' } }, 'policy.grace: is unknown; did you mean staleIfError?'],
    [{ host: 'localhost' }, "did you mean redisLayer({ url: 'redis://user:password@host:port' })?"],
    [{ constructor: true }, 'constructor: is unknown. Allowed: '],
  ])('options of another library or in a wrong place are refused with our name: %j', (options, text) => {
    expect(faultsOf(options as never)).toEqual([expect.stringContaining(text)]);
  });

  it('several unknown options of one object are refused with one list of names', () => {
    const faults = faultsOf({ ttll: 5, maxx: 3, policy: { ttll: 5, jittr: 1, softTimout: 1 }, namespac: 'x' } as never);
    expect(faults.filter((text) => text.includes('Allowed:'))).toEqual([
      expect.stringMatching(/^policy\.softTimout: is unknown; did you mean softTimeout\? Allowed: /),
      expect.stringMatching(/^namespac: is unknown; did you mean namespace\? Allowed: layers, cache, /),
    ]);
    expect(faults.filter((text) => !text.includes('Allowed:'))).toEqual([
      'ttll: is unknown; did you mean ttl?',
      'maxx: is unknown',
      'policy.ttll: is unknown',
      'policy.jittr: is unknown; did you mean jitter?',
    ]);
  });

  it('options with an unknown name without a similar one are refused with the list of names', () => {
    expect(faultsOf({ http: { compression: true } })).toEqual([
      'http.compression: is unknown. Allowed: headers, fastLane',
    ]);
  });

  it.each([
    [
      { layers: [layer('a')], cache: 'app' },
      'layers and cache: give only one of them; an adopted cache has its own stores',
    ],
    [{ layers: [] }, 'layers: must not be empty; leave it out for one memoryLayer()'],
    [{ layers: [layer('a'), layer('a')] }, 'layers: two have the name "a". Give one of them another name'],
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
    [{ monitoring: true }, 'monitoring: must be false or an object, not true'],
    [{ fleet: 'yes' }, 'fleet: must be true, false or an object, not "yes"'],
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
    [{ namespace: 'a*' }, 'namespace: must be a text without spaces and without * ? [ ] \\, not "a*"'],
  ])('options refuse %j', (options, fault) => {
    expect(faultsOf(options)).toEqual([fault]);
  });

  it('options treat undefined as omitted', () => {
    expect(faultsOf({ ttl: undefined, layers: undefined, policy: { jitter: undefined } })).toEqual([]);
  });

  it('options are refused if they are not an object', () => {
    expect(faultsOf([])).toEqual(['options: must be an object, not an array']);
  });
});

describe('options of forRootAsync', () => {
  const useFactory = () => ({});

  it('forRootAsync takes the options of routes and tokens from outside the factory', () => {
    const resolved = resolveAsyncOptions(
      { useFactory, isGlobal: false, monitoring: false, prometheus: false, cache: 'app' } as never,
      { ttl: '1m' },
    );
    expect(resolved).toMatchObject({ isGlobal: false, monitoring: false, prometheus: false, cache: 'app', ttl: '1m' });
  });

  it.each([
    [{ useFactory }, { monitoring: false }, 'monitoring: belongs beside useFactory, because it decides'],
    [{ useFactory }, { cache: 'app' }, 'cache: belongs beside useFactory, because it decides'],
    [{ useFactory, ttl: '1m' }, {}, 'ttl: belongs in the result of useFactory, not beside it'],
    [{ useFactory, monitorin: false }, {}, 'monitorin: is unknown; did you mean monitoring?'],
    [
      { useFactory, useClass: class {} },
      {},
      'give one of useFactory, useClass, useExisting, not useFactory and useClass',
    ],
    [{}, {}, 'give one of useFactory, useClass, useExisting, not none'],
    [{ useFactory, cache: 'app' }, { layers: [layer('a')] }, 'layers and cache: give only one of them'],
    [{ useFactory }, null, 'options: must be an object, not null'],
  ])('forRootAsync refuses %j with a result of %j', (beside, result, fault) => {
    expect(() => resolveAsyncOptions(beside as never, result as never)).toThrow(fault);
  });
});
