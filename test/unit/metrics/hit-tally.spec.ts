import { describe, expect, it } from '@jest/globals';
import { bucketOf } from '../../../lib/metrics/windows/buckets.js';
import { Histogram } from '../../../lib/metrics/windows/histogram.js';
import { HitTally, isKept } from '../../../lib/metrics/windows/hit-tally.js';

const figures = ({ count, zeroCount, sumMs, minMs, maxMs, counts, offset }: Histogram) => ({
  count,
  zeroCount,
  sumMs,
  minMs,
  maxMs,
  buckets: [...counts].flatMap((times, at) => (times > 0 ? [[offset + at, times]] : [])),
});

describe('hits in the tally', () => {
  it('hits in the tally reach their pattern as if recorded there at once, slow ones too', () => {
    const tally = new HitTally();
    const place = tally.place();
    tally.open(place, 10_000);
    const [taken, recorded] = [new Histogram(), new Histogram()];
    // The first hit has a time from a clock that moved backwards.
    for (const ms of [-2, 0, 0.000_1, 0.000_3, 0.000_3, 0.000_9, 0.002, 5]) {
      tally.count(place, 0);
      const bucket = bucketOf(ms);
      if (isKept(bucket)) tally.time(place, bucket, ms, 3);
      else taken.record(ms, 3);
      recorded.record(ms, 3);
    }
    expect(tally.take(place, taken)).toBe(8);
    const { sumMs, ...rest } = figures(taken);
    const { sumMs: expected, ...others } = figures(recorded);
    expect(rest).toEqual(others);
    expect(sumMs).toBeCloseTo(expected, 12);
  });

  it('hits in the tally are taken once, and belong to the open slot', () => {
    const tally = new HitTally();
    const place = tally.place();
    tally.open(place, 20_000);
    tally.count(place, 0);
    expect([tally.take(place, new Histogram()), tally.take(place, new Histogram())]).toEqual([1, 0]);
    expect([tally.count(place, 19_999), tally.count(place, 20_000)]).toEqual([true, false]);
    tally.empty(place);
    expect(tally.count(place, 0)).toBe(false);
  });

  it('hits in the tally are separate from those of other patterns, however many patterns exist', () => {
    const tally = new HitTally();
    const places = Array.from({ length: 100 }, () => tally.place());
    places.forEach((place, index) => {
      tally.open(place, 10_000);
      for (let turn = 0; turn <= index; turn++) tally.count(place, 0);
      tally.time(place, bucketOf(0.000_3), 0.000_3, 1);
    });
    const more = tally.place();
    expect(places.map((place) => tally.take(place, new Histogram()))).toEqual(places.map((_, index) => index + 1));
    expect(tally.take(more, new Histogram())).toBe(0);
  });
});
