import { describe, expect, it } from '@jest/globals';
import { binomialEvidence, Cusum, normalEvidence } from '../../../../lib/insight/alerts/cusum.js';
import { Ewma } from '../../../../lib/insight/alerts/ewma.js';
import { SeriesWatch } from '../../../../lib/insight/alerts/series-watch.js';
import { minutesOf } from '../../../support/simulated-days.js';
import { HourProfile } from '../../../../lib/insight/alerts/hour-profile.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('the moving average', () => {
  const seen = (value: number) => ({ value, noise: 0.0009, minutes: 1, weight: 1 });
  const learned = () => {
    const ewma = new Ewma(-1);
    for (let minute = 0; minute < 200; minute++) ewma.observe(seen(minute % 2 === 0 ? 0.89 : 0.91));
    return ewma;
  };

  it('the moving average reports the third unusual value in a row, and no single one', () => {
    const ewma = learned();
    expect([0.5, 0.9, 0.5, 0.5, 0.5].map((value) => ewma.observe(seen(value)))).toEqual([
      false,
      false,
      false,
      false,
      true,
    ]);
  });

  it('the moving average reports nothing on the good side', () => {
    const ewma = learned();
    expect([1, 1, 1, 1].some((value) => ewma.observe(seen(value)))).toBe(false);
  });

  it('the moving average keeps its level while a value is unusual, and follows slow changes', () => {
    const ewma = learned();
    const { level } = ewma;
    ewma.observe(seen(0.2));
    expect(ewma.level).toBe(level);
    for (let minute = 0; minute < 300; minute++) ewma.observe(seen(0.9 - minute / 10_000));
    expect(ewma.level).toBeLessThan(0.885);
    expect(ewma.level).toBeGreaterThan(0.87);
  });

  it('the moving average weighs a distance less if the count is less certain', () => {
    const ewma = learned();
    expect(ewma.distance({ value: 0.8, noise: 0.01 })).toBeLessThan(ewma.distance({ value: 0.8, noise: 0.0001 }));
  });
});

describe('the cumulative sum', () => {
  const valuesUntil = (z: number, series = 1): number => {
    const cusum = new Cusum();
    for (let values = 1; values < 100; values++) if (cusum.add(normalEvidence(z), series)) return values;
    return Infinity;
  };

  it('the cumulative sum finds a change of two deviations after eight values, and of one after twenty-four', () => {
    expect([valuesUntil(2), valuesUntil(1), valuesUntil(0.5)]).toEqual([8, 24, Infinity]);
  });

  it('the cumulative sum needs more evidence if more series are watched', () => {
    expect(valuesUntil(2, 100)).toBeGreaterThan(valuesUntil(2));
  });

  it('the cumulative sum never reports a change after a single value', () => {
    const cusum = new Cusum();
    expect([100, 100, 100].map((evidence) => cusum.add(evidence))).toEqual([false, false, true]);
  });

  it('misses are evidence of a lower hit rate, and hits are evidence against it', () => {
    expect(binomialEvidence(10, 20, 0.9, 0.75)).toBeGreaterThan(0);
    expect(binomialEvidence(19, 20, 0.9, 0.75)).toBeLessThan(0);
  });
});

describe('the profile of the hours', () => {
  const start = Date.UTC(2026, 2, 2);
  const learn = (profile: HourProfile, days: number, valueOf: (at: number) => number, doubt = 0.01) => {
    for (let at = start; at < start + days * DAY; at += 5 * MINUTE) profile.learn(at, valueOf(at), 5, doubt);
  };
  const wave = (at: number) => Math.sin((2 * Math.PI * (at % DAY)) / DAY);

  it('the hour profile has every hour of the day on the second day, and none before', () => {
    const profile = new HourProfile();
    expect(profile.at(start)).toBeUndefined();
    learn(profile, 1.2, wave);
    for (let hour = 6; hour < 20; hour += 0.5) {
      expect(profile.at(start + DAY + hour * HOUR)).toBeCloseTo(wave(start + hour * HOUR), 1);
    }
  });

  it('the hour profile separates the days of the week after two weeks', () => {
    const weekend = (at: number) => ([0, 6].includes(new Date(at).getUTCDay()) ? 0 : 1);
    const profile = new HourProfile();
    learn(profile, 6, weekend);
    const [saturday, monday] = [start + 19.5 * DAY, start + 14.5 * DAY];
    expect(profile.knowsWeek(monday)).toBe(false);
    const known = new HourProfile();
    learn(known, 15, weekend);
    expect(known.knowsWeek(monday)).toBe(true);
    expect(known.at(saturday)).toBeCloseTo(0, 2);
    expect(known.at(monday)).toBeCloseTo(1, 2);
  });

  it('the hour profile is flat if the uncertainty of counting explains the differences of the hours', () => {
    const profile = new HourProfile();
    learn(profile, 2, wave, 100);
    expect(profile.at(start + 2 * DAY + 6 * HOUR)).toBeCloseTo(0, 1);
    const certain = new HourProfile();
    learn(certain, 2, wave);
    expect(certain.at(start + 2 * DAY + 6 * HOUR)).toBeGreaterThan(0.9);
  });
});

describe('the detectors of a series', () => {
  it('the detectors of a series neither judge nor learn while they are frozen', () => {
    const watch = new SeriesWatch();
    const [from, until] = [180, 240];
    let minute = 0;
    for (const each of minutesOf({ seed: 6, rate: 300, hitRate: 0.9, days: 0.2, change: { from, until, fall: 0.5 } })) {
      minute++;
      watch.observe(each, { frozen: minute > from && minute <= until, series: 1 });
      expect([...watch.alarms()]).toEqual([]);
    }
  });
});
