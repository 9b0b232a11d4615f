import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import * as api from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { LayeredCache } from '../../../lib/cache/layered-cache.js';
import { memoryLayer } from '../../../lib/cache/layers/memory-layer.js';
import type { CacheTracer } from '../../../lib/cache/base/tracer.js';
import { MetricsRecorder } from '../../../lib/metrics/recorder.js';
import { composeTracers } from '../../../lib/tracing/compose-tracers.js';
import { OpenTelemetryTracer, type OpenTelemetryTracerOptions } from '../../../lib/tracing/opentelemetry-tracer.js';
import { ManualClock, settle } from '../../support/manual-clock.js';

const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const tracer = provider.getTracer('test');
const series = { pattern: 'user:*', endpoint: undefined };

beforeAll(() => {
  api.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});
afterAll(() => api.context.disable());
beforeEach(() => exporter.reset());

const make = (options: OpenTelemetryTracerOptions = {}): OpenTelemetryTracer =>
  new OpenTelemetryTracer({ tracer, api, ...options });
const spans = (name: string): ReadableSpan[] => exporter.getFinishedSpans().filter((span) => span.name === name);
/** Runs `work` inside a span, as an instrumented server does with a request. */
const request = <T>(name: string, work: () => T): T =>
  tracer.startActiveSpan(name, (span) => {
    const result = work();
    if (result instanceof Promise)
      void result.then(
        () => span.end(),
        () => span.end(),
      );
    else span.end();
    return result;
  });
const idOf = (name: string): string => spans(name)[0]!.spanContext().spanId;
const linksOf = (span: ReadableSpan): string[] => span.links.map(({ context }) => context.spanId);

describe('spans of the cache', () => {
  const clock = new ManualClock();
  const cacheWith = (cacheTracer: CacheTracer): LayeredCache =>
    new LayeredCache({
      layers: [memoryLayer()],
      namespace: 'test',
      ttl: '1m',
      observer: new MetricsRecorder({ clock }),
      clock,
      tracer: cacheTracer,
    });

  it('spans of the cache are children of the request: the access, and under it the load', async () => {
    const cache = cacheWith(make());
    const plan = cache.plan('user:*');
    await request('GET /users', () => cache.through('user:42', () => 'Ann', plan as never));
    const [get, load] = [spans('cache.get')[0]!, spans('cache.load')[0]!];
    expect(get.parentSpanContext?.spanId).toBe(idOf('GET /users'));
    expect(load.parentSpanContext?.spanId).toBe(get.spanContext().spanId);
    expect(get.attributes).toMatchObject({
      'cache.operation': 'get',
      'cache.key.pattern': 'user:*',
      'cache.hit': false,
    });
    expect(load.attributes).toMatchObject({ 'cache.operation': 'load', 'cache.result': 'ok' });
    expect(get.kind).toBe(api.SpanKind.INTERNAL);
  });

  it('spans of two requests for one key keep their parents; the waiting span links to the loading span', async () => {
    const cache = cacheWith(make());
    const plan = cache.plan('user:*') as never;
    let loaded = (_value: string): void => undefined;
    const value = new Promise<string>((resolve) => (loaded = resolve));
    const first = request('first', () => cache.through('user:42', () => value, plan));
    const second = request('second', () => cache.through('user:42', () => value, plan));
    await settle();
    loaded('Ann');
    await Promise.all([first, second]);
    await settle();
    const of = (name: string): ReadableSpan =>
      spans('cache.get').find((span) => span.parentSpanContext?.spanId === idOf(name))!;
    expect(spans('cache.load')).toHaveLength(1);
    const [load] = spans('cache.load') as [ReadableSpan];
    expect(load.parentSpanContext?.spanId).toBe(of('first').spanContext().spanId);
    expect(of('second').spanContext().traceId).not.toBe(load.spanContext().traceId);
    expect(linksOf(of('second'))).toEqual([load.spanContext().spanId]);
    expect(of('second').attributes['cache.result']).toBe('coalesced');
  });

  it('spans of a refresh are roots that link to the access that triggered it', async () => {
    const cache = cacheWith(make());
    const plan = cache.plan('user:*', { ttl: '1m', staleWhileRevalidate: '5m' }) as never;
    await request('warm', () => cache.through('user:42', () => 'Ann', plan));
    await clock.advance(90_000);
    exporter.reset();
    await request('late', () => cache.through('user:42', () => 'Bob', plan));
    await settle();
    const [refresh] = spans('cache.refresh') as [ReadableSpan];
    const [get] = spans('cache.get') as [ReadableSpan];
    expect(get.attributes).toMatchObject({ 'cache.result': 'stale', 'cache.hit': true, 'cache.stale': true });
    expect(refresh.parentSpanContext).toBeUndefined();
    expect(linksOf(refresh)).toEqual([get.spanContext().spanId]);
  });

  it('spans are not created without a parent, or under an unsampled parent, unless configured', async () => {
    const cache = cacheWith(make());
    const plan = cache.plan('user:*') as never;
    await cache.through('a', () => 1, plan);
    const unsampled = api.trace.wrapSpanContext({ traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 0 });
    await api.context.with(api.trace.setSpan(api.context.active(), unsampled), () => cache.through('b', () => 1, plan));
    expect(exporter.getFinishedSpans()).toEqual([]);
    const asked = cacheWith(make({ withoutParent: true }));
    await asked.through('a', () => 1, plan);
    expect(
      exporter
        .getFinishedSpans()
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['cache.get', 'cache.load']);
  });
});

