import { describe, expect, it, jest } from '@jest/globals';
import { CircuitState } from '../../../lib/cache/base/observer.js';
import type { Layer } from '../../../lib/cache/layers/layer.js';
import { CacheHealthIndicator } from '../../../lib/health/cache-health.indicator.js';
import type { CacheMetrics } from '../../../lib/metrics/cache-metrics.js';
import type { HealthReport, HealthWarning } from '../../../lib/metrics/snapshot.js';

const layer = (name: string, connected: boolean, circuitState: number = CircuitState.closed, failure?: string) =>
  ({ name, status: () => ({ connected, circuitState, failure }) }) as unknown as Layer;

function indicator(given: {
  status?: HealthReport['status'];
  warnings?: HealthWarning[];
  layers?: Layer[];
  required?: string[];
  closed?: boolean;
}) {
  const report = {
    status: given.status ?? 'healthy',
    hitRate: 0.9,
    avgResponseTimeMs: 1,
    p95ResponseTimeMs: 2,
    totalRequests: 100,
    warnings: given.warnings ?? [],
  } as unknown as HealthReport;
  return new CacheHealthIndicator({ collectHealth: async () => report } as CacheMetrics, {
    layers: given.layers ?? [layer('memory', true)],
    required: new Set(given.required ?? []),
    addresses: new Map([['redis', 'redis://cache-1:6379']]),
    closed: () => given.closed ?? false,
  });
}
const warning = (code: HealthWarning['code']): HealthWarning => ({ code, message: code, value: 1, threshold: 1 });

describe('the health indicator', () => {
  it('the health indicator is up with the figures of a healthy cache', async () => {
    expect(await indicator({}).isHealthy('cache')).toEqual({
      cache: {
        status: 'up',
        health: 'healthy',
        hitRate: 0.9,
        avgResponseTimeMs: 1,
        p95ResponseTimeMs: 2,
        totalRequests: 100,
        layers: { memory: 'up' },
        warnings: [],
      },
    });
  });

  it('the health indicator reports under the given key', async () => {
    expect(Object.keys(await indicator({}).isHealthy('shop-cache'))).toEqual(['shop-cache']);
  });

  it('the health indicator is up with the warning of a slow 95th percentile', async () => {
    const answer = await indicator({ status: 'warning', warnings: [warning('HIGH_P95_RESPONSE_TIME')] }).isHealthy('c');
    expect(answer.c).toMatchObject({ status: 'up', warnings: [{ code: 'HIGH_P95_RESPONSE_TIME' }] });
  });

  it('the health indicator is degraded if the cache is degraded', async () => {
    const answer = await indicator({ status: 'degraded', warnings: [warning('LOW_HIT_RATE')] }).isHealthy('c');
    expect(answer.c).toMatchObject({ status: 'degraded', health: 'degraded' });
  });

  it('the health indicator is degraded if a circuit is open', async () => {
    const answer = await indicator({ status: 'warning', warnings: [warning('CIRCUIT_OPEN')] }).isHealthy('c');
    expect(answer.c).toMatchObject({ status: 'degraded' });
  });

  it('the health indicator is degraded if an optional layer is lost, even the only layer', async () => {
    const answer = await indicator({ layers: [layer('redis', false)] }).isHealthy('c');
    expect(answer.c).toMatchObject({ status: 'degraded', layers: { redis: 'down' } });
  });

  it.each([
    ['is open', CircuitState.open],
    ['has a probe under way', CircuitState.halfOpen],
  ])('the health indicator is degraded by a layer whose circuit %s, and shows it as down', async (_, state) => {
    const answer = await indicator({ layers: [layer('redis', true, state)] }).isHealthy('c');
    expect(answer.c).toMatchObject({ status: 'degraded', layers: { redis: 'down' } });
  });

  it('the health indicator is down if a required layer is lost, and names it', async () => {
    const layers = [layer('memory', true), layer('redis', false)];
    const answer = await indicator({ layers, required: ['redis'] }).isHealthy('c');
    expect(answer.c).toMatchObject({ status: 'down', message: 'required and out of reach: redis' });
  });

  it('the health indicator names the cause of a lost required layer without its address', async () => {
    const lost = layer('redis', false, CircuitState.closed, 'redis://cache-1:6379 refuses the password (WRONGPASS).');
    const answer = await indicator({ layers: [lost], required: ['redis'] }).isHealthy('c');
    expect(answer.c.message).toBe('required and out of reach: redis (its server refuses the password (WRONGPASS).)');
  });

  it('the health indicator is down if the cache is closed', async () => {
    expect((await indicator({ closed: true }).isHealthy('c')).c).toEqual({
      status: 'down',
      message: 'the cache is closed',
    });
  });
});

describe('the health indicator without Terminus', () => {
  it('the health indicator without Terminus names the package to install', async () => {
    jest.resetModules();
    jest.unstable_mockModule('@nestjs/terminus', () => {
      throw Object.assign(new Error("Cannot find package '@nestjs/terminus'"), { code: 'ERR_MODULE_NOT_FOUND' });
    });
    await expect(indicator({}).isHealthy('cache')).rejects.toMatchObject({
      code: 'MISSING_PACKAGE',
      message: 'CacheHealthIndicator needs the package @nestjs/terminus: npm install @nestjs/terminus@12',
    });
  });
});
