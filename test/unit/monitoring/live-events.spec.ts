import { EventEmitter } from 'node:events';
import { CallbackErrors } from '../../../lib/cache/base/callback-errors.js';
import type { ServerResponse } from 'node:http';
import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  type CacheInvalidation,
  InvalidationListeners,
} from '../../../lib/cache/invalidation/invalidation-listeners.js';
import type { AlertChange } from '../../../lib/insight/alerts/alert.js';
import type { HealthWarning, Realtime } from '../../../lib/metrics/snapshot.js';
import type { MonitoredCaches } from '../../../lib/monitoring/monitored-cache.js';
import { LiveEvents } from '../../../lib/monitoring/live-events.js';
import type { WarmingProgress } from '../../../lib/warming/warming-report.js';
import { ManualClock, settle } from '../../support/manual-clock.js';

/** The part of a response that a stream uses. */
class Response extends EventEmitter {
  readonly written: string[] = [];
  readonly headers: Record<string, unknown> = {};
  writableLength = 0;
  ended = false;
  setHeader(name: string, value: unknown): void {
    this.headers[name.toLowerCase()] = value;
  }
  writeHead(_status: number, headers: Record<string, unknown>): void {
    for (const [name, value] of Object.entries(headers)) this.setHeader(name, value);
  }
  flushHeaders(): void {}
  write(frame: string): void {
    this.written.push(frame);
  }
  end(): void {
    this.ended = true;
    this.emit('close');
  }
  destroy(): void {
    this.emit('close');
  }
  get events(): { event: string; data: any }[] {
    return this.written.flatMap((frame) => {
      const match = /^id: \S+\nevent: (\w+)\ndata: (.*)\n\n$/.exec(frame);
      return match === null ? [] : [{ event: match[1]!, data: JSON.parse(match[2]!) }];
    });
  }
  get ids(): string[] {
    return this.written.flatMap((frame) => /^id: (\S+)$/m.exec(frame)?.[1] ?? []);
  }
  of(event: string): any[] {
    return this.events.filter((each) => each.event === event).map(({ data }) => data);
  }
}

const warning = (pattern: string): HealthWarning => ({
  code: 'PATTERN_BELOW_TARGET',
  message: 'low',
  value: 0.1,
  threshold: 0.8,
  pattern,
});

/** When it happens, by the clock of the application. */
const timestamp = '2023-11-14T22:13:20.000Z';

