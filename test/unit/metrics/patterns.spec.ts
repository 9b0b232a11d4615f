import { describe, expect, it } from '@jest/globals';
import { MissReason, Operation, Outcome, Result } from '../../../lib/cache/base/observer.js';
import { createCacheMetrics } from '../../../lib/insight/create-cache-metrics.js';
import { prometheusText } from '../../../lib/exporters/prometheus/text.js';
import { patternOfTemplate } from '../../../lib/metrics/patterns/declared-patterns.js';
import type { RecorderOptions } from '../../../lib/metrics/recorder.js';
import type { Window } from '../../../lib/metrics/snapshot.js';
import { WINDOWS } from '../../../lib/metrics/snapshot.js';
import { ManualClock } from '../../support/manual-clock.js';

function counting(options: Partial<RecorderOptions> = {}) {
  const clock = new ManualClock();
  const { metrics, observer } = createCacheMetrics({ clock, metrics: options });
  observer.attach([{ name: 'memory', shared: false }]);
  return {
    clock,
    metrics,
    observer,
    miss: (key: string) => observer.access(observer.seriesOf(key), Outcome.miss, -1, 2, 8, MissReason.cold),
    hit: (key: string) => observer.hit(observer.seriesOf(key), 0, clock.now()),
    totals: (window?: Window) =>
      Object.fromEntries(
        metrics.getAllPatternStats(window).map(({ pattern, totalRequests }) => [pattern, totalRequests]),
      ),
    /** The pattern of the last of these keys, after all of them were read. */
    patternAfter: (...keys: string[]) => keys.map((key) => observer.seriesOf(key)).at(-1)!.pattern,
  };
}

describe('the pattern of an undeclared key', () => {
  it.each([
    ['user:42', 'user:*'],
    ['user:42:cart', 'user:*:*'],
    ['user:0b7e6f6a-58f3-4c47-a9f3-3c5f6f2b6c11', 'user:*'],
    ['session:9f86d081884c7d659a2feaa0c55ad015', 'session:*'],
    ['/feeds/42?page=2', '/feeds/*?*=*'],
    ['user:jane@example.com', 'user:*'],
    ['user:hunter-secret', 'user:*'],
    ['user:annabel', 'user:*'],
    ['user:annabel:cart', 'user:*:*'],
    ['product:~42', 'product:*'],
    ["product:'red'", 'product:*'],
    ['api:v1:feeds', 'api:*:*'],
    ['v1:feeds', 'v1:*'],
    ['user:', 'user:'],
    ['größe:42', 'größe:*'],
    ['42:cart', '*:*'],
    ['jane@example.com:cart', '*:*'],
    ['user42:cart', '*:*'],
    ['QwErTyUiOpAsDf:cart', '*:*'],
    [`${'long'.repeat(9)}:cart`, '*:*'],
    ['recommendations', '*'],
    ['hunter-secret', '*'],
    ['42', '*'],
    ['a:1:2:3:4:5:6:7:8:9', 'a:*:*:*:*:*:*:**'],
    [':::::a', ':::*'],
  ])('the pattern of the first key %s is %s', (key, pattern) => {
    expect(counting().patternAfter(key)).toBe(pattern);
  });

  it('a word that follows different identifiers is shown', () => {
    expect(counting().patternAfter('user:1:cart', 'user:1:cart', 'user:2:cart')).toBe('user:*:cart');
    expect(counting().patternAfter('user:1:cart', 'user:2:orders')).toBe('user:*:*');
    expect(counting().patternAfter('user:1:cart:7', 'user:1:cart:8')).toBe('user:*:*:*');
    expect(counting().patternAfter('user:1:cart', 'user/2/cart')).toBe('user/*/*');
    expect(counting().patternAfter('/feeds/1?page=2', '/feeds/7?page=2')).toBe('/feeds/*?page=*');
  });

  it('a word that 20 distinct keys have in common is shown', () => {
    const keys = Array.from({ length: 19 }, (_, at) => `shop:product:${at}`);
    const { patternAfter } = counting();
    expect(patternAfter(...keys, ...keys)).toBe('shop:*:*');
    expect(patternAfter('shop:product:19')).toBe('shop:product:*');
    expect(patternAfter('shop:product:annabel')).toBe('shop:product:*');
    expect(patternAfter('shop:annabel:1')).toBe('shop:*:*');
  });

  it('a hidden word is followed by the same words as identifiers', () => {
    const { patternAfter } = counting();
    patternAfter('user:1:cart', 'user:2:cart');
    expect(patternAfter('user:annabel:cart')).toBe('user:*:cart');
    expect(patternAfter('user:annabel:letter')).toBe('user:*:*');
  });

  it('patternOf decides the pattern unless it returns none or throws, which is logged once', () => {
    const logged: unknown[] = [];
    const { patternAfter } = counting({
      patternOf: (key) => {
        if (key === 'c:1') throw new Error('hunter2');
        return key === 'a' ? 'A' : key === 'b' ? '' : undefined;
      },
      log: (...line) => logged.push(line),
    });
    expect(['a', 'b', 'c:1', 'c:1', 'd:1'].map((key) => patternAfter(key))).toEqual(['A', '*', 'c:*', 'c:*', 'd:*']);
    expect(logged).toEqual([['warn', 'PATTERN_OF_FAILED', expect.not.stringContaining('hunter2')]]);
  });

  it('the pattern of a matching handler is taken, the most specific first', () => {
    const { metrics, patternAfter } = counting();
    for (const pattern of ['feed:*', 'feed:home:*', '*:exact', '*']) metrics.declare(pattern, { ttlMs: null });
    expect(['feed:x:1', 'feed:home:1', 'a:exact', 'a:1'].map((key) => patternAfter(key))).toEqual([
      'feed:*',
      'feed:home:*',
      '*:exact',
      'a:*',
    ]);
  });
});