describe('attributes of a span', () => {
  it('attributes of a span contain no key unless a sanitiser returns it, and a sanitiser that throws breaks nothing', () => {
    const key = 'user:hunter2';
    request('r', () => make().span('get', series, key, () => 1));
    request('r', () => make({ sanitizeKey: (_key, pattern) => `${pattern}#1` }).span('set', series, key, () => 1));
    const broken = make({
      sanitizeKey: () => {
        throw new Error('broken');
      },
    });
    expect(request('r', () => broken.span('delete', series, key, () => 'done'))).toBe('done');
    expect(spans('cache.get')[0]!.attributes).not.toHaveProperty('cache.key');
    expect(spans('cache.set')[0]!.attributes['cache.key']).toBe('user:*#1');
    expect(
      JSON.stringify(exporter.getFinishedSpans().map(({ attributes, events }) => [attributes, events])),
    ).not.toContain('hunter2');
  });

  it('attributes of a span contain the kind of an error, never its message', async () => {
    const error = Object.assign(new Error('duplicate key (email)=(hunter2)'), { code: '23505' });
    await expect(request('r', () => make().span('load', series, 'k', () => Promise.reject(error)))).rejects.toBe(error);
    expect(() =>
      request('r', () =>
        make().span('set', series, 'k', () => {
          throw new TypeError('hunter2');
        }),
      ),
    ).toThrow('hunter2');
    await settle();
    const [load, set] = [spans('cache.load')[0]!, spans('cache.set')[0]!];
    expect(load).toMatchObject({ status: { code: api.SpanStatusCode.ERROR }, attributes: { 'error.type': '23505' } });
    expect(set.attributes['error.type']).toBe('TypeError');
    const shown = exporter.getFinishedSpans().map(({ attributes, events, status }) => [attributes, events, status]);
    expect(JSON.stringify(shown)).not.toContain('hunter2');
  });

  it('attributes of a span contain its phases, with the layer', () => {
    request('r', () => make().span('get', series, 'k', (span) => span.phase('remote', 12, 'redis')));
    expect(spans('cache.get')[0]!.events).toEqual([
      expect.objectContaining({
        name: 'cache.remote',
        attributes: { 'cache.phase.duration_ms': 12, 'cache.layer': 'redis' },
      }),
    ]);
  });
});

describe('several tracers', () => {
  it('several tracers act as one, each with its own links', () => {
    expect(composeTracers([undefined])).toBeUndefined();
    const alone = make();
    expect(composeTracers([undefined, alone])).toBe(alone);
    const calls: unknown[] = [];
    const other: CacheTracer = {
      span: (operation, _series, _key, run) =>
        run({
          link: 'mine',
          linkTo: (link) => calls.push(link),
          outcome: (result) => calls.push(operation, result),
          phase: (name) => calls.push(name),
        }),
    };
    const both = composeTracers([alone, other])!;
    request('r', () => {
      const link = both.span('load', series, 'k', (span) => span.link);
      both.span('get', series, 'k', (span) => {
        span.linkTo(link);
        span.phase('local', 1);
        span.outcome('coalesced');
      });
    });
    expect(linksOf(spans('cache.get')[0]!)).toEqual([idOf('cache.load')]);
    expect(calls).toEqual(['mine', 'local', 'get', 'coalesced']);
  });
});
