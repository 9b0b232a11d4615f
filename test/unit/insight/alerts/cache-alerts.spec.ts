import { afterEach, describe, expect, it } from '@jest/globals';
import { HttpException } from '@nestjs/common';
import { createObservedCache, type ObservedCacheOptions } from '../../../../lib/wiring/create-observed-cache.js';
import { CircuitState } from '../../../../lib/cache/base/observer.js';
import { memoryLayer } from '../../../../lib/cache/layers/memory-layer.js';
import { prometheusText } from '../../../../lib/exporters/prometheus/text.js';
import type { Alert } from '../../../../lib/insight/alerts/alert.js';
import type { ObservedCache } from '../../../../lib/wiring/observed-cache.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { ScriptedLayer } from '../../../support/scripted-layer.js';

const MINUTE = 60_000;

describe('the alerts of a cache', () => {
  const open: ObservedCache[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((cache) => cache.close(0)));
  });

  const observed = (options: ObservedCacheOptions = {}) => {
    const clock = new ManualClock();
    const logged: string[] = [];
    const cache = createObservedCache({
      clock,
      namespace: 'shop',
      log: (_level, code, message) => logged.push(`${code} ${message}`),
      ...options,
    });
    open.push(cache);
    /** Minutes with sixty accesses each, of which a share hits. */
    const minutes = async (count: number, hitRate: number, { pattern = 'feed:*', loadMs = 20 } = {}) => {
      for (let minute = 0; minute < count; minute++) {
        for (let access = 0; access < 60; access++) {
          const result = (access * 7) % 60 < hitRate * 60 ? 'hit' : 'miss';
          cache.metrics.record({ operation: 'get', pattern, result, responseTimeMs: 1 });
          if (result === 'miss')
            cache.metrics.record({ operation: 'load', pattern, result: 'ok', responseTimeMs: loadMs });
        }
        await clock.advance(MINUTE);
      }
    };
    const codes = (state?: 'open' | 'all') => cache.insight.alerts({ ...(state && { state }) }).map(({ code }) => code);
    return { cache, clock, minutes, codes, logged };
  };

  it('a cache has no alerts while everything is as usual', async () => {
    const { minutes, codes } = observed();
    await minutes(120, 0.8);
    expect(codes('all')).toEqual([]);
  });

  it('an alert names a fall of the hit rate and the expected rate, is logged, and closes when the fall is over', async () => {
    const { cache, clock, minutes, codes, logged } = observed();
    await minutes(60, 0.9);
    await minutes(10, 0.6);
    const [alert] = cache.insight.alerts() as [Alert];
    expect(alert).toMatchObject({ code: 'HIT_RATE_DROP', severity: 'warning', subject: 'feed:*', closedAt: null });
    expect(alert.expected).toBeCloseTo(0.9, 1);
    expect(alert.value as number).toBeLessThan(0.75);
    expect(Object.isFrozen(alert)).toBe(true);
    await minutes(20, 0.9);
    expect(codes()).toEqual([]);
    expect(codes('all')).toEqual(['HIT_RATE_DROP']);
    expect(Date.parse(cache.insight.alerts({ state: 'all' })[0]!.closedAt!)).toBeLessThanOrEqual(clock.now());
    expect(logged.filter((line) => line.startsWith('ALERT_')).map((line) => line.split(/[ :]/)[0])).toEqual([
      'ALERT_OPENED',
      'ALERT_CLOSED',
    ]);
  });

  it.each([
    [404, [], 'rejected'],
    [500, ['ERRORS_RISE'], 'error'],
  ])('loads that throw HttpException %d open the alerts %j', async (status, alerts, result) => {
    const { cache, clock, codes } = observed({ ttl: '1h' });
    const minutes = async (count: number, failing: number) => {
      for (let minute = 0; minute < count; minute++) {
        for (let access = 0; access < 60; access++) await cache.getOrSet('feed:1', () => 1);
        for (let access = 0; access < failing; access++) {
          await cache
            .getOrSet(`feed:${access + 2}`, () => Promise.reject(new HttpException('', status)))
            .catch(() => 0);
        }
        await clock.advance(MINUTE);
      }
    };
    await minutes(30, 3);
    await minutes(15, 40);
    expect(codes('all').filter((code) => code === 'ERRORS_RISE')).toEqual(alerts);
    expect(prometheusText(cache.metrics)).toContain(`cache_operations_total{operation="load",result="${result}"} 690`);
    const { loadErrors, loadRejections, recalculations } = cache.metrics.getStats('all');
    expect(loadErrors + loadRejections).toBe(690);
    expect(recalculations).toBe(691);
    const [pattern] = cache.metrics.getAllPatternStats();
    expect(pattern!.notKept.error).toBe(status === 404 ? 0 : 690);
  });

  it('open alerts are warnings of getRealtime() and a metric by code and severity', async () => {
    const { cache, minutes } = observed();
    await minutes(60, 0.9);
    await minutes(10, 0.3);
    expect(cache.metrics.getRealtime().alerts.map(({ code }) => code)).toContain('HIT_RATE_DROP');
    const text = prometheusText(cache.metrics);
    expect(text).toContain('cache_alerts{code="HIT_RATE_DROP",severity="warning"} 1');
    expect(text).toContain('cache_alerts{code="CIRCUIT_OPEN",severity="critical"} 0');
  });

  it('a start with an empty cache opens at most one alert, which says that the cache is filling', async () => {
    const { cache, minutes } = observed();
    const text = () => cache.insight.alerts().map(({ code, message }) => `${code} ${message}`);
    for (let minute = 0; minute < 30; minute++) await minutes(1, Math.min(0.9, minute / 60));
    expect(text()).toHaveLength(1);
    expect(text()[0]).toMatch(/^LOW_HIT_RATE .*started \d+ minutes ago/);
  });

  it('a steady hit rate at the threshold of the health, or little traffic, opens no alert', async () => {
    const { cache, minutes, codes } = observed();
    await minutes(120, 0.48);
    expect(cache.metrics.getHealth().warnings.map(({ code }) => code)).toEqual(['LOW_HIT_RATE']);
    expect(codes('all')).toEqual([]);
    const few = observed();
    for (let minute = 0; minute < 300; minute++) {
      for (let access = 0; access < 5; access++) {
        const result = (minute * 5 + access) % 25 < 10 ? 'hit' : 'miss';
        few.cache.metrics.record({ operation: 'get', pattern: 'feed:*', result, responseTimeMs: 1 });
      }
      await few.clock.advance(MINUTE);
    }
    expect(few.cache.metrics.getHealth().warnings.map(({ code }) => code)).toEqual(['LOW_HIT_RATE']);
    expect(few.codes('all')).toEqual([]);
  });

  it('a deploy whose cache fills within ten minutes opens no alert', async () => {
    const { minutes, codes } = observed({ version: 'two' });
    for (let minute = 0; minute < 120; minute++) await minutes(1, Math.min(0.9, 0.1 + minute / 12));
    expect(codes('all')).toEqual([]);
  });

  it('an unreachable layer has one alert, from the moment its circuit opens until the hit rate has settled', async () => {
    const layer = new ScriptedLayer('redis');
    const { cache, clock, minutes, codes } = observed({ layers: [memoryLayer(), layer.factory()] });
    await minutes(60, 0.9);
    const status = layer.status();
    layer.status = () => ({ ...status, connected: false });
    for (let call = 0; call < 5; call++) await minutes(1, 0.1, { loadMs: 400 });
    expect(codes()).toEqual(['LAYER_DOWN']);
    layer.status = () => status;
    for (let minute = 0; minute < 60; minute++) await minutes(1, Math.min(0.9, 0.3 + minute / 15));
    await clock.advance(MINUTE);
    expect(codes('all')).toEqual(['LAYER_DOWN']);
    expect(codes()).toEqual([]);
    expect(cache.insight.alerts({ state: 'all' })).toMatchObject([{ severity: 'critical', subject: 'redis' }]);
  });

  it('an alert opens with a circuit at once, without waiting for the minute', async () => {
    const layer = new ScriptedLayer('redis');
    let report: ((state: CircuitState) => void) | undefined;
    const factory = layer.factory();
    const { clock, codes } = observed({
      layers: [
        memoryLayer(),
        {
          ...factory,
          create: (context) => {
            report = (state) => context.events.circuit(state);
            return factory.create(context);
          },
        },
      ],
    });
    report!(CircuitState.open);
    await clock.advance(0);
    expect(codes()).toEqual(['CIRCUIT_OPEN']);
  });

  it('onAlert is called when an alert opens and when it closes', async () => {
    const alerts: string[] = [];
    const { minutes } = observed({
      alerts: { onAlert: ({ code, closedAt }) => alerts.push(`${code} ${closedAt === null ? 'open' : 'over'}`) },
    });
    await minutes(60, 0.9);
    await minutes(10, 0.4);
    await minutes(20, 0.9);
    expect(alerts).toEqual(['HIT_RATE_DROP open', 'HIT_RATE_DROP over']);
  });

  it('listeners are notified of changed alerts until they stop', async () => {
    const { cache, minutes } = observed();
    const seen: string[] = [];
    const stop = cache.watchAlerts(({ state, alert }) => seen.push(`${state} ${alert.code}`));
    await minutes(60, 0.9);
    await minutes(10, 0.4);
    stop();
    await minutes(20, 0.9);
    expect(seen).toEqual(['opened HIT_RATE_DROP']);
  });

  it('alerts are off with alerts: false and with metrics: false, and leave no timer', async () => {
    for (const options of [{ alerts: false }, { metrics: false }] as const) {
      const { cache, clock, codes } = observed(options);
      expect([clock.pending, codes('all')]).toEqual([0, []]);
      expect(cache.watchAlerts(() => undefined)()).toBeUndefined();
    }
  });

  it('alerts leave no timer when the cache is closed', async () => {
    const { cache, clock } = observed();
    await clock.advance(5 * MINUTE);
    await cache.close(0);
    expect(clock.pending).toBe(0);
  });

  it('invalid options of alerts are refused, without secrets in the error', () => {
    const refused = (alerts: unknown) => {
      try {
        createObservedCache({ namespace: 'shop', alerts: alerts as never });
        return '';
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(refused({ onAlert: 1, minSeverity: 'high' })).toMatch(/alerts\.onAlert.*[\s\S]*alerts\.minSeverity/);
    expect(refused({ webook: {} })).toContain('did you mean webhook?');
    expect(refused({ webhook: {} })).toContain('alerts.webhook.url: is missing');
    const secret = refused({ webhook: { url: 'slack.test/secret-path', headers: { 'X Token': 'a\nsecret' } } });
    expect(secret).toContain('alerts.webhook.url: must be an address');
    expect(secret).toContain('"X Token" is not a header');
    expect(secret).not.toContain('secret');
  });
});