describe('figures counted before a word is shown', () => {
  it('figures of a hidden word move to the refined pattern, and none stay with the coarser one', () => {
    const { miss, hit, totals, metrics } = counting();
    miss('user:1:cart');
    hit('user:1:cart');
    expect(totals()).toEqual({ 'user:*:*': 2 });
    miss('user:2:cart');
    expect(totals()).toEqual({ 'user:*:cart': 3 });
    expect(metrics.getPatternStats('user:*:cart')).toMatchObject({
      cacheHits: 1,
      cacheMisses: 2,
      missReasons: { cold: 2 },
      p50ResponseTimeMs: expect.any(Number),
    });
  });

  it('figures of a hidden word stay with the coarser pattern if they belong to it, in every window', async () => {
    const { clock, miss, hit, totals } = counting();
    const expected: Record<Window, number> = { '1m': 0, '5m': 0, '1h': 0, '24h': 0, all: 0 };
    for (const [pauseMs, counted] of [
      [0, ['24h', 'all']],
      [3_600_000, ['1h', '24h', 'all']],
      [3_000_000, ['5m', '1h', '24h', 'all']],
      [200_000, WINDOWS],
    ] as const) {
      await clock.advance(pauseMs);
      for (const act of [miss, hit, hit]) act('user:1:cart');
      for (const act of [miss, hit]) act('user:1:wishes');
      for (const window of counted) expected[window] += 1;
    }
    miss('user:2:cart');
    for (const window of WINDOWS) {
      const times = expected[window];
      expect([window, totals(window)]).toEqual([window, { 'user:*:*': 2 * times, 'user:*:cart': 3 * times + 1 }]);
    }
  });

  it('figures of a hidden word move with their loads, sizes and response times', () => {
    const { observer, metrics, clock } = counting();
    const load = (key: string, ms: number, bytes: number) => {
      const series = observer.seriesOf(key);
      observer.load(series, Operation.load, Result.ok, ms);
      observer.operation(series, Operation.set, Result.ok, 1, bytes);
      observer.access(series, Outcome.miss, -1, 4, ms, MissReason.cold);
      observer.hit(series, 0, clock.now());
    };
    load('user:1:cart', 100, 10);
    load('user:1:wishes', 10, 1_000);
    load('user:2:cart', 300, 30);
    const cart = metrics.getPatternStats('user:*:cart');
    expect(cart).toMatchObject({ recalculations: 2, sets: 2, avgLoadTimeMs: 200, avgValueBytes: 20 });
    expect(metrics.getPatternStats('user:*:*')).toMatchObject({ recalculations: 1, avgLoadTimeMs: 10 });
    expect(metrics.getStats()).toMatchObject({ recalculations: 3, totalRequests: 6, cacheHits: 3 });
  });

  it('figures of a hidden word move twice if two words are shown one after the other', () => {
    const { miss, totals } = counting();
    for (let id = 0; id < 19; id++) miss(`shop:product:${id}:reviews`);
    // The second identifier shows the leaf, the twentieth key the word before the identifiers.
    expect(totals()).toEqual({ 'shop:*:*:reviews': 19 });
    miss('shop:product:19:reviews');
    expect(totals()).toEqual({ 'shop:product:*:reviews': 20 });
  });

  it('figures of a hidden word are exported under both names if the coarser name was exported before, which never decreases', () => {
    const { miss, metrics } = counting();
    const exported = (pattern: string) =>
      /get",result="miss"\} (\d+)/.exec(
        prometheusText(metrics)
          .split('\n')
          .find((line) => line.includes(`pattern="${pattern}"`) && line.includes('result="miss"')) ?? '',
      )?.[1];
    miss('user:1:cart');
    miss('user:1:wishes');
    expect(exported('user:*:*')).toBe('2');
    miss('user:2:cart');
    expect([exported('user:*:*'), exported('user:*:cart')]).toEqual(['2', '2']);
    expect(metrics.getPatternStats('user:*:*').totalRequests).toBe(1);
  });

  it('figures of a hidden word are absent after a reset', () => {
    const { miss, totals, metrics } = counting();
    miss('user:1:cart');
    metrics.reset();
    miss('user:2:cart');
    expect(totals()).toMatchObject({ 'user:*:cart': 1 });
    expect(metrics.getStats().totalRequests).toBe(1);
  });

  it('figures of a hidden word stay with their pattern after a restore', () => {
    const before = counting();
    before.miss('user:1:cart');
    const { miss, totals, metrics } = counting();
    miss('user:1:cart');
    metrics.restore(before.metrics.dump());
    miss('user:2:cart');
    expect(totals()).toEqual({ 'user:*:*': 1, 'user:*:cart': 1 });
  });

  it('figures of a hidden word stay with the coarser pattern if the limit of patterns is reached', () => {
    const { miss, totals } = counting({ maxPatterns: 2 });
    for (const key of ['user:1:cart', 'feed:1', 'user:2:cart']) miss(key);
    expect(totals()).toEqual({ 'user:*:*': 2, 'feed:*': 1 });
  });
});

