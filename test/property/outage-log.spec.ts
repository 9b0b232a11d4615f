import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CircuitState } from '../../lib/cache/base/observer.js';
import type { Layer, LayerContext, LayerFactory } from '../../lib/cache/layers/layer.js';
import { guardedLayer } from '../../lib/cache/layers/resilience/guarded-layer.js';
import { cacheToken } from '../../lib/cache/base/tokens.js';
import { CacheObservabilityModule, memoryLayer, ObservedCache } from '../../lib/index.js';
import { reported } from '../../lib/cache/base/reported-errors.js';
import { boot, closeApps } from '../support/apps.js';
import { ManualClock, settle } from '../support/manual-clock.js';

/** A connection to a server that both caches use. It is lost and found again at its own time, and the server may fail calls meanwhile. */
class Connection {
  connected = true;
  answers = true;
  hangs = false;
  #context: LayerContext | undefined;

  constructor(
    readonly server: object,
    readonly name: string,
  ) {}

  lose(): void {
    if (this.connected) this.#log('warn', 'LAYER_LOST', 'is not used: redis://127.0.0.1:6379 closed the connection.');
    this.connected = false;
  }

  restore(): void {
    if (!this.connected) this.#log('log', 'LAYER_RESTORED', 'is connected again.');
    this.connected = true;
  }

  factory(): LayerFactory {
    const create = (context: LayerContext) => {
      this.#context = context;
      return guardedLayer(this.#layer(), { deadline: 100 }, context);
    };
    return { name: this.name, required: false, shared: true, create };
  }

  #log(level: 'log' | 'warn', code: 'LAYER_LOST' | 'LAYER_RESTORED', message: string): void {
    this.#context!.events.log(level, code, `Layer '${this.name}' ${message}`);
  }

  #unlessHung(): Promise<void> {
    return this.hangs ? new Promise(() => undefined) : Promise.resolve();
  }

  #layer(): Layer {
    const { server, name } = this;
    const call = async <T>(value: T): Promise<T> => {
      if (!this.connected) throw reported(new Error('closed'));
      if (!this.answers) throw new Error('reset');
      await this.#unlessHung();
      return value;
    };
    const isConnected = () => this.connected;
    return {
      name,
      shared: true,
      server,
      get: () => call(undefined),
      getMany: (keys) => call(keys.map(() => undefined)),
      set: () => call(undefined),
      setMany: () => call(undefined),
      delete: () => call(false),
      deleteMany: () => call(0),
      deleteByPattern: () => call(0),
      invalidateTags: () => call(undefined),
      keys: () => [],
      clear: () => call(undefined),
      // The probe succeeds while calls fail: a circuit that it closes opens again.
      connect: async () => {
        if (!isConnected()) throw reported(new Error('closed'));
        await this.#unlessHung();
      },
      disconnect: () => undefined,
      status: () => ({
        entries: null,
        bytes: null,
        connected: isConnected(),
        circuitState: CircuitState.closed,
        queueDepth: 0,
        writesDropped: 0,
      }),
    };
  }
}

const SEQUENCE = ['LAYER_RESTORED', 'CIRCUIT_CLOSED'];
const END_OF: Readonly<Record<string, string>> = {
  LAYER_LOST: 'LAYER_RESTORED',
  LAYER_FAILED: 'LAYER_RESTORED',
  CIRCUIT_OPEN: 'CIRCUIT_CLOSED',
};

async function application() {
  const clock = new ManualClock();
  const server = {};
  const connections = [new Connection(server, 'redis'), new Connection(server, 'redis')] as const;
  const lines: { code: string; caches?: string }[] = [];
  const write = (entry: unknown) => void lines.push(entry as (typeof lines)[number]);
  const shared = { namespace: 'shop', serviceName: 'shop', clock, alerts: false, insight: false } as const;
  const { app } = await boot(
    'express',
    {
      imports: [
        CacheObservabilityModule.forRoot({ ...shared, layers: [memoryLayer(), connections[0].factory()] }),
        CacheObservabilityModule.forFeature('carts', { layers: [memoryLayer(), connections[1].factory()] }),
      ],
    },
    { logger: { log: write, warn: write, error: write } as never },
  );
  const caches = [app.get(ObservedCache), app.get<ObservedCache>(cacheToken('carts'), { strict: false })] as const;
  let asked = 0;
  const ask = async (cache: 0 | 1) => {
    for (let call = 0; call < 6; call++) await caches[cache].getOrSet(`key:${asked++}`, () => 1);
    await settle();
  };
  const codes = () => lines.map(({ code }) => code).filter((code) => code in END_OF || SEQUENCE.includes(code));
  return { clock, caches, connections, lines, ask, codes };
}

