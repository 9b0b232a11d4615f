import { describe, expect, it } from '@jest/globals';
import { InvalidationBus } from '../../../../lib/cache/invalidation/invalidation-bus.js';
import { RedisBus } from '../../../../lib/cache/layers/redis/redis-bus.js';
import type { BusMessage, Coordination } from '../../../../lib/cache/layers/layer.js';
import type { RedisConnection } from '../../../../lib/cache/layers/redis/redis-connection.js';
import { OnceLog } from '../../../../lib/cache/base/once-log.js';
import { ManualClock, settle } from '../../../support/manual-clock.js';

function make() {
  const clock = new ManualClock();
  const sent: BusMessage[] = [];
  const state = { reachable: true, hung: false };
  const coordination: Coordination = {
    acquire: () => Promise.resolve(undefined),
    subscribe: () => Promise.resolve(() => Promise.resolve()),
    publish(message) {
      if (!state.reachable) return Promise.reject(new Error('no connection'));
      if (state.hung) return new Promise(() => undefined);
      sent.push(message);
      return Promise.resolve();
    },
  };
  return { clock, sent, state, bus: new InvalidationBus(coordination, clock, new OnceLog(undefined)) };
}

describe('the invalidation bus', () => {
  it('the invalidation bus sends the invalidations of one turn as one message', async () => {
    const { bus, sent } = make();
    await Promise.all([bus.publish({ keys: ['a'] }), bus.publish({ keys: ['a', 'b'] }), bus.publish({ tags: ['t'] })]);
    expect(sent).toEqual([{ keys: ['a', 'b'], tags: ['t'] }]);
  });

  it('the invalidation bus delays no caller longer than a second for an unsent message', async () => {
    const { bus, clock, state } = make();
    state.hung = true;
    const published = bus.publish({ keys: ['a'] });
    await clock.advance(1_000);
    await published;
  });

  it('the invalidation bus fails no caller if a message cannot be sent', async () => {
    const { bus, state } = make();
    state.reachable = false;
    await bus.publish({ keys: ['a'] });
  });
});

