import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { CallbackErrors } from '../../../lib/cache/base/callback-errors.js';
import {
  BypassReason,
  CircuitState,
  MissReason,
  Operation,
  Outcome,
  Result,
} from '../../../lib/cache/base/observer.js';
import { DiagnosticsObserver } from '../../../lib/tracing/diagnostics-observer.js';
import { ManualClock } from '../../support/manual-clock.js';

describe('the diagnostics channels', () => {
  const series = { pattern: 'feed:*', endpoint: 'GET /feeds/discover' };
  let clock: ManualClock;
  let observer: DiagnosticsObserver;
  let errors: CallbackErrors;
  let heard: [name: string, message: unknown][];
  const listen = (message: unknown, name: string | symbol): void =>
    void heard.push([String(name).split(':')[1]!, message]);
  const names = ['access', 'load', 'invalidation', 'circuit'].map((name) => `nestjs-cache-observability:${name}`);
  beforeEach(() => {
    heard = [];
    clock = new ManualClock();
    errors = new CallbackErrors();
    observer = new DiagnosticsObserver(clock, errors);
    observer.attach([
      { name: 'memory', shared: false },
      { name: 'redis', shared: true },
    ]);
  });
  afterEach(() => names.forEach((name) => unsubscribe(name, listen)));

  const everything = (): void => {
    observer.hit(series, 0, clock.now() - 2);
    observer.access(series, Outcome.miss, -1, 3, 40, MissReason.expired);
    observer.bypass(series, BypassReason.authorization);
    observer.load(series, Operation.refresh, Result.timeout, 37);
    observer.operation(series, Operation.set, Result.ok, 1);
    observer.operation(series, Operation.delete, Result.absent, 1);
    observer.invalidation(Result.ok, 5, 12);
    observer.circuit(1, CircuitState.halfOpen);
  };

  it('the diagnostics channels publish every access, load, invalidation and circuit change', () => {
    names.forEach((name) => subscribe(name, listen));
    everything();
    const { pattern, endpoint } = series;
    const access = { pattern, endpoint };
    expect(heard).toEqual([
      ['access', { ...access, outcome: 'hit', layer: 'memory', reason: undefined, responseTimeMs: 2, totalTimeMs: 2 }],
      [
        'access',
        { ...access, outcome: 'miss', layer: undefined, reason: 'expired', responseTimeMs: 3, totalTimeMs: 40 },
      ],
      [
        'access',
        { ...access, outcome: 'bypass', layer: undefined, reason: 'authorization', responseTimeMs: 0, totalTimeMs: 0 },
      ],
      ['load', { ...access, operation: 'refresh', result: 'timeout', durationMs: 37 }],
      ['invalidation', { kind: 'key', pattern, result: 'absent', removed: 0, durationMs: 1 }],
      ['invalidation', { kind: 'group', pattern: undefined, result: 'ok', removed: 12, durationMs: 5 }],
      ['circuit', { layer: 'redis', state: 'half_open' }],
    ]);
  });

  it('the diagnostics channels publish nothing, and read no clock, without subscribers', () => {
    let readings = 0;
    const silent = new DiagnosticsObserver({ now: () => ++readings, after: () => () => undefined }, errors);
    silent.hit(series, 0, 0);
    everything();
    expect(heard).toEqual([]);
    expect(readings).toBe(0);
  });

  it('the diagnostics channels publish only to subscribed channels', () => {
    subscribe(names[3]!, listen);
    everything();
    expect(heard.map(([name]) => name)).toEqual(['circuit']);
  });
});
