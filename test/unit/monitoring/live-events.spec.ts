import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { type CacheInvalidation, InvalidationFeed } from '../../../lib/cache/writing/invalidation-feed.js';
import type { HealthWarning, Realtime } from '../../../lib/metrics/snapshot.js';
import { LiveEvents } from '../../../lib/monitoring/live/live-events.js';
import type { WarmingProgress } from '../../../lib/warming/warming-report.js';
import { ManualClock, settle } from '../../support/manual-clock.js';

/** As much of a response as a stream needs. */
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
      const match = /^(?:id: \d+\n)?event: (\w+)\ndata: (.*)\n\n$/.exec(frame);
      return match === null ? [] : [{ event: match[1]!, data: JSON.parse(match[2]!) }];
    });
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

describe('the event stream', () => {
  let clock: ManualClock;
  let alerts: HealthWarning[];
  let reads: number;
  let warming: Set<(progress: WarmingProgress) => void>;
  let invalidations: InvalidationFeed;
  let listening: number;
  let events: LiveEvents;
  let fails: boolean;
  /** What readings that have begun wait for. */
  let figures: Promise<void>;

  beforeEach(() => {
    clock = new ManualClock();
    alerts = [];
    reads = listening = 0;
    fails = false;
    figures = Promise.resolve();
    warming = new Set();
    invalidations = new InvalidationFeed();
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
    events = new LiveEvents(
      { collectRealtime, addSource: () => () => undefined },
      {
        onProgress: (listener) => {
          warming.add(listener);
          return () => void warming.delete(listener);
        },
      },
      {
        watchInvalidations: (listener: (invalidation: CacheInvalidation) => void) => {
          listening++;
          const stop = invalidations.listen(listener);
          return () => {
            listening--;
            stop();
          };
        },
      },
      3,
      clock,
    );
  });

  const connect = (): Response => {
    const response = new Response();
    events.admit();
    events.connect(response as unknown as ServerResponse, { 'access-control-allow-origin': '*' });
    return response;
  };

  it('is of the type of server-sent events, stored by nobody, with what the application has set', () => {
    const { headers, written } = connect();
    expect(headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'access-control-allow-origin': '*',
    });
    expect(written[0]).toBe('retry: 3000\n\n');
  });

  it('ticks at once and every second, one reading for all clients', async () => {
    const [one, other] = [connect(), connect()];
    reads = 0;
    await clock.advance(3_000);
    expect(reads).toBe(3);
    expect(one.of('tick')).toHaveLength(4);
    expect(other.of('tick')).toHaveLength(4);
    expect(one.of('tick').at(-1)).toEqual({
      operations_in_flight: 1,
      requests_per_second: 2,
      hit_rate: 0.5,
      avg_response_time_ms: 1,
      p99_response_time_ms: 2,
      alerts: [],
      timestamp: new Date(clock.now()).toISOString(),
    });
  });

  it('tells when a warning comes and when it goes, once each', async () => {
    alerts = [warning('user:*')];
    const client = connect();
    await clock.advance(1_000);
    alerts = [warning('user:*'), warning('feed:*')];
    await clock.advance(2_000);
    alerts = [warning('feed:*')];
    await clock.advance(2_000);
    expect(client.of('alert').map(({ state, alert }) => [state, alert.pattern])).toEqual([
      ['opened', 'feed:*'],
      ['closed', 'user:*'],
    ]);
  });

  describe('to clients that come and go', () => {
    const changes = (client: Response) => client.of('alert').map(({ state, alert }) => `${state} ${alert.pattern}`);
    const open = (client: Response): string[][] =>
      client.of('tick').map(({ alerts: shown }) => shown.map(({ pattern }: HealthWarning) => pattern));
    /** Holds every reading that begins from now on. */
    const held = (): (() => void) => {
      let release = (): void => undefined;
      figures = new Promise((resolve) => (release = resolve));
      return release;
    };

    it('shows in the first tick what is open, and tells only those who were there before that it came', async () => {
      const first = connect();
      await clock.advance(1_000);
      alerts = [warning('feed:*')];
      await clock.advance(500);
      const second = connect();
      await clock.advance(3_000);
      expect(open(second)[0]).toEqual(['feed:*']);
      expect(changes(second)).toEqual([]);
      expect(changes(first)).toEqual(['opened feed:*']);
      alerts = [];
      await clock.advance(1_000);
      expect([changes(first), changes(second)]).toEqual([['opened feed:*', 'closed feed:*'], ['closed feed:*']]);
    });

    it('tells nobody that something came which stood there before, though who came first has gone meanwhile', async () => {
      alerts = [warning('feed:*')];
      const release = held();
      const first = connect();
      const second = connect();
      first.emit('close');
      release();
      await clock.advance(2_000);
      expect(open(second)).toEqual([['feed:*'], ['feed:*'], ['feed:*']]);
      expect(changes(second)).toEqual([]);
    });

    it('starts a client with the first tick that could be read', async () => {
      alerts = [warning('feed:*')];
      fails = true;
      const client = connect();
      await clock.advance(1_000);
      fails = false;
      await clock.advance(1_000);
      expect([open(client), changes(client)]).toEqual([[['feed:*']], []]);
    });

    it('reads once at a time: who comes meanwhile starts with that, and no figure is older than the one before', async () => {
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

    it('begins with nothing known when somebody comes after all had gone', async () => {
      connect().emit('close');
      await clock.advance(1_000);
      alerts = [warning('feed:*')];
      const release = held();
      connect().emit('close');
      const client = connect();
      release();
      await clock.advance(1_000);
      expect([open(client), changes(client)]).toEqual([[['feed:*'], ['feed:*']], []]);
    });
  });

  it('tells how warming goes', () => {
    const client = connect();
    for (const listener of warming) {
      listener({ type: 'finished', runId: 'r', trigger: 'manual', report: { keysWarmed: 3 } } as WarmingProgress);
    }
    expect(client.of('warming')).toEqual([
      { type: 'finished', run_id: 'r', trigger: 'manual', report: { keys_warmed: 3 } },
    ]);
  });

  it('tells invalidations by their patterns and counts, never a key', () => {
    const client = connect();
    invalidations.tell({ keys: ['user:471147114711:cart', 'user:471247124712:cart'] });
    invalidations.tell({ globs: ['user:471147114711:*'], removed: 2 });
    invalidations.tell({ tags: ['seller-471147114711'] });
    invalidations.tell({ all: true });
    expect(client.of('invalidation')).toEqual([
      { patterns: ['user:*:cart'], keys: 2, globs: 0, tags: 0, all: false, removed: null },
      { patterns: ['user:*:*'], keys: 0, globs: 1, tags: 0, all: false, removed: 2 },
      { patterns: [], keys: 0, globs: 0, tags: 1, all: false, removed: null },
      { patterns: [], keys: 0, globs: 0, tags: 0, all: true, removed: null },
    ]);
    expect(client.written.join('')).not.toContain('471147114711');
  });

  it('goes on with heartbeats while the figures cannot be read', async () => {
    const client = connect();
    fails = true;
    await clock.advance(30_000);
    expect(client.written.filter((frame) => frame.startsWith(':'))).toHaveLength(2);
    fails = false;
    await clock.advance(1_000);
    expect(client.of('tick')).toHaveLength(2);
  });

  it('has no timer and no listener while nobody listens, after a hundred clients have come and gone', async () => {
    expect([clock.pending, warming.size, listening]).toEqual([0, 0, 0]);
    const responses: Response[] = [];
    for (let time = 0; time < 100; time++) {
      const response = connect();
      responses.push(response);
      if (time % 2 === 0) await clock.advance(1_000);
      expect([clock.pending, warming.size, listening]).toEqual([1, 1, 1]);
      response.emit('close');
      expect([events.clients, clock.pending, warming.size, listening]).toEqual([0, 0, 0, 0]);
    }
    for (const response of responses) expect(response.listenerCount('close')).toBe(0);
    const written = responses.map(({ written: frames }) => frames.length);
    await clock.advance(10_000);
    expect(responses.map(({ written: frames }) => frames.length)).toEqual(written);
  });

  it('has room for as many clients as it is told, and says so to the next', () => {
    const [first] = [connect(), connect(), connect()];
    expect(() => events.admit()).toThrow(
      expect.objectContaining({ code: 'TOO_MANY_CLIENTS', message: expect.stringContaining('maxEventClients') }),
    );
    first!.emit('close');
    events.admit();
  });

  it('lets a client go that reads nothing any more', async () => {
    const client = connect();
    client.writableLength = 2 * 1024 * 1024;
    await clock.advance(1_000);
    expect(events.clients).toBe(0);
  });

  it('ends for everybody when the application closes', () => {
    const clients = [connect(), connect()];
    events.onModuleDestroy();
    expect(clients.map(({ ended }) => ended)).toEqual([true, true]);
    expect([events.clients, clock.pending, warming.size, listening]).toEqual([0, 0, 0, 0]);
    expect(() => events.admit()).toThrow(expect.objectContaining({ code: 'EVENTS_CLOSED' }));
  });
});