describe('the bus over Redis', () => {
  function overRedis() {
    const clock = new ManualClock();
    const sent: BusMessage[] = [];
    const server: { mode: 'up' | 'down' | 'frozen'; release(): void } = { mode: 'up', release: () => undefined };
    const connection = {
      get ready() {
        return server.mode !== 'down';
      },
      async send(_key: string, [, , message]: [command: string, channel: string, message: string]) {
        if (server.mode === 'down') throw new Error('no connection');
        if (server.mode === 'frozen') await new Promise<void>((resolve) => (server.release = resolve));
        sent.push(JSON.parse(message) as BusMessage);
      },
      subscribe(_channel: string, _onMessage: unknown, onReady: () => void) {
        onReady();
        return Promise.resolve(() => Promise.resolve());
      },
    } as unknown as RedisConnection;
    const bus = new RedisBus(connection, 'channel', clock, 500);
    const outcomeOf = (published: Promise<void>) =>
      published.then(
        () => 'handed over',
        (error: { code?: string; message: string }) => error.code ?? error.message,
      );
    return { clock, sent, server, bus, outcomeOf };
  }

  it('the bus over Redis keeps unsent names and sends each once after it reconnects', async () => {
    const { bus, clock, sent, server, outcomeOf } = overRedis();
    server.mode = 'down';
    for (let turn = 0; turn < 20; turn++) {
      expect(await outcomeOf(bus.publish({ keys: [`k${turn}`, 'same'] }))).toBe('no connection');
      await clock.advance(300);
    }
    server.mode = 'up';
    await clock.advance(500);
    expect(sent).toHaveLength(1);
    expect(new Set(sent[0]!.keys).size).toBe(21);
  });

  it('the bus over Redis ends the log of unsent messages when the kept ones are sent, though no other follows', async () => {
    const { bus, clock, server } = overRedis();
    const codes: string[] = [];
    const log = new OnceLog((level, code) => codes.push(`${level} ${code}`));
    const coordination = {
      publish: bus.publish.bind(bus),
      subscribe: bus.subscribe.bind(bus),
    } as unknown as Coordination;
    const ofCache = new InvalidationBus(coordination, clock, log);
    await ofCache.listen({ onMessage: () => undefined, onGap: () => undefined });
    for (const mode of ['frozen', 'down', 'frozen'] as const) {
      codes.length = 0;
      server.mode = mode;
      const published = ofCache.publish({ keys: ['a'] });
      await settle();
      await clock.advance(500);
      await published;
      expect(codes).toEqual(['warn BUS_NOT_SENT']);
      server.mode = 'up';
      server.release();
      await clock.advance(500);
      expect(codes).toEqual(['warn BUS_NOT_SENT', 'log BUS_SENT']);
    }
  });

  it('the bus over Redis sends "everything" after an outage with too many names, and delays no caller for it', async () => {
    const { bus, clock, sent, server, outcomeOf } = overRedis();
    server.mode = 'frozen';
    const first = outcomeOf(bus.publish({ keys: ['first'] }));
    await settle();
    const later = Array.from({ length: 6_000 }, (_, turn) => outcomeOf(bus.publish({ keys: [`k${turn}`] })));
    await clock.advance(500);
    expect(new Set(await Promise.all([first, ...later]))).toEqual(new Set(['LAYER_TIMEOUT']));
    server.mode = 'up';
    server.release();
    await settle();
    expect(sent).toEqual([expect.objectContaining({ keys: ['first'] }), { from: expect.any(String), all: true }]);
  });

  describe('the bus over Redis notes in Redis that it listens', () => {
    function listening(answers: readonly (boolean | Error)[]) {
      const clock = new ManualClock();
      const open = [...answers];
      const connection = {
        ready: true,
        subscribe(_channel: string, _onMessage: unknown, onReady: () => void) {
          onReady();
          return Promise.resolve(() => Promise.resolve());
        },
      } as unknown as RedisConnection;
      const bus = new RedisBus(connection, 'channel', clock, 500, async () => {
        const answer = open.shift()!;
        if (answer instanceof Error) throw answer;
        return answer;
      });
      let gaps = 0;
      const subscribed = bus.subscribe({ onMessage: () => undefined, onGap: () => gaps++ });
      return { clock, bus, subscribed, gaps: () => gaps };
    }

    it('and has missed nothing if others sent their messages until then', async () => {
      const { subscribed, bus, gaps } = listening([false]);
      await subscribed;
      expect([gaps(), bus.unreachable]).toEqual([0, false]);
    });

    it('and reports a gap if others omitted messages until then', async () => {
      const { subscribed, gaps } = listening([true]);
      await subscribed;
      expect(gaps()).toBe(1);
    });

    it('and counts as unreachable until Redis has noted it', async () => {
      const { clock, subscribed, bus, gaps } = listening([
        new Error('no connection'),
        new Error('no connection'),
        true,
      ]);
      await expect(subscribed).rejects.toMatchObject({ code: 'LAYER_UNAVAILABLE' });
      expect([gaps(), bus.unreachable]).toEqual([0, true]);
      await clock.advance(100);
      expect([gaps(), bus.unreachable]).toEqual([1, false]);
    });
  });

  it('the bus over Redis subscribes again after a refusal, and reports missed messages', async () => {
    let refusing = true;
    let asked = 0;
    const connection = {
      ready: true,
      subscribe(_channel: string, _onMessage: unknown, onReady: () => void) {
        asked++;
        if (refusing) return Promise.reject(new Error('no permissions'));
        onReady();
        return Promise.resolve(() => Promise.resolve());
      },
    } as unknown as RedisConnection;
    const clock = new ManualClock();
    const redisBus = new RedisBus(connection, 'channel', clock, 500);
    const coordination = { subscribe: redisBus.subscribe.bind(redisBus) } as unknown as Coordination;
    const codes: string[] = [];
    const log = new OnceLog((level, code) => codes.push(`${level} ${code}`));
    let gaps = 0;
    const listener = { onMessage: () => undefined, onGap: () => gaps++ };
    await new InvalidationBus(coordination, clock, log).listen(listener);
    await clock.advance(2_500);
    expect([asked, codes, gaps]).toEqual([3, ['warn BUS_UNREACHABLE'], 0]);
    refusing = false;
    await clock.advance(1_000);
    expect([asked, codes, gaps]).toEqual([4, ['warn BUS_UNREACHABLE', 'log BUS_RESTORED'], 1]);
    await clock.advance(5_000);
    expect([asked, gaps]).toEqual([4, 1]);
  });
});
