import { describe, expect, it } from '@jest/globals';
import type { Clock } from '../../../../lib/cache/base/clock.js';
import type { Entry } from '../../../../lib/cache/entries/entry.js';
import type { Layer } from '../../../../lib/cache/layers/layer.js';
import { guardedLayer } from '../../../../lib/cache/layers/resilience/guarded-layer.js';
import type { RemoteLayerOptions } from '../../../../lib/cache/layers/resilience/remote-layer-options.js';
import { CircuitState } from '../../../../lib/cache/base/observer.js';
import { entryOf } from '../../../support/entries.js';
import { layerContext, recordEvents } from '../../../support/layer-context.js';
import { ManualClock, settle } from '../../../support/manual-clock.js';
import { LoadTicket } from '../../../../lib/cache/layers/load-ticket.js';

/** A store that can fail, hang, or respond late. */
class Store {
  readonly entries = new Map<string, Entry>();
  readonly asked: string[] = [];
  mode: 'up' | 'down' | 'hung' = 'up';
  delayMs = 0;
  #hung: (() => void)[] = [];

  constructor(readonly clock: ManualClock) {}

  /** Answers `count` of the hanging calls. */
  release(count = Infinity): void {
    this.mode = 'up';
    for (const go of this.#hung.splice(0, count)) go();
  }

  async #do<T>(what: string, operation: () => T): Promise<T> {
    this.asked.push(what);
    if (this.mode === 'down') throw new Error('connection refused');
    if (this.mode === 'hung') await new Promise<void>((resolve) => this.#hung.push(resolve));
    if (this.delayMs > 0) await new Promise<void>((resolve) => void this.clock.after(this.delayMs, resolve));
    return operation();
  }

  layer(): Layer {
    const { entries } = this;
    return {
      name: 'store',
      shared: true,
      get: (key, ticket, turn = ticket?.turn) =>
        this.#do(`get ${key}`, () => {
          ticket?.note('store', 'read', turn);
          return entries.get(key);
        }),
      getMany: (keys) => this.#do(`getMany ${keys.join()}`, () => keys.map((key) => entries.get(key))),
      set: (key, entry) => this.#do(`set ${key}`, () => void entries.set(key, entry)),
      setMany: (writes) =>
        this.#do(`setMany ${writes.map(([key]) => key).join()}`, () => {
          for (const [key, entry] of writes) entries.set(key, entry);
        }),
      delete: (key) => this.#do(`delete ${key}`, () => entries.delete(key)),
      deleteMany: (keys) =>
        this.#do(`deleteMany ${keys.join()}`, () => keys.filter((key) => entries.delete(key)).length),
      deleteByPattern: (glob) => this.#do(`glob ${glob}`, () => 0),
      invalidateTags: (tags) => this.#do(`tags ${tags.join()}`, () => undefined),
      keys: () => [],
      clear: () => this.#do('clear', () => entries.clear()),
      sharedMap: () => ({
        publish: (slot) => this.#do(`note ${slot}`, () => undefined),
        read: () => Promise.resolve(undefined),
        readAll: () => Promise.resolve(new Map()),
        withdraw: () => Promise.resolve(),
      }),
      coordination: {
        acquire: () => this.#do('acquire', () => undefined),
        publish: (message) => this.#do(`publish ${(message.keys ?? []).join()}`, () => undefined),
        subscribe: () => Promise.resolve(() => Promise.resolve()),
      },
      connect: () => this.#do('connect', () => undefined),
      disconnect: () => undefined,
      status: () => ({
        entries: null,
        bytes: null,
        connected: true,
        circuitState: CircuitState.closed,
        queueDepth: 0,
        writesDropped: 0,
      }),
    };
  }
}

function make(options: RemoteLayerOptions = {}) {
  const clock = new ManualClock();
  const store = new Store(clock);
  const recorded = recordEvents();
  const layer = guardedLayer(
    store.layer(),
    { deadline: 100, ...options },
    layerContext('cache', { clock, events: recorded.events }),
  );
  const entry = (value: unknown, settings: Parameters<typeof entryOf>[1] = {}) =>
    entryOf(value, { clock, ...settings });
  return { clock, store, recorded, layer, entry };
}

