import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import {
  type Alert,
  type AlertsOptions,
  CacheInsight,
  CacheObservabilityModule,
  memoryLayer,
  ObservedCache,
} from '../../lib/index.js';
import { CircuitState } from '../../lib/cache/base/observer.js';
import { alerts, ofCache } from '../../lib/monitoring/openapi-answers.js';
import { boot, closeApps, type Platform, platforms } from '../support/apps.js';
import { EventStream } from '../support/event-stream.js';
import { eventually } from '../support/redis.js';
import { ScriptedLayer } from '../support/scripted-layer.js';
import { beforeTimer } from '../support/before-timer.js';

afterEach(() => closeApps());

/** An application over a layer whose circuit the test opens and closes. */
const start = async (platform: Platform, alerts?: AlertsOptions) => {
  const remote = new ScriptedLayer('redis');
  const factory = remote.factory();
  let report: ((state: CircuitState) => void) | undefined;
  const layer = {
    ...factory,
    create: (context: Parameters<typeof factory.create>[0]) => {
      report = (state) => context.events.circuit(state);
      return factory.create(context);
    },
  };
  const { app, ask } = await boot(platform, {
    imports: [
      CacheObservabilityModule.forRoot({
        namespace: 'shop',
        serviceName: 'shop',
        layers: [memoryLayer(), layer],
        prometheus: { defaultMetrics: false },
        ...(alerts && { alerts }),
      }),
      CacheObservabilityModule.forFeature('sessions'),
    ],
  });
  return { app, ask, circuit: (state: CircuitState) => report!(state) };
};

describe.each(platforms)('GET /cache/alerts on %s', (platform) => {
  it('GET /cache/alerts lists the same open alerts as CacheInsight and Prometheus', async () => {
    const { app, ask, circuit } = await start(platform);
    expect((await ask().get('/cache/alerts').expect(200)).body).toEqual([]);
    circuit(CircuitState.open);
    const cache = app.get(ObservedCache);
    await eventually(() => cache.insight.alerts().length === 1, 'the alert');
    const { body, headers } = await ask().get('/cache/alerts').expect(200);
    expect(headers['cache-control']).toBe('no-store');
    expect(body).toEqual([
      {
        cache: 'default',
        id: expect.any(String),
        code: 'CIRCUIT_OPEN',
        severity: 'critical',
        subject: 'redis',
        message: expect.stringContaining("'redis' is open"),
        value: 'open',
        expected: 'closed',
        opened_at: expect.stringMatching(/^\d{4}-.*Z$/),
        closed_at: null,
      },
    ]);
    const ajv = new Ajv({ formats: { 'date-time': (text) => new Date(text).toISOString() === text } });
    expect(ajv.validate(ofCache(alerts), body)).toBe(true);
    expect((await ask().get('/cache/alerts?state=all')).body).toEqual(body);
    expect((await ask().get('/cache/alerts?state=all&cache=sessions')).body).toEqual([]);
    expect(app.get(CacheInsight).alerts()).toEqual(cache.insight.alerts());
    const { text } = await ask().get('/metrics').expect(200);
    expect(text).toContain('cache_alerts{code="CIRCUIT_OPEN",severity="critical"');
  });

  it('GET /cache/alerts refuses an unknown state and an unknown cache', async () => {
    const { ask } = await start(platform);
    expect((await ask().get('/cache/alerts?state=closed').expect(400)).body).toMatchObject({
      code: 'INVALID_PARAMETER',
      message: expect.stringContaining('state must be one of open, all'),
    });
    await ask().get('/cache/alerts?cache=unknown').expect(400);
  });

  it('the event stream sends an event when an alert opens', async () => {
    const { app, circuit } = await start(platform);
    await app.listen(0, '127.0.0.1');
    const stream = await EventStream.open(app);
    await eventually(() => stream.of('tick').length > 0, 'a tick');
    circuit(CircuitState.open);
    await eventually(() => stream.of('alert').length === 1, 'the event');
    expect(stream.of('alert')).toMatchObject([{ state: 'opened', alert: { code: 'CIRCUIT_OPEN', subject: 'redis' } }]);
    stream.close();
  });

  it('alerts notify a callback and a webhook, and the application closes while the receiver hangs', async () => {
    const bodies: string[] = [];
    const receiver = createServer((request) => request.on('data', (part) => bodies.push(String(part))));
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
    const alerts: Alert[] = [];
    const { app, circuit } = await start(platform, { onAlert: (alert) => alerts.push(alert), webhook: { url } });
    circuit(CircuitState.open);
    await eventually(() => bodies.length === 1, 'the request');
    expect(alerts.map(({ code }) => code)).toEqual(['CIRCUIT_OPEN']);
    expect(JSON.parse(bodies[0]!)).toMatchObject({
      state: 'opened',
      service: 'shop',
      alert: { code: 'CIRCUIT_OPEN', closed_at: null },
    });
    await beforeTimer(4_000, app.close());
    receiver.closeAllConnections();
    await new Promise((resolve) => receiver.close(resolve));
  });
});
