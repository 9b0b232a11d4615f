import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { CacheTracer, SpanHandle } from '../../../lib/cache/base/tracer.js';
import {
  createObservedCache,
  type MetricsCollector,
  type MetricsExporter,
  NoopCollector,
  type ObservedCache,
} from '../../../lib/index.js';
import { NoopObserver } from '../../../lib/metrics/noop-observer.js';
import { ManualClock, settle } from '../../support/manual-clock.js';

type Options = NonNullable<Parameters<typeof createObservedCache>[0]>;

const ways = {
  throws: () => {
    throw new Error('secret');
  },
  rejects: () => Promise.reject(new Error('secret')),
} satisfies Record<string, () => unknown>;
type Fail = () => never;

/** An object whose methods all fail. */
function failing<T extends object>(target: T, fail: () => unknown): T {
  return new Proxy(target, {
    get: (object, name, receiver) =>
      typeof Reflect.get(object, name, receiver) === 'function' && name !== 'constructor'
        ? () => fail()
        : Reflect.get(object, name, receiver),
  });
}

class FailingExporter implements MetricsExporter {
  readonly name = 'failing';
  constructor(private readonly fail: Fail) {}
  start(): void {}
  export(): void {
    return this.fail();
  }
  stop(): void {}
}

const spanOf = (fail: Fail): SpanHandle => ({ link: undefined, linkTo: fail, outcome: fail, phase: fail });
const kinds: Record<
  string,
  (fail: Fail) => { options?: Options; code: string; kind: string; use?: (cache: ObservedCache) => unknown }
> = {
  'a collector': (fail) => ({
    options: { collectors: [failing<MetricsCollector>(new NoopCollector(), fail)] },
    kind: 'collector',
    code: 'OBSERVER_FAILED',
  }),
  'an observer': (fail) => ({
    options: { observers: [failing(new NoopObserver(), fail)] },
    kind: 'observer',
    code: 'OBSERVER_FAILED',
  }),
  'an exporter': (fail) => ({
    options: { exporters: [new FailingExporter(fail)] },
    kind: 'exporter',
    code: 'EXPORT_FAILED',
  }),
  'a listener of an event': (fail) => ({
    kind: 'listener',
    code: 'LISTENER_FAILED',
    use: (cache) => cache.on('set', fail),
  }),
  'a listener of invalidations': (fail) => ({
    kind: 'listener',
    code: 'LISTENER_FAILED',
    use: (cache) => cache.watchInvalidations(fail),
  }),
  'a subscriber of a diagnostics channel': (fail) => ({
    kind: 'subscriber',
    code: 'SUBSCRIBER_FAILED',
    use: () => listen('nestjs-cache-observability:access', fail),
  }),
  'a tracer before it runs the traced function': (fail) => ({
    options: { tracer: { span: () => fail() } },
    kind: 'tracer',
    code: 'TRACER_FAILED',
  }),
  'a tracer after it has run the traced function': (fail) => ({
    options: {
      tracer: {
        span: ((...[, , , run]: Parameters<CacheTracer['span']>) => {
          run({ link: undefined, linkTo() {}, outcome() {}, phase() {} });
          return fail();
        }) as CacheTracer['span'],
      },
    },
    kind: 'tracer',
    code: 'TRACER_FAILED',
  }),
  'a span': (fail) => ({
    options: { tracer: { span: (_operation, _series, _key, run) => run(spanOf(fail)) } },
    kind: 'tracer',
    code: 'TRACER_FAILED',
  }),
};

let stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops) stop();
  stops = [];
});
function listen(channel: string, listener: () => void): void {
  subscribe(channel, listener);
  stops.push(() => unsubscribe(channel, listener));
}

function counted(cache: ObservedCache, kind: string): number {
  const family = [...cache.metrics.families()].find(({ name }) => name === 'cache_callback_errors_total');
  return [...(family?.points() ?? [])].find(({ labels }) => labels[0] === kind)?.value ?? 0;
}