const outcome = (operation: unknown): Promise<string> =>
  Promise.resolve(operation).then(
    () => 'ok',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  );

async function fail(layer: Layer, times = 5): Promise<void> {
  for (let turn = 0; turn < times; turn++) await outcome(layer.get('k'));
}

describe('the deadline', () => {
  it('the deadline ends an operation that never settles', async () => {
    const { clock, store, layer } = make();
    store.mode = 'hung';
    const read = outcome(layer.get('k'));
    await clock.advance(99);
    await clock.advance(1);
    expect(await read).toBe('LAYER_TIMEOUT');
  });

  it('the deadline ignores a late response and its read time', async () => {
    const { clock, store, layer } = make();
    store.mode = 'hung';
    const ticket = new LoadTicket();
    const read = outcome(layer.get('k', ticket));
    await clock.advance(100);
    await read;
    store.release();
    await settle();
    expect(ticket.momentOf('store')).toBeUndefined();
  });

  it('the deadline leaves no timer after a response', async () => {
    const { clock, layer } = make();
    await layer.get('k');
    expect(clock.pending).toBe(0);
  });
});

describe('a busy event loop', () => {
  /** A process with a busy event loop, until `rest` lets it wait. */
  function busy(options: RemoteLayerOptions = {}) {
    const inner = new ManualClock();
    let idleMs = 0;
    const clock: Clock = { now: () => inner.now(), after: (ms, task) => inner.after(ms, task), idleMs: () => idleMs };
    const store = new Store(inner);
    store.mode = 'hung';
    const recorded = recordEvents();
    const layer = guardedLayer(
      store.layer(),
      { deadline: 100, ...options },
      layerContext('cache', { clock, events: recorded.events }),
    );
    return { inner, store, recorded, layer, rest: (ms: number) => void (idleMs += ms) };
  }

  it('a busy event loop does not use up the deadline of a layer whose response has arrived', async () => {
    const { layer, inner, store } = busy({ breaker: false });
    const answer = outcome(layer.get('k'));
    await inner.advance(180);
    store.release();
    expect(await answer).toBe('ok');
  });

  it('a busy event loop does not count as a slow layer: the circuit stays closed', async () => {
    const { layer, inner, store, recorded } = busy();
    for (let turn = 0; turn < 20; turn++) {
      store.mode = 'hung';
      const answer = outcome(layer.get('k'));
      await inner.advance(90);
      store.release();
      expect(await answer).toBe('ok');
    }
    expect(recorded.circuit).toEqual([]);
  });

  it('a busy event loop does not open the circuit by its own timeouts while the layer answers other calls', async () => {
    const { layer, inner, store, recorded } = busy();
    const reads = Array.from({ length: 20 }, () => outcome(layer.get('late')));
    store.mode = 'up';
    expect(await outcome(layer.get('soon'))).toBe('ok');
    await inner.advance(400);
    expect(new Set(await Promise.all(reads))).toEqual(new Set(['LAYER_TIMEOUT']));
    expect(recorded.circuit).toEqual([]);
  });

  it('a busy event loop opens the circuit of a layer that answers no call', async () => {
    const { layer, inner, recorded } = busy();
    const reads = Array.from({ length: 20 }, () => outcome(layer.get('late')));
    await inner.advance(400);
    await Promise.all(reads);
    expect(recorded.circuit).toEqual([CircuitState.open]);
  });

  it('a busy event loop does not count waits as slow that took as long as the loop was busy', async () => {
    const { layer, inner, store, recorded } = busy();
    const reads = Array.from({ length: 20 }, () => outcome(layer.get('k')));
    await inner.advance(130);
    store.release();
    expect(new Set(await Promise.all(reads))).toEqual(new Set(['ok']));
    expect(recorded.circuit).toEqual([]);
  });

  it('a layer has half of its deadline left once the loop is idle again', async () => {
    const { layer, inner, store, recorded, rest } = busy();
    const read = outcome(layer.get('k'));
    await inner.advance(150);
    rest(1);
    await inner.advance(20);
    store.release();
    expect(await read).toBe('ok');
    expect(recorded.circuit).toEqual([]);
  });

  it('a layer that answers other calls has up to twenty times the deadline', async () => {
    const { layer, inner, store, recorded } = busy();
    const [patient, lost] = [outcome(layer.get('patient')), outcome(layer.get('lost'))];
    const answerOthers = async (forMs: number) => {
      store.mode = 'up';
      for (let ms = 0; ms < forMs; ms += 50) {
        await layer.get('soon');
        await inner.advance(50);
      }
    };
    await answerOthers(1_000);
    store.release(1);
    expect(await patient).toBe('ok');
    await answerOthers(1_200);
    expect(await lost).toBe('LAYER_TIMEOUT');
    expect(recorded.circuit).toEqual([]);
  });

  it('a silent layer is given up once the loop was idle, and after twice the deadline', async () => {
    const { layer, inner, rest } = busy({ breaker: false });
    const [first, second] = [outcome(layer.get('k')), outcome(layer.get('k'))];
    await inner.advance(105);
    rest(50);
    await inner.advance(5);
    expect(await Promise.race([first, 'waiting'])).toBe('LAYER_TIMEOUT');
    expect(await second).toBe('LAYER_TIMEOUT');
    const third = outcome(layer.get('k'));
    await inner.advance(199);
    expect(await Promise.race([third, settle().then(() => 'waiting')])).toBe('waiting');
    await inner.advance(1);
    expect(await third).toBe('LAYER_TIMEOUT');
  });
});