describe('the log of an outage', () => {
  it('the log of an outage has one opened circuit if the other cache fails after the first one serves again', async () => {
    const { clock, connections, ask, codes, lines } = await application();
    for (const connection of connections) connection.lose();
    await ask(0);
    connections[0].restore();
    await clock.advance(1_000);
    await ask(1);
    connections[1].restore();
    await clock.advance(10_000);
    expect(codes()).toEqual(['LAYER_LOST', 'CIRCUIT_OPEN', 'LAYER_RESTORED', 'CIRCUIT_CLOSED']);
    for (const line of lines.filter(({ code }) => codes().includes(code))) expect(line.caches).toBe('default, carts');
    await closeApps();
  });

  it('the log of an outage has one opened circuit if successful probes close it and calls open it again', async () => {
    const { clock, connections, ask, codes } = await application();
    connections[0].lose();
    await ask(0);
    connections[0].answers = false;
    connections[0].restore();
    for (let second = 0; second < 20; second++) {
      await clock.advance(1_000);
      await ask(0);
    }
    expect(codes()).toEqual(['LAYER_LOST', 'CIRCUIT_OPEN', 'LAYER_FAILED']);
    connections[0].answers = true;
    await clock.advance(1_000);
    await ask(0);
    await clock.advance(10_000);
    expect(codes().slice(3)).toEqual(['LAYER_RESTORED', 'CIRCUIT_CLOSED']);
    await closeApps();
  });

  it('the log of the next outage begins anew', async () => {
    const { clock, connections, ask, codes } = await application();
    for (let outage = 0; outage < 2; outage++) {
      connections[0].lose();
      await ask(0);
      connections[0].restore();
      await clock.advance(10_000);
    }
    const once = ['LAYER_LOST', 'CIRCUIT_OPEN', 'LAYER_RESTORED', 'CIRCUIT_CLOSED'];
    expect(codes()).toEqual([...once, ...once]);
    await closeApps();
  });

  it('the log of an outage ends two seconds after a successful probe, though nothing is asked any more', async () => {
    const { clock, connections, ask, codes } = await application();
    for (let outage = 0; outage < 2; outage++) {
      connections[0].answers = false;
      await ask(0);
      connections[0].answers = true;
      await clock.advance(2_900);
      expect(codes().slice(4 * outage)).toEqual(['LAYER_FAILED', 'CIRCUIT_OPEN']);
      await clock.advance(100);
      expect(codes().slice(4 * outage + 2)).toEqual(['LAYER_RESTORED', 'CIRCUIT_CLOSED']);
    }
    await closeApps();
  });

  it('the log of an outage that opened no circuit ends by a probe, though nothing is asked any more', async () => {
    const { clock, caches, connections, codes } = await application();
    for (let outage = 0; outage < 2; outage++) {
      connections[0].hangs = true;
      const asked = caches[0].getOrSet(`hung:${outage}`, () => 1);
      await settle();
      await clock.advance(100);
      expect(await asked).toBe(1);
      connections[0].hangs = false;
      await clock.advance(2_999);
      expect(codes().slice(2 * outage)).toEqual(['LAYER_FAILED']);
      await clock.advance(1);
      expect(codes().slice(2 * outage + 1)).toEqual(['LAYER_RESTORED']);
    }
    await closeApps();
  });

  it('the log of an outage has each line once, beginnings before ends, in any order of losses, answers and calls', async () => {
    // Mostly the second cache, since the first one stays lost.
    const cache = fc.constantFrom<0 | 1>(0, 1, 1, 1, 1);
    const step = fc.record({ what: fc.constantFrom('lose', 'restore', 'fail', 'answer', 'ask', 'wait'), cache });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 30 }), async (steps) => {
        const { clock, connections, ask, codes } = await application();
        // It lasts until the end of the steps: a connection that is never found again before.
        connections[0].lose();
        for (const { what, cache: at } of steps) {
          if (what === 'lose') connections[at].lose();
          else if (what === 'restore' && at === 1) connections[at].restore();
          else if (what === 'fail') connections[at].answers = false;
          else if (what === 'answer') connections[at].answers = true;
          else if (what === 'ask') await ask(at);
          else await clock.advance(700);
        }
        const begun = codes();
        expect(begun.filter((code) => SEQUENCE.includes(code))).toEqual([]);
        expect(new Set(begun).size).toBe(begun.length);
        for (const connection of connections) {
          connection.answers = true;
          connection.restore();
        }
        for (const at of [0, 1] as const) {
          await clock.advance(2_000);
          await ask(at);
        }
        await clock.advance(10_000);
        const ends = new Set(begun.map((code) => END_OF[code]!));
        expect(codes().slice(begun.length)).toEqual(SEQUENCE.filter((code) => ends.has(code)));
        await closeApps();
      }),
      { numRuns: 50 },
    );
  });
});
