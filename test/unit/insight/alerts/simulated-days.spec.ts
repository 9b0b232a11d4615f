import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { SimulatedAlarm } from '../../../support/process/simulated-days.js';
import type { Change, Days } from '../../../support/simulated-days.js';

const HOUR = 60;
const DAY = 24 * HOUR;

const script = (name: string) => fileURLToPath(new URL(`../../../support/process/${name}`, import.meta.url));

/** The alarms of each list of days, from a separate process. */
async function simulated(all: readonly Days[]): Promise<SimulatedAlarm[][]> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--import', script('typescript.mjs'), script('simulated-days.ts')],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  child.stdin.end(JSON.stringify(all));
  let output = '';
  for await (const part of child.stdout.setEncoding('utf8')) output += String(part);
  return JSON.parse(output) as SimulatedAlarm[][];
}

const steady: Readonly<Record<string, Omit<Days, 'seed' | 'days'>>> = {
  'a daily wave of traffic': { rate: 1_000, trafficWave: 0.8, hitRate: 0.9 },
  'daily waves of traffic and hit rate': { rate: 1_000, trafficWave: 0.8, hitRate: 0.9, hitRateWave: 0.05 },
  'a wave that ends in a silent night': { rate: 60, trafficWave: 1, hitRate: 0.9, hitRateWave: 0.04 },
  'a hit rate with slow ups and downs': { rate: 3_000, trafficWave: 0.5, hitRate: 0.85, unrest: 0.008 },
  'twenty accesses a minute': { rate: 20, trafficWave: 0.8, hitRate: 0.85, hitRateWave: 0.03 },
  'two accesses a minute': { rate: 2, trafficWave: 0.5, hitRate: 0.7 },
  'an access every three minutes': { rate: 0.3, trafficWave: 0.5, hitRate: 0.5 },
};
const SEEDS = [1, 2];
const weekends = { rate: 500, trafficWave: 0.6, hitRate: 0.85, weekend: 0.4, days: 30 };

const moments: Readonly<Record<string, number>> = {
  'two hours after the start': 2 * HOUR,
  'on the fourth day': 3 * DAY + 7 * HOUR,
  'in the third week': 16 * DAY + 5 * HOUR,
};
const changing = (seed: number, rate: number, change: Change, hours = 4): Days => ({
  seed,
  rate,
  change,
  trafficWave: 0.3,
  hitRate: 0.85,
  days: (change.from + hours * HOUR) / DAY,
});
const falls = (from: number): Days[] =>
  [60, 200, 5_000].map((rate, at) => changing(11 + at, rate, { from, fall: 0.15 }));
const drifts = (from: number): Days[] =>
  [60, 1_000].map((rate, at) => changing(21 + at, rate, { from, fallAnHour: 0.01 }, 12));
const others: Readonly<Record<string, readonly [signal: string, change: Omit<Change, 'from'>]>> = {
  'loads take three times as long': ['loadTime', { loadMs: 120 }],
  'half of the loads fail': ['errors', { failures: 0.5 }],
  'invalidations are a hundred times as frequent': ['invalidations', { invalidations: 200 }],
  'there is no traffic any more': ['traffic', { traffic: 0 }],
};
const yesterday = 26 * HOUR;
const passing = changing(5, 300, { from: 3 * HOUR, until: 4 * HOUR, fall: 0.3 });
const lasting = changing(6, 300, { from: 3 * HOUR, fall: 0.3 }, 40);

describe('simulated days', () => {
  const alarms = new Map<Days, SimulatedAlarm[]>();
  const days = {
    steady: Object.fromEntries(
      Object.entries(steady).map(([name, each]) => [name, SEEDS.map((seed) => ({ ...each, seed, days: 30 }))]),
    ),
    weekends: SEEDS.map((seed) => ({ ...weekends, seed })),
    falls: Object.fromEntries(Object.entries(moments).map(([name, from]) => [name, falls(from)])),
    drifts: Object.fromEntries(Object.entries(moments).map(([name, from]) => [name, drifts(from)])),
    others: Object.fromEntries(
      Object.entries(others).map(([name, [, change]]) => [name, changing(31, 200, { ...change, from: yesterday })]),
    ),
  };

  beforeAll(async () => {
    const all: Days[] = [
      ...Object.values(days.steady).flat(),
      ...days.weekends,
      ...Object.values(days.falls).flat(),
      ...Object.values(days.drifts).flat(),
      ...Object.values(days.others),
      passing,
      lasting,
    ];
    const found = await simulated(all);
    all.forEach((each, at) => alarms.set(each, found[at]!));
  }, 120_000);

  /** How many minutes after its change the first alarm began; none may begin before. */
  const foundAfter = (each: Days, signal: string): number => {
    const { from } = each.change!;
    const begun = alarms.get(each)!;
    expect(begun.filter((alarm) => alarm.from <= from)).toEqual([]);
    return Math.min(...begun.filter((alarm) => alarm.signal === signal).map((alarm) => alarm.from - from));
  };

  it.each(Object.keys(steady))('thirty steady days with %s raise no alarm', (name) => {
    expect(days.steady[name]!.map((each) => alarms.get(each))).toEqual(SEEDS.map(() => []));
  });

  it('weekends raise no alarm after two weeks of learning', () => {
    for (const each of days.weekends) expect(alarms.get(each)!.filter(({ from }) => from > 15 * DAY)).toEqual([]);
  });

  it.each(Object.keys(moments))('a fall of the hit rate by fifteen points is found within ten minutes, %s', (name) => {
    for (const each of days.falls[name]!) expect(foundAfter(each, 'hitRate')).toBeLessThanOrEqual(10);
  });

  it.each(Object.keys(moments))('a fall by one point an hour is found within eight hours, %s', (name) => {
    for (const each of days.drifts[name]!) expect(foundAfter(each, 'hitRate')).toBeLessThanOrEqual(8 * HOUR);
  });

  it.each(Object.keys(others))('an alarm reports within ten minutes that %s', (name) => {
    expect(foundAfter(days.others[name]!, others[name]![0])).toBeLessThanOrEqual(10);
  });

  it('an alarm ends soon after the hit rate is back', () => {
    expect(alarms.get(passing)).toHaveLength(1);
    const [{ until }] = alarms.get(passing) as [SimulatedAlarm];
    expect(until! - passing.change!.until!).toBeLessThanOrEqual(20);
  });

  it('a lower hit rate counts as normal after a day', () => {
    expect(alarms.get(lasting)).toHaveLength(1);
    const [{ from, until }] = alarms.get(lasting) as [SimulatedAlarm];
    expect(until! - from).toBe(DAY);
  });
});