describe('the event stream', () => {
  let clock: ManualClock;
  let alerts: HealthWarning[];
  let reads: number;
  let warming: Set<(progress: WarmingProgress) => void>;
  let invalidations: InvalidationListeners;
  let alertListeners: Set<(change: AlertChange) => void>;
  /** What is watched of named caches. */
  let named: Map<string, object>;
  let listening: number;
  let events: LiveEvents;
  /** The same in another process. */
  let start: () => LiveEvents;
  let fails: boolean;
  /** The promise on which readings wait. */
  let figures: Promise<void>;

  beforeEach(() => {
    clock = new ManualClock();
    alerts = [];
    reads = listening = 0;
    fails = false;
    figures = Promise.resolve();
    warming = new Set();
    alertListeners = new Set();
    named = new Map();
    invalidations = new InvalidationListeners(new CallbackErrors());
    const collectRealtime = async (): Promise<Realtime> => {
      reads++;
      if (fails) throw new Error('figures');
      const at = clock.now();
      const open = [...alerts];
      await figures;
      return {
        operationsInFlight: 1,
        requestsPerSecond: 2,
        hitRate: 0.5,
        avgResponseTimeMs: 1,
        p99ResponseTimeMs: 2,
        alerts: open,
        timestamp: new Date(at).toISOString(),
      };
    };
    start = () =>
      new LiveEvents(
        { collectRealtime, addSource: () => () => undefined },
        {
          onProgress: (listener) => {
            warming.add(listener);
            return () => void warming.delete(listener);
          },
        },
        {
          watchAlerts: (listener) => {
            alertListeners.add(listener);
            return () => void alertListeners.delete(listener);
          },
          watchInvalidations: (listener: (invalidation: CacheInvalidation) => void) => {
            listening++;
            const stop = invalidations.listen(listener);
            return () => {
              listening--;
              stop();
            };
          },
          tuning: { watch: () => () => undefined },
        },
        200,
        clock,
        { all: named } as unknown as MonitoredCaches,
      );
    events = start();
  });

  const connect = (lastEventId?: string): Response => {
    const response = new Response();
    events.admit();
    events.connect(response as unknown as ServerResponse, { 'access-control-allow-origin': '*' }, lastEventId);
    return response;
  };

  it('the event stream has the type of server-sent events, forbids storing, and keeps the headers of the application', () => {
    const { headers, written } = connect();
    expect(headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'access-control-allow-origin': '*',
    });
    expect(written[0]).toBe('retry: 3000\n\n');
  });

  it('the event stream sends a tick at once and every second, with one reading for all clients', async () => {
    const [one, other] = [connect(), connect()];
    reads = 0;
    await clock.advance(3_000);
    expect(reads).toBe(3);
    expect(one.of('tick')).toHaveLength(4);
    expect(other.of('tick')).toHaveLength(4);
    expect(one.of('tick').at(-1)).toEqual({
      cache: 'default',
      operations_in_flight: 1,
      requests_per_second: 2,
      hit_rate: 0.5,
      avg_response_time_ms: 1,
      p99_response_time_ms: 2,
      alerts: [],
      timestamp: new Date(clock.now()).toISOString(),
    });
  });

  it('the event stream sends one event when an alert opens and one when it closes', async () => {
    const client = connect();
    const alert = {
      id: 'an-id',
      code: 'HIT_RATE_DROP',
      severity: 'warning',
      subject: 'feed:*',
      message: 'low',
      value: 0.1,
      expected: 0.8,
      openedAt: '2026-03-02T00:00:00.000Z',
      closedAt: null,
    } as const;
    for (const listener of alertListeners) {
      listener({ state: 'opened', alert });
      listener({ state: 'closed', alert: { ...alert, closedAt: '2026-03-02T01:00:00.000Z' } });
    }
    const { openedAt, closedAt, ...same } = alert;
    expect(client.of('alert')).toEqual([
      { cache: 'default', state: 'opened', alert: { ...same, opened_at: openedAt, closed_at: closedAt }, timestamp },
      {
        cache: 'default',
        state: 'closed',
        alert: { ...same, opened_at: openedAt, closed_at: '2026-03-02T01:00:00.000Z' },
        timestamp,
      },
    ]);
  });

  it('the event stream sends alerts and invalidations of named caches with their names', () => {
    const watched: ((change: object) => void)[] = [];
    const sessions = new InvalidationListeners(new CallbackErrors());
    named.set('sessions', {
      tuning: { watch: () => () => undefined },
      watchInvalidations: (listener: (invalidation: CacheInvalidation) => void) => sessions.listen(listener),
      watchAlerts: (listener: (change: object) => void) => {
        watched.push(listener);
        return () => undefined;
      },
    });
    const client = connect();
    for (const listener of watched) listener({ state: 'opened', alert: { code: 'HIT_RATE_DROP' } });
    expect(client.of('alert')).toEqual([
      { cache: 'sessions', state: 'opened', alert: { code: 'HIT_RATE_DROP' }, timestamp },
    ]);
    sessions.report({ keys: ['session:471147114711'] });
    expect(client.of('invalidation')).toMatchObject([{ cache: 'sessions', patterns: ['session:*'], keys: 1 }]);
  });

  describe('the event stream with changing clients', () => {
    const open = (client: Response): string[][] =>
      client.of('tick').map(({ alerts: shown }) => shown.map(({ pattern }: HealthWarning) => pattern));
    /** Holds every reading that begins later. */
    const held = (): (() => void) => {
      let release = (): void => undefined;
      figures = new Promise((resolve) => (release = resolve));
      return release;
    };

    it('the event stream lists open warnings in every tick', async () => {
      connect();
      await clock.advance(1_000);
      alerts = [warning('feed:*')];
      await clock.advance(500);
      const second = connect();
      await clock.advance(1_500);
      expect(open(second)).toEqual([['feed:*'], ['feed:*'], ['feed:*']]);
    });

    it('the event stream sends a client the first tick that could be read', async () => {
      alerts = [warning('feed:*')];
      fails = true;
      const client = connect();
      await clock.advance(1_000);
      fails = false;
      await clock.advance(1_000);
      expect(open(client)).toEqual([['feed:*']]);
    });

    it('the event stream reads once at a time: a client that connects meanwhile gets that reading, and ticks never go back in time', async () => {
      const client = connect();
      await clock.advance(1_000);
      const release = held();
      reads = 0;
      await clock.advance(2_500);
      const late = connect();
      expect(reads).toBe(1);
      release();
      await settle();
      expect(reads).toBe(2);
      await clock.advance(1_000);
      const times = client.of('tick').map(({ timestamp }) => Date.parse(timestamp));
      expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
      expect(times).toHaveLength(5);
      expect(late.of('tick')).toHaveLength(3);
    });
  });

  it('the event stream sends the progress of warming', () => {
    const client = connect();
    for (const listener of warming) {
      listener({ type: 'finished', runId: 'r', trigger: 'manual', report: { keysWarmed: 3 } } as WarmingProgress);
    }
    expect(client.of('warming')).toEqual([
      { type: 'finished', run_id: 'r', trigger: 'manual', report: { keys_warmed: 3 }, timestamp },
    ]);
  });

  it('the event stream sends invalidations with patterns and counts, never with a key', () => {
    const client = connect();
    invalidations.report({ keys: ['user:471147114711:cart', 'user:471247124712:cart'] });
    invalidations.report({ globs: ['user:471147114711:*'], removed: 2 });
    invalidations.report({ tags: ['seller-471147114711'] });
    invalidations.report({ all: true });
    expect(client.of('invalidation')).toEqual([
      { cache: 'default', patterns: ['user:*:cart'], keys: 2, globs: 0, tags: 0, all: false, removed: null, timestamp },
      { cache: 'default', patterns: ['user:*:*'], keys: 0, globs: 1, tags: 0, all: false, removed: 2, timestamp },
      { cache: 'default', patterns: [], keys: 0, globs: 0, tags: 1, all: false, removed: null, timestamp },
      { cache: 'default', patterns: [], keys: 0, globs: 0, tags: 0, all: true, removed: null, timestamp },
    ]);
    expect(client.written.join('')).not.toContain('471147114711');
  });

  it('the event stream sends ticks less often to more clients, at least every five seconds', async () => {
    for (const [count, ticks] of [
      [20, 30],
      [40, 15],
      [200, 6],
    ] as const) {
      const clients = Array.from({ length: count }, () => connect());
      await clock.advance(5_000);
      const before = clients[0]!.of('tick').length;
      await clock.advance(30_000);
      expect(clients[0]!.of('tick').length - before).toBe(ticks);
      for (const client of clients) client.emit('close');
    }
  });

  it('clients that ask other routes wait longer where many listen, at most four times as long', async () => {
    for (const [count, pace] of [
      [0, 1],
      [25, 1],
      [40, 1.6],
      [200, 4],
    ] as const) {
      const clients = Array.from({ length: count }, () => connect());
      expect(events.pace).toBe(pace);
      for (const client of clients) client.emit('close');
    }
  });

  it('the event stream sends comments while the figures cannot be read', async () => {
    const client = connect();
    await settle();
    fails = true;
    await clock.advance(30_000);
    expect(client.written.filter((frame) => frame.startsWith(':'))).toHaveLength(30);
    fails = false;
    await clock.advance(1_000);
    expect(client.of('tick')).toHaveLength(2);
  });

  it('the event stream sends a reconnected client the missed events, once, in order', async () => {
    const first = connect();
    invalidations.report({ keys: ['feed:1'], globs: [], tags: [], all: false, removed: null });
    const seen = first.ids.at(-1)!;
    first.emit('close');
    for (const key of ['a:2', 'b:3']) {
      invalidations.report({ keys: [key], globs: [], tags: [], all: false, removed: null });
      await clock.advance(60_000);
    }
    const back = connect(seen);
    await settle();
    expect(back.of('invalidation').map(({ patterns }) => patterns)).toEqual([['a:*'], ['b:*']]);
    const again = connect(back.ids.at(-1)!);
    expect(again.of('invalidation')).toEqual([]);
    again.emit('close');
    back.emit('close');
    expect(connect().of('invalidation')).toEqual([]);
  });

  it('the event stream sends a client that comes from another process all kept events', async () => {
    const there = connect();
    await clock.advance(60_000);
    const seen = there.ids.at(-1)!;
    events.onModuleDestroy();
    events = start();
    const first = connect();
    for (const key of ['a:2', 'b:3']) invalidations.report({ keys: [key] });
    const back = connect(seen);
    expect(back.of('invalidation').map(({ patterns }) => patterns)).toEqual([['a:*'], ['b:*']]);
    expect(connect(first.ids.at(-1)!).of('invalidation')).toEqual([]);
  });

  it('the event stream keeps at most a hundred events for clients that reconnect', () => {
    connect();
    for (let n = 0; n < 500; n++) {
      invalidations.report({ keys: [`feed:${n}`], globs: [], tags: [], all: false, removed: null });
    }
    expect(connect('0').of('invalidation')).toHaveLength(100);
  });

  it('the event stream has no timer and no listener five minutes after its clients have left, a hundred of them', async () => {
    expect([clock.pending, warming.size, listening, alertListeners.size]).toEqual([0, 0, 0, 0]);
    const responses: Response[] = [];
    for (let time = 0; time < 100; time++) {
      const response = connect();
      responses.push(response);
      if (time % 2 === 0) await clock.advance(1_000);
      expect([clock.pending, warming.size, listening]).toEqual([1, 1, 1]);
      response.emit('close');
      expect([events.clients, clock.pending, warming.size, listening, alertListeners.size]).toEqual([0, 1, 1, 1, 1]);
    }
    await clock.advance(300_000);
    expect([events.clients, clock.pending, warming.size, listening, alertListeners.size]).toEqual([0, 0, 0, 0, 0]);
    for (const response of responses) expect(response.listenerCount('close')).toBe(0);
    const written = responses.map(({ written: frames }) => frames.length);
    await clock.advance(10_000);
    expect(responses.map(({ written: frames }) => frames.length)).toEqual(written);
  });

  it('the event stream accepts clients up to its limit, and refuses the next with the reason', () => {
    const [first] = Array.from({ length: 200 }, () => connect());
    expect(() => events.admit()).toThrow(
      expect.objectContaining({ code: 'TOO_MANY_CLIENTS', message: expect.stringContaining('maxEventClients') }),
    );
    first!.emit('close');
    events.admit();
  });

  it('the event stream closes the connection of a client that stops reading', async () => {
    const client = connect();
    client.writableLength = 2 * 1024 * 1024;
    await clock.advance(1_000);
    expect(events.clients).toBe(0);
  });

  it('the event stream ends for all clients when the application closes', () => {
    const clients = [connect(), connect()];
    events.onModuleDestroy();
    expect(clients.map(({ ended }) => ended)).toEqual([true, true]);
    expect([events.clients, clock.pending, warming.size, listening]).toEqual([0, 0, 0, 0]);
    expect(() => events.admit()).toThrow(expect.objectContaining({ code: 'EVENTS_CLOSED' }));
  });
});