describe('a large batch', () => {
  const keys = Array.from({ length: 1_200 }, (_, at) => `k${at}`);

  it('a large batch is read in concurrent parts', async () => {
    const { layer, store } = make();
    const read = Promise.resolve(layer.getMany(keys));
    await settle();
    expect(store.asked.map((asked) => asked.split(',').length)).toEqual([500, 500, 200]);
    expect(await read).toHaveLength(1_200);
  });

  it('a large batch of loaded values is written in parts, each with its own deadline', async () => {
    const { layer, store, entry, clock, recorded } = make();
    store.delayMs = 40;
    const writing = Promise.resolve(layer.setMany(keys.map((key) => [key, entry(1), new LoadTicket()] as const)));
    await settle();
    expect(store.asked.map((asked) => asked.split(',').length)).toEqual([500]);
    await clock.advance(120);
    await writing;
    expect(store.entries.size).toBe(1_200);
    expect(recorded.circuit).toEqual([]);
  });
});

describe('the circuit', () => {
  it('the circuit opens when half of at least five calls fail, and then does not call the layer', async () => {
    const { store, layer, recorded } = make();
    store.mode = 'down';
    await fail(layer, 4);
    expect(recorded.circuit).toEqual([]);
    await fail(layer, 1);
    expect(recorded.circuit).toEqual([CircuitState.open]);
    store.asked.length = 0;
    expect(await outcome(layer.get('k'))).toBe('CIRCUIT_OPEN');
    expect(store.asked).toEqual([]);
  });

  it('the circuit does not delay notes to other processes when it is open, and queues them', async () => {
    const { layer, store, clock } = make();
    store.mode = 'hung';
    const waited = outcome(layer.coordination!.publish({ keys: ['a'] }));
    await clock.advance(100);
    expect(await waited).toBe('LAYER_TIMEOUT');

    store.mode = 'down';
    await fail(layer);
    store.mode = 'hung';
    expect(await outcome(layer.coordination!.publish({ keys: ['b'] }))).toBe('CIRCUIT_OPEN');
    expect(store.asked).toContain('publish b');
  });

  it('the circuit logs its opening once and its closing once, for any number of failed probes', async () => {
    const { clock, store, layer, recorded } = make();
    store.mode = 'down';
    await fail(layer, 5);
    for (let second = 0; second < 30; second++) await clock.advance(1_000);
    expect(recorded.circuit.length).toBeGreaterThan(10);
    store.mode = 'up';
    await clock.advance(5_000);
    expect(recorded.logs.map(({ code }) => code)).toEqual(['CIRCUIT_OPEN', 'CIRCUIT_CLOSED']);
  });

  it('the circuit counts slow calls', async () => {
    const { clock, store, layer, recorded } = make({ breaker: { slowCall: 20 } });
    store.delayMs = 30;
    for (let turn = 0; turn < 5; turn++) {
      const read = outcome(layer.get('k'));
      await clock.advance(30);
      expect(await read).toBe('ok');
    }
    expect(recorded.circuit).toEqual([CircuitState.open]);
  });

  it('the circuit opens when no call succeeded for a tenth of the window, for any number of earlier successes', async () => {
    const { clock, store, layer, recorded } = make();
    for (let turn = 0; turn < 1_000; turn++) await layer.get('k');
    store.mode = 'down';
    await fail(layer, 50);
    await clock.advance(999);
    await fail(layer, 1);
    expect(recorded.circuit).toEqual([]);
    await clock.advance(1);
    await fail(layer, 1);
    expect(recorded.circuit).toEqual([CircuitState.open]);
  });

  it('the circuit stays closed while some calls succeed and fewer than half fail', async () => {
    const { clock, store, layer, recorded } = make();
    for (let second = 0; second < 20; second++) {
      await layer.get('k');
      await layer.get('k');
      store.mode = 'down';
      await fail(layer, 1);
      store.mode = 'up';
      await clock.advance(1_000);
    }
    expect(recorded.circuit).toEqual([]);
  });

  it('the circuit drops failures that have left the window', async () => {
    const { clock, store, layer, recorded } = make();
    store.mode = 'down';
    await fail(layer, 4);
    await clock.advance(11_000);
    await fail(layer, 4);
    expect(recorded.circuit).toEqual([]);
  });

  it('the circuit sends one probe after a second, and closes or opens again by its result', async () => {
    const { clock, store, layer, recorded } = make();
    store.mode = 'down';
    await fail(layer);
    store.asked.length = 0;
    await clock.advance(1_000);
    expect(store.asked).toEqual(['connect']);
    expect(recorded.circuit).toEqual([CircuitState.open, CircuitState.halfOpen, CircuitState.open]);
    store.mode = 'up';
    await clock.advance(1_000);
    expect(recorded.circuit.slice(3)).toEqual([CircuitState.halfOpen, CircuitState.closed]);
    expect(await outcome(layer.get('k'))).toBe('ok');
  });

  it('the circuit refuses calls while the probe runs, and gives a hung probe up', async () => {
    const { clock, store, layer, recorded } = make();
    store.mode = 'hung';
    const reads = Promise.all(Array.from({ length: 5 }, () => outcome(layer.get('k'))));
    await clock.advance(100);
    await reads;
    await clock.advance(1_000);
    expect(layer.status().circuitState).toBe(CircuitState.halfOpen);
    expect(await outcome(layer.get('k'))).toBe('CIRCUIT_OPEN');
    await clock.advance(100);
    expect(recorded.circuit.at(-1)).toBe(CircuitState.open);
  });

  it('the circuit opens after one call if neither it nor the probes of the next second are answered', async () => {
    const { clock, store, layer, recorded } = make();
    store.mode = 'hung';
    const read = outcome(layer.get('k'));
    await clock.advance(1_199);
    expect([await read, recorded.circuit]).toEqual(['LAYER_TIMEOUT', []]);
    await clock.advance(1);
    expect(recorded.circuit).toEqual([CircuitState.open]);
    expect(layer.status().failure).toMatch(/^Layer 'store' did not answer/);
    expect(store.asked).toEqual(['get k', 'connect', 'connect']);
  });

  it('the circuit opens after one call that is not answered, though timers fire a little early', async () => {
    const { clock, store, layer, recorded } = make();
    const after = clock.after.bind(clock);
    clock.after = (ms, callback) => after(ms > 500 ? ms - 0.5 : ms, callback);
    store.mode = 'hung';
    void outcome(layer.get('k'));
    await clock.advance(1_300);
    expect(recorded.circuit).toEqual([CircuitState.open]);
  });

  it('the circuit opens after one note in the background that is not answered', async () => {
    const { clock, store, layer, recorded } = make();
    store.mode = 'hung';
    const note = outcome(layer.sharedMap!('fleet').publish('a', new Uint8Array(), 1_000));
    await clock.advance(3_099);
    expect([await note, recorded.circuit]).toEqual(['LAYER_TIMEOUT', []]);
    await clock.advance(1);
    expect(recorded.circuit).toEqual([CircuitState.open]);
  });

  it.each([
    ['another call', (layer: Layer) => outcome(layer.get('other')), ['get k', 'connect', 'get other']],
    ['a probe', () => Promise.resolve('ok'), ['get k', 'connect', 'connect']],
  ])(
    'the circuit stays closed, without further probes, if %s is answered after a call that was not',
    async (_, call, asked) => {
      const { clock, store, layer, recorded } = make();
      store.mode = 'hung';
      const read = outcome(layer.get('k'));
      await clock.advance(100);
      expect(await read).toBe('LAYER_TIMEOUT');
      store.mode = 'up';
      expect(await call(layer)).toBe('ok');
      await clock.advance(10_000);
      expect(store.asked).toEqual(asked);
      expect(recorded.circuit).toEqual([]);
    },
  );

  it('the circuit opens after the configured number of calls and share of failures', async () => {
    const few = make({ breaker: { minimumCalls: 2 } });
    few.store.mode = 'down';
    await fail(few.layer, 1);
    expect(few.recorded.circuit).toEqual([]);
    await fail(few.layer, 1);
    expect(few.recorded.circuit).toEqual([CircuitState.open]);
    const most = make({ breaker: { threshold: 0.8 } });
    await fail(most.layer, 2);
    most.store.mode = 'down';
    await fail(most.layer, 7);
    expect(most.recorded.circuit).toEqual([]);
    await fail(most.layer, 1);
    expect(most.recorded.circuit).toEqual([CircuitState.open]);
  });

  it('the circuit sends the probe after the configured time', async () => {
    const { clock, store, layer, recorded } = make({ breaker: { halfOpenAfter: '3s' } });
    store.mode = 'down';
    await fail(layer);
    await clock.advance(2_999);
    expect(recorded.circuit).toEqual([CircuitState.open]);
    await clock.advance(1);
    expect(recorded.circuit[1]).toBe(CircuitState.halfOpen);
  });

  it('the circuit says why it is open, until it closes', async () => {
    const hung = make();
    hung.store.mode = 'hung';
    const reads = Promise.all(Array.from({ length: 5 }, () => outcome(hung.layer.get('k'))));
    await hung.clock.advance(100);
    await reads;
    expect(hung.layer.status().failure).toMatch(/^Layer 'store' did not answer within 100 ms\. Raise/);
    hung.store.release();
    await hung.clock.advance(1_100);
    expect(hung.layer.status().failure).toBeUndefined();

    const slow = make({ breaker: { slowCall: 20 } });
    slow.store.delayMs = 30;
    const answers = Promise.all(Array.from({ length: 5 }, () => outcome(slow.layer.get('k'))));
    await slow.clock.advance(30);
    await answers;
    expect(slow.layer.status().failure).toBe('it takes longer than 20 ms to answer.');
  });

  it('the circuit can be turned off', async () => {
    const { store, layer, recorded } = make({ breaker: false });
    store.mode = 'down';
    await fail(layer, 50);
    expect(store.asked).toHaveLength(50);
    expect(recorded.circuit).toEqual([]);
  });
});

