import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as api from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { AlwaysOffSampler, BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import { Counter, Gauge, Histogram, Registry, Summary } from 'prom-client';
import { LoadExemplars } from '../../../lib/exporters/prometheus/exemplars.js';
import { registryOpenMetrics } from '../../../lib/exporters/prometheus/registry-text.js';
import { serveMetrics } from '../../../lib/exporters/prometheus/serve.js';
import { formatFor, prometheusText } from '../../../lib/exporters/prometheus/text.js';
import { createObservedCache } from '../../../lib/index.js';
import { composeTracers } from '../../../lib/tracing/compose-tracers.js';
import { OpenTelemetryTracer } from '../../../lib/tracing/opentelemetry-tracer.js';
import { ManualClock } from '../../support/manual-clock.js';
import { PrometheusServer } from '../../support/prometheus.js';
import { eventually } from '../../support/redis.js';

describe('the format of the exposition', () => {
  it.each([
    [undefined, 'prometheus'],
    ['', 'prometheus'],
    ['*/*', 'prometheus'],
    ['application/json', 'prometheus'],
    ['text/plain;version=0.0.4', 'prometheus'],
    ['application/openmetrics-text', 'openmetrics'],
    ['application/openmetrics-text; version=1.0.0; charset=utf-8', 'openmetrics'],
    ['application/openmetrics-text;q=0.2,text/plain;q=0.9', 'prometheus'],
    ['application/openmetrics-text;version="1.0.0",text/plain;q=0.5', 'openmetrics'],
    ['application/openmetrics-text;version=9.0.0,text/plain;version=0.0.4;q=0.5', 'prometheus'],
    ['application/openmetrics-text;q=0', 'prometheus'],
    [
      'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
      'openmetrics',
    ],
    [
      'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.2',
      'openmetrics',
    ],
  ])('the exposition for Accept: %s is %s', (accept, format) => {
    expect(formatFor(accept)).toBe(format);
  });
});

describe('prom-client’s registry as OpenMetrics', () => {
  it('OpenMetrics text of prom-client keeps the names of every series and does not change the registry', async () => {
    const registry = new Registry();
    const registers = [registry];
    new Counter({ name: 'sales_total', help: 'a "sale"\nhere', labelNames: ['kind'], registers }).inc(
      { kind: 'a"b\\c' },
      3,
    );
    new Counter({ name: 'visits', help: 'visits', registers }).inc();
    new Gauge({ name: 'open_handles_total', help: 'handles', registers }).set(-Infinity);
    new Histogram({ name: 'wait_seconds', help: 'wait', buckets: [0.1, 1], registers }).observe(0.5);
    new Summary({ name: 'size', help: 'size', percentiles: [0.5], registers }).observe(2);
    const classic = await registry.metrics();
    const text = await registryOpenMetrics(registry);
    expect(text).toBe(
      [
        '# HELP sales a \\"sale\\"\\nhere',
        '# TYPE sales counter',
        'sales_total{kind="a\\"b\\\\c"} 3',
        '# HELP visits visits',
        '# TYPE visits unknown',
        'visits 1',
        '# HELP open_handles_total handles',
        '# TYPE open_handles_total gauge',
        'open_handles_total -Inf',
        '# HELP wait_seconds wait',
        '# TYPE wait_seconds histogram',
        'wait_seconds_bucket{le="0.1"} 0',
        'wait_seconds_bucket{le="1"} 1',
        'wait_seconds_bucket{le="+Inf"} 1',
        'wait_seconds_sum 0.5',
        'wait_seconds_count 1',
        '# HELP size size',
        '# TYPE size summary',
        'size{quantile="0.5"} 2',
        'size_sum 2',
        'size_count 1',
        '',
      ].join('\n'),
    );
    expect(await registry.metrics()).toBe(classic);
  });
});

describe('exemplars', () => {
  // Prometheus takes no exemplar that is older than its series.
  const clock = new ManualClock(Date.now());
  const provider = new BasicTracerProvider();
  const tracer = provider.getTracer('test');
  beforeAll(() => void api.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
  afterAll(() => api.context.disable());

  function traced() {
    const exemplars = new LoadExemplars(api, clock);
    const cache = createObservedCache({
      clock,
      tracer: composeTracers([new OpenTelemetryTracer({ tracer, api }), exemplars])!,
    });
    const text = () => prometheusText(cache.metrics, { format: 'openmetrics', exemplars });
    return { cache, exemplars, text };
  }
  const slowLoad = (ms: number) => async () => {
    await clock.advance(ms);
    return 'value';
  };

  it('exemplars point from the bucket of a load to the trace in which it ran', async () => {
    const { cache, text } = traced();
    const traceId = await tracer.startActiveSpan('request', async (span) => {
      await cache.getOrSet('feed:1', slowLoad(70));
      span.end();
      return span.spanContext().traceId;
    });
    const line = text()
      .split('\n')
      .find((each) => each.startsWith('cache_operation_duration_seconds_bucket{operation="load",le="0.1"}'));
    expect(line).toMatch(
      new RegExp(
        `^cache_operation_duration_seconds_bucket\\{operation="load",le="0\\.1"\\} 1 # \\{trace_id="${traceId}",span_id="[0-9a-f]{16}"\\} 0\\.07\\d* \\d+\\.\\d{3}$`,
      ),
    );
    expect(text().match(/trace_id/g)).toHaveLength(1);
  });

  it('exemplars are absent in the classic format, without a span, and without a sampled span', async () => {
    const { cache, exemplars, text } = traced();
    await cache.getOrSet('feed:1', slowLoad(70));
    const unsampled = new BasicTracerProvider({ sampler: new AlwaysOffSampler() }).getTracer('off');
    await unsampled.startActiveSpan('request', () => cache.getOrSet('feed:2', slowLoad(70)));
    expect(text()).not.toContain('trace_id');
    await tracer.startActiveSpan('request', () => cache.getOrSet('feed:3', slowLoad(70)));
    expect(text()).toContain('trace_id');
    expect(prometheusText(cache.metrics, { exemplars })).not.toContain('trace_id');
  });

  it('exemplars include failed loads', async () => {
    const { cache, text } = traced();
    await tracer.startActiveSpan('request', () =>
      cache
        .getOrSet('feed:1', async () => {
          await clock.advance(3);
          throw new Error('down');
        })
        .catch(() => undefined),
    );
    expect(text()).toMatch(/operation="load",le="0\.005"\} 1 # \{trace_id=/);
  });

  it('exemplars are read by a real Prometheus', async () => {
    const { cache, exemplars } = traced();
    const served = await serveMetrics(cache.metrics, { port: 0, exemplars });
    const prometheus = await PrometheusServer.start({ shop: new URL(served.url).host });
    try {
      const traceId = await tracer.startActiveSpan('request', async (span) => {
        await cache.getOrSet('feed:1', slowLoad(70));
        return span.spanContext().traceId;
      });
      let found = await prometheus.exemplars('cache_operation_duration_seconds_bucket{operation="load"}');
      await eventually(async () => {
        found = await prometheus.exemplars('cache_operation_duration_seconds_bucket{operation="load"}');
        return found.length > 0;
      }, 'an exemplar');
      expect(await prometheus.targets()).toEqual({ shop: 'up' });
      expect(found[0]?.labels['trace_id']).toBe(traceId);
      expect(found[0]?.value).toBeCloseTo(0.07);
    } finally {
      await prometheus.stop();
      await served.close();
    }
  });
});
