import { beforeEach, describe, expect, it } from '@jest/globals';
import { type CacheObserver, MissReason, Operation, Outcome, Result } from '../../../lib/cache/base/observer.js';
import { createCacheMetrics } from '../../../lib/insight/create-cache-metrics.js';
import type { CacheMetrics } from '../../../lib/metrics/cache-metrics.js';
import type { History, HistoryPoint } from '../../../lib/metrics/snapshot.js';
import { HISTORY_WINDOWS } from '../../../lib/metrics/windows/history.js';
import { ManualClock } from '../../support/manual-clock.js';

const START = Date.UTC(2026, 0, 5, 12, 0, 0);

class Process {
  readonly observer: CacheObserver;
  readonly metrics: CacheMetrics;

  constructor(clock: ManualClock) {
    ({ observer: this.observer, metrics: this.metrics } = createCacheMetrics({ clock }));
  }

  miss(pattern: string, loadMs: number): void {
    const series = this.observer.series(pattern);
    this.observer.access(series, Outcome.miss, -1, 1, loadMs, MissReason.cold);
    this.observer.load(series, Operation.load, Result.ok, loadMs);
  }

  hit(pattern: string, at: number): void {
    this.observer.hit(this.observer.series(pattern), 0.1, at);
  }
}

const requests = (points: readonly HistoryPoint[]) => points.reduce((all, each) => all + each.totalRequests, 0);

describe('the history of a window', () => {
  let clock: ManualClock;
  let one: Process;

  beforeEach(() => {
    clock = new ManualClock(START);
    one = new Process(clock);
  });

  const minutes = async (count: number, each: (minute: number) => void = () => one.hit('feed:*', clock.now())) => {
    for (let minute = 0; minute < count; minute++) {
      each(minute);
      await clock.advance(60_000);
    }
  };

  it('the history has one point per minute for the last hour, empty minutes included', async () => {
    await minutes(90, (minute) => {
      if (minute % 2 === 0) one.miss('feed:*', 10);
      else if (minute % 3 === 0) for (let n = 0; n < minute; n++) one.hit('feed:*', clock.now());
    });
    const { points } = one.metrics.getHistory('1h');
    expect(points.length).toBeGreaterThanOrEqual(56);
    expect(points.length).toBeLessThanOrEqual(61);
    points.forEach((point, at) => {
      const start = Date.parse(point.start);
      expect(start).toBe(Date.parse(points[0]!.start) + at * 60_000);
      const minute = (start - START) / 60_000;
      if (minute >= 90) return expect(point).toMatchObject({ totalRequests: 0, seconds: 0 });
      const hits = minute % 2 === 0 || minute % 3 !== 0 ? 0 : minute;
      const total = minute % 2 === 0 ? 1 : hits;
      expect(point).toMatchObject({ totalRequests: total, cacheHits: hits, seconds: 60 });
      expect(point.hitRate).toBe(total === 0 ? null : hits / total);
    });
  });

  it.each(HISTORY_WINDOWS)('the history adds up to the statistics of %s, in total and by pattern', async (window) => {
    await minutes(26 * 60, (minute) => {
      one.hit(`p${minute % 7}:*`, clock.now());
      if (minute % 11 === 0) one.miss('rare:*', 25);
    });
    await clock.advance(17_000);
    one.miss('late:*', 5);
    const stats = one.metrics.getStats(window);
    const history = one.metrics.getHistory(window);
    expect(requests(history.points)).toBe(stats.totalRequests);
    expect(history.points.reduce((all, { timeSavedMs }) => all + timeSavedMs, 0)).toBeCloseTo(stats.timeSavedMs, 3);
    for (const pattern of ['p0:*', 'rare:*', 'late:*']) {
      const own = one.metrics.getHistory(window, pattern);
      expect(own).toMatchObject({ pattern, window });
      expect(requests(own.points)).toBe(one.metrics.getPatternStats(pattern, window).totalRequests);
    }
  });

  it('the history counts a slot that its pattern closes late at the time of the slot', async () => {
    one.hit('rare:*', clock.now());
    await clock.advance(600_000);
    await minutes(3);
    one.hit('rare:*', clock.now());
    const { points } = one.metrics.getHistory('1h');
    expect(points[0]).toMatchObject({ start: new Date(START).toISOString(), totalRequests: 1 });
    expect(requests(points)).toBe(5);
  });

  it('the history is the same when read in slices, and while patterns close their slots', async () => {
    await minutes(30, (minute) => one.hit(`p${minute % 9}:*`, clock.now()));
    const atOnce = one.metrics.getHistory('1h', undefined, 5);
    expect(await one.metrics.collectHistory('1h', undefined, 5)).toEqual(atOnce);
  });

  it('the history lists the patterns that lost most time to misses, most first, up to the requested number', () => {
    for (let n = 0; n < 4; n++) one.miss('often:*', 10);
    one.miss('slow:*', 500);
    one.miss('quick:*', 1);
    const { patterns } = one.metrics.getHistory('5m', undefined, 2);
    expect(patterns.map(({ pattern }) => pattern)).toEqual(['slow:*', 'often:*']);
    expect(patterns.map(({ points }) => requests(points))).toEqual([1, 4]);
  });

  it('the history contains restored figures, in the slots of the dump', async () => {
    await minutes(120);
    const dump = one.metrics.dump();
    const later = new Process(clock);
    later.metrics.restore(dump);
    later.hit('feed:*', clock.now());
    await clock.advance(20_000);
    for (const window of HISTORY_WINDOWS) {
      const { points } = later.metrics.getHistory(window);
      expect(requests(points)).toBe(later.metrics.getStats(window).totalRequests);
      const ends = points.map(({ start }) => Date.parse(start));
      expect(ends).toEqual(ends.toSorted((a, b) => a - b));
    }
  });

  it('the history adds the slots of several processes', async () => {
    const other = new Process(clock);
    await minutes(30, () => {
      one.hit('feed:*', clock.now());
      other.miss('feed:*', 3);
      other.miss('own:*', 3);
    });
    const fleet = one.metrics.together([one.metrics.other(other.metrics.dump())]);
    const sums = (history: History) => requests(history.points);
    expect(sums(fleet.getHistory('1h'))).toBe(90);
    expect(sums(fleet.getHistory('1h', 'feed:*'))).toBe(60);
    expect(fleet.getHistory('1h', undefined, 9).patterns.map(({ pattern }) => pattern)).toEqual(['feed:*', 'own:*']);
  });

  it('the history is bounded: a busy day keeps a point for ten minutes', async () => {
    await minutes(26 * 60);
    const { points } = one.metrics.getHistory('24h', undefined, 100);
    expect(points.length).toBeLessThanOrEqual(145);
    expect(points.length).toBeGreaterThanOrEqual(137);
  });

  it('the history begins anew with a reset', async () => {
    await minutes(30);
    one.metrics.reset();
    expect(requests(one.metrics.getHistory('1h').points)).toBe(0);
    one.hit('feed:*', clock.now());
    expect(one.metrics.getHistory('1h').since).toBe(new Date(clock.now()).toISOString());
    expect(requests(one.metrics.getHistory('1h').points)).toBe(1);
  });
});