describe('an invalidation that did not reach the layer', () => {
  it('an undelivered invalidation hides its entries until it is applied', async () => {
    const { clock, store, layer, entry } = make();
    await layer.set('a', entry(1));
    await layer.set('b', entry(2, { tags: ['red'] }));
    await layer.set('c', entry(3));
    store.mode = 'down';
    await outcome(layer.delete('a'));
    await outcome(layer.invalidateTags(['red']));
    store.mode = 'up';
    expect((await layer.getMany(['a', 'b', 'c'])).map((one) => one?.value)).toEqual([undefined, undefined, 3]);
    store.asked.length = 0;
    await clock.advance(1_000);
    expect(store.asked).toEqual(['tags red', 'deleteMany a']);
    await layer.set('b', entry('new', { tags: ['red'] }));
    expect((await layer.get('b'))?.value).toBe('new');
  });

  it('an undelivered invalidation is applied before the circuit closes', async () => {
    const { clock, store, layer, recorded, entry } = make();
    await layer.set('a', entry(1));
    store.mode = 'down';
    await fail(layer);
    await outcome(layer.delete('a'));
    store.mode = 'up';
    store.asked.length = 0;
    await clock.advance(1_000);
    expect(store.asked.slice(0, 2)).toEqual(['connect', 'deleteMany a']);
    expect(recorded.circuit.at(-1)).toBe(CircuitState.closed);
    expect(await layer.get('a')).toBeUndefined();
  });

  it('an undelivered invalidation becomes "everything" when there are too many', async () => {
    const { clock, store, layer, entry } = make();
    await layer.set('kept', entry(1));
    store.mode = 'down';
    await outcome(layer.deleteMany(Array.from({ length: 10_001 }, (_, index) => `k${index}`)));
    store.mode = 'up';
    expect(await layer.get('kept')).toBeUndefined();
    await clock.advance(1_000);
    expect(store.asked).toContain('clear');
  });

  it('an undelivered invalidation covers the old value of a set that failed', async () => {
    const { clock, store, layer, entry } = make();
    await layer.set('a', entry('old'));
    store.mode = 'down';
    await outcome(layer.set('a', entry('new')));
    store.mode = 'up';
    expect(await layer.get('a')).toBeUndefined();
    await clock.advance(1_000);
    expect(store.entries.has('a')).toBe(false);
  });
});