describe('patterns of an endless stream of keys', () => {
  it('patterns of an endless stream of keys stay within their limit, and contain no rare word', () => {
    const { miss, totals, metrics } = counting({ maxPatterns: 50 });
    const letters = (at: number) =>
      Array.from({ length: 6 }, (_, place) => String.fromCharCode(97 + ((at * 7919 + place * 31) % 26))).join('');
    for (let at = 0; at < 20_000; at++) {
      miss(
        `product:${at}:${letters(at)}${letters(at + 1)}${String.fromCharCode(97 + (at % 26))}${at % 2 ? 'x' : 'y'}q`,
      );
      miss(`user:${letters(at)}:cart`);
      if (at % 10 === 0) miss(`order:${at}:lines`);
    }
    const all = totals();
    expect(Object.values(all).reduce((sum, count) => sum + count, 0)).toBe(42_000);
    expect(metrics.getStats().totalRequests).toBe(42_000);
    expect(all).toMatchObject({ 'order:*:lines': 2_000 });
    expect(Object.keys(all).length).toBeLessThanOrEqual(51);
  });
});

it('a declared pattern stays unchanged, and every input of a template becomes *', () => {
  expect(patternOfTemplate('feed:*')).toBe('feed:*');
  expect(patternOfTemplate('a:{params.id}:{query.page}')).toBe('a:*:*');
});
