import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Alert, type AlertCode, type Condition, EVERYTHING } from '../../../../lib/insight/alerts/alert.js';
import { AlertBook } from '../../../../lib/insight/alerts/alert-book.js';

const MINUTE = 60_000;

describe('the alert book', () => {
  let book: AlertBook;
  let now: number;

  beforeEach(() => {
    book = new AlertBook();
    now = Date.UTC(2026, 2, 2);
  });

  const condition = (code: AlertCode, subject = EVERYTHING): Condition => ({
    code,
    subject,
    message: 'm',
    value: 1,
    expected: 2,
  });
  /** The alerts that opened and closed while these conditions lasted `minutes` minutes. */
  const lasting = (minutes: number, ...conditions: Condition[]): string[] => {
    const changes: string[] = [];
    for (let minute = 0; minute < minutes; minute++) {
      now += MINUTE;
      for (const { state, alert } of book.update(conditions, now))
        changes.push(`${state} ${alert.code} ${alert.subject}`);
    }
    return changes;
  };
  const shown = (alerts: readonly Alert[]) => alerts.map(({ code, subject }) => `${code} ${subject}`);

  it('the alert book opens the alert of a layer at once, and closes it after a minute without its condition', () => {
    const open = condition('CIRCUIT_OPEN', 'redis');
    expect(lasting(1, open)).toEqual(['opened CIRCUIT_OPEN redis']);
    expect(lasting(5, open)).toEqual([]);
    expect(book.alerts()).toMatchObject([{ severity: 'critical', closedAt: null, value: 1, expected: 2 }]);
    expect(lasting(1)).toEqual(['closed CIRCUIT_OPEN redis']);
    expect([book.alerts(), shown(book.alerts('all'))]).toEqual([[], ['CIRCUIT_OPEN redis']]);
    const [{ openedAt, closedAt }] = book.alerts('all') as [Alert];
    expect(Date.parse(closedAt!) - Date.parse(openedAt)).toBe(6 * MINUTE);
  });

  it('the alert book opens the alert of a threshold after ten minutes, and closes it after fifteen', () => {
    const low = condition('LOW_HIT_RATE');
    expect(lasting(9, low)).toEqual([]);
    expect(lasting(1)).toEqual([]);
    expect(lasting(10, low)).toEqual([]);
    expect(lasting(1, low)).toEqual(['opened LOW_HIT_RATE cache']);
    expect(lasting(14)).toEqual([]);
    expect(lasting(1, low)).toEqual([]);
    expect(lasting(15)).toEqual(['closed LOW_HIT_RATE cache']);
  });

  it('the alert book opens no alert for an uncertain condition, and keeps an alert open that was certain before', () => {
    const low = { ...condition('LOW_HIT_RATE'), certain: false };
    expect(lasting(30, low)).toEqual([]);
    expect(lasting(11, condition('LOW_HIT_RATE'))).toEqual(['opened LOW_HIT_RATE cache']);
    expect(lasting(60, low)).toEqual([]);
    expect(book.alerts()).toHaveLength(1);
  });

  it('the alert book keeps one alert per trouble: an alert that an open one explains does not open', () => {
    expect(lasting(1, condition('LAYER_DOWN', 'redis'), condition('HIT_RATE_DROP'))).toEqual([
      'opened LAYER_DOWN redis',
    ]);
    const all = [
      condition('CIRCUIT_OPEN', 'redis'),
      condition('LAYER_DOWN', 'redis'),
      condition('HIT_RATE_DROP'),
      condition('ERRORS_RISE', 'feed:*'),
      condition('SLOW_LOADS'),
      condition('HIGH_AVG_RESPONSE_TIME'),
    ];
    expect(lasting(30, ...all)).toEqual([]);
    expect(lasting(9, condition('HIT_RATE_DROP'))).toEqual(['closed LAYER_DOWN redis']);
  });

  it('the alert book opens an alert whose condition still holds ten minutes after its cause', () => {
    lasting(1, condition('LAYER_DOWN', 'redis'));
    expect(lasting(15, condition('HIT_RATE_DROP'))).toEqual(['closed LAYER_DOWN redis', 'opened HIT_RATE_DROP cache']);
  });

  it.each<[AlertCode, AlertCode]>([
    ['LAYER_DOWN', 'CIRCUIT_OPEN'],
    ['CIRCUIT_OPEN', 'LAYER_DOWN'],
  ])('the alert book opens an alert for %s and, once that has closed, for %s of a second outage', (first, second) => {
    expect(lasting(2, condition(first, 'redis'), condition(second, 'redis'))).toEqual([`opened LAYER_DOWN redis`]);
    expect(lasting(3)).toEqual(['closed LAYER_DOWN redis']);
    expect(lasting(2, condition(first, 'redis'))).toEqual([`opened ${first} redis`]);
    expect(lasting(3, condition(second, 'redis'))).toEqual([`closed ${first} redis`]);
    expect(lasting(3)).toEqual([]);
    expect(lasting(1, condition(second, 'redis'))).toEqual([`opened ${second} redis`]);
  });

  it('the alert book opens the alerts of two layers', () => {
    expect(lasting(1, condition('LAYER_DOWN', 'redis'), condition('CIRCUIT_OPEN', 'keyv'))).toHaveLength(2);
  });

  it('the alert book explains a pattern by its own cause or by one of the whole cache, not by that of another pattern', () => {
    const storm = condition('INVALIDATION_STORM', 'feed:*');
    expect(lasting(3, storm, condition('HIT_RATE_DROP', 'feed:*'), condition('HIT_RATE_DROP', 'user:*'))).toEqual([
      'opened INVALIDATION_STORM feed:*',
      'opened HIT_RATE_DROP user:*',
    ]);
  });

  it('the alert book opens one alert of the whole cache if many patterns change', () => {
    const patterns = ['a:*', 'b:*', 'c:*', 'd:*'].map((pattern) => condition('HIT_RATE_DROP', pattern));
    expect(lasting(1, ...patterns)).toEqual([]);
    expect(lasting(20, ...patterns, condition('HIT_RATE_DROP'))).toEqual(['opened HIT_RATE_DROP cache']);
  });

  it('the alert book opens the alert of the pattern if that pattern alone changed the whole cache', () => {
    const conditions = [condition('SLOW_LOADS'), condition('SLOW_LOADS', 'feed:*')];
    expect(lasting(20, ...conditions)).toEqual(['opened SLOW_LOADS feed:*']);
  });

  it('the alert book opens at most two alerts of single patterns per code', () => {
    const patterns = Array.from({ length: 50 }, (_, at) => condition('TRAFFIC_DROP', `p${at}:*`));
    expect(lasting(20, ...patterns)).toHaveLength(2);
  });

  it('the alert book remembers the last two hundred alerts', () => {
    for (let time = 0; time < 250; time++) {
      lasting(1, condition('CIRCUIT_OPEN', `layer${time}`));
      lasting(2);
    }
    expect(book.alerts('all')).toHaveLength(200);
    expect(shown(book.alerts('all'))[0]).toBe('CIRCUIT_OPEN layer249');
  });
});