/** Uses every feature that calls one of the callbacks. */
async function use(cache: ObservedCache, clock: ManualClock): Promise<unknown[]> {
  const loaded = await cache.getOrSet('a', async () => 'loaded');
  const hit = await cache.getOrSet('a', () => 'never');
  await cache.set('b', 1);
  const read = await cache.get('b');
  const missing = await cache.get('c');
  const failed = await cache
    .getOrSet('d', () => Promise.reject(new Error('origin')))
    .catch((error: Error) => error.message);
  await cache.del('b');
  await clock.advance(20_000);
  await settle();
  return [loaded, hit, read, missing, failed];
}

describe.each(Object.entries(kinds))('%s', (_, make) => {
  it.each(Object.keys(ways) as (keyof typeof ways)[])(
    'an error that %s is counted and logged once, and fails nothing',
    async (way) => {
      const log = jest.fn();
      const clock = new ManualClock();
      const { options = {}, kind, code, use: prepare } = make(ways[way] as Fail);
      const cache = createObservedCache({ clock, log, ...options });
      await cache.connect();
      prepare?.(cache);
      expect(await use(cache, clock)).toEqual(['loaded', 'loaded', 1, undefined, 'origin']);
      expect(await use(cache, clock)).toEqual(['loaded', 'loaded', 1, undefined, 'origin']);
      expect(counted(cache, kind)).toBeGreaterThan(1);
      const logged = log.mock.calls.filter(([, logCode]) => logCode === code);
      const names = new Set(logged.map(([, , message]) => message));
      expect(logged.length).toBeGreaterThan(0);
      expect(names.size).toBe(logged.length);
      expect(JSON.stringify(log.mock.calls)).not.toContain('secret');
      await cache.disconnect();
    },
  );
});

describe('an error in the log callback', () => {
  it.each(Object.keys(ways) as (keyof typeof ways)[])(
    'a log callback that %s is counted, and fails nothing',
    async (way) => {
      const clock = new ManualClock();
      const cache = createObservedCache({ clock, log: ways[way] as Fail });
      cache.on('set', ways.throws as Fail);
      expect(await use(cache, clock)).toEqual(['loaded', 'loaded', 1, undefined, 'origin']);
      expect(counted(cache, 'log')).toBe(1);
      expect(counted(cache, 'listener')).toBeGreaterThan(0);
      await cache.disconnect();
    },
  );
});

describe('a faulty tracer', () => {
  it.each([
    ['returns nothing', () => undefined],
    ['runs the function later', (run: () => unknown) => new Promise((resolve) => setImmediate(() => resolve(run())))],
    ['runs the function twice', (run: () => unknown) => [run(), run()][0]],
  ])('a tracer that %s: the function runs once, and the caller has its value', async (_, behave) => {
    const clock = new ManualClock();
    const span = ((...[, , , run]: Parameters<CacheTracer['span']>) =>
      behave(() => run({ link: undefined, linkTo() {}, outcome() {}, phase() {} }))) as CacheTracer['span'];
    const cache = createObservedCache({ clock, tracer: { span } });
    const load = jest.fn(() => 'loaded');
    expect(await cache.getOrSet('a', load)).toBe('loaded');
    await settle();
    expect(load).toHaveBeenCalledTimes(1);
  });
});

describe('a policy function that returns a promise', () => {
  it.each([
    ['cacheIf', { cacheIf: () => Promise.reject(new Error('secret')) as never }],
    ['ttl', { ttl: () => Promise.reject(new Error('secret')) as never }],
    ['tags', { tags: () => Promise.reject(new Error('secret')) as never }],
  ])('%s that returns a promise: the value is not stored, and a warning is logged', async (_, policy) => {
    const log = jest.fn();
    const cache = createObservedCache({ clock: new ManualClock(), log });
    expect(await cache.getOrSet('a', () => 'loaded', policy)).toBe('loaded');
    await settle();
    expect(cache.peek('a')).toBeUndefined();
    expect(log.mock.calls.map(([, code]) => code)).toEqual(['INVALID_OPTIONS']);
    await cache.disconnect();
  });
});