describe('write-behind', () => {
  it('write-behind coalesces by key, writes in batches, and returns queued values to readers', async () => {
    const { clock, store, layer, entry, recorded } = make({ writes: { batchSize: 2 } });
    for (const [key, value] of [
      ['a', 1],
      ['b', 1],
      ['a', 2],
      ['c', 1],
    ] as const)
      await layer.set(key, entry(value));
    expect(store.asked).toEqual([]);
    expect((await layer.get('a'))?.value).toBe(2);
    expect(layer.status().queueDepth).toBe(3);
    await clock.advance(5);
    expect(store.asked).toEqual(['setMany a,b', 'setMany c']);
    expect(store.entries.get('a')?.value).toBe(2);
    expect(recorded.depths.at(-1)).toBe(0);
  });

  it('a deletion cancels a queued write, and waits for a running batch', async () => {
    const { clock, store, layer, entry } = make({ writes: 'behind' });
    await layer.set('a', entry(1));
    expect(await layer.delete('a')).toBe(true);
    await clock.advance(5);
    expect(store.asked).toEqual(['delete a']);
    await layer.set('b', entry(1));
    store.mode = 'hung';
    await clock.advance(5);
    const deletion = layer.delete('b');
    await settle();
    expect(store.asked.at(-1)).toBe('setMany b');
    store.release();
    await deletion;
    expect(store.asked.at(-1)).toBe('delete b');
    expect(store.entries.has('b')).toBe(false);
  });

  it('write-behind drops the oldest write above the configured number of bytes', async () => {
    const { store, layer, entry, recorded } = make({ writes: { maxQueueBytes: 5_000 } });
    store.mode = 'down';
    for (let index = 0; index < 10; index++) await layer.set(`k${index}`, entry('x'.repeat(1_000)));
    expect(recorded.dropped).toBeGreaterThan(0);
    expect(layer.status().queueDepth).toBeLessThan(6);
    expect((await layer.get('k9'))?.value).toBe('x'.repeat(1_000));
  });

  it('write-behind continues after an outage, skips expired entries, and counts dropped ones', async () => {
    const { clock, store, layer, entry, recorded } = make({ writes: { maxQueue: 3 } });
    store.mode = 'down';
    await fail(layer);
    for (const key of ['a', 'b', 'c', 'd']) await layer.set(key, entry(key, { ttl: key === 'b' ? 300 : 60_000 }));
    expect(recorded.dropped).toBe(1);
    expect(layer.status().writesDropped).toBe(1);
    store.mode = 'up';
    await clock.advance(3_000);
    expect([...store.entries.keys()]).toEqual(['c', 'd']);
  });

  it('write-behind is drained on disconnect, and the rest is reported', async () => {
    const up = make({ writes: 'behind' });
    await up.layer.set('a', up.entry(1));
    await up.layer.disconnect();
    expect(up.store.entries.has('a')).toBe(true);
    const down = make({ writes: 'behind' });
    down.store.mode = 'hung';
    await down.layer.set('a', down.entry(1));
    const closing = Promise.resolve(down.layer.disconnect());
    await down.clock.advance(2_000);
    await closing;
    expect(down.recorded.logs.map(({ code }) => code)).toContain('WRITES_LOST');
  });
});
