import { afterEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { type KeptEntry, ownEntry } from '../../lib/cache/entries/kept-entry.js';
import type { Entry } from '../../lib/cache/entries/entry.js';
import { textHash } from '../../lib/cache/base/text-hash.js';
import { ExpiryWheel } from '../../lib/cache/layers/memory/expiry-wheel.js';
import { Ghosts } from '../../lib/cache/layers/memory/ghosts.js';
import type { Eviction } from '../../lib/cache/layers/memory/eviction-policy.js';
import { type MemoryLayer, memoryLayer } from '../../lib/cache/layers/memory-layer.js';
import { EvictionReason } from '../../lib/cache/base/observer.js';
import { layerContext, recordEvents } from '../support/layer-context.js';
import { ManualClock } from '../support/manual-clock.js';

const MAX_ENTRIES = 8;
const MAX_BYTES = 20_000;

/** Keys that fit into their sets of the ghosts, so that the model needs no sets. */
const KEYS = ((): string[] => {
  const inSet = new Map<number, number>();
  const keys: string[] = [];
  for (let n = 0; keys.length < 24; n++) {
    const set = textHash(`key:${n}`) & 15;
    const taken = inSet.get(set) ?? 0;
    inSet.set(set, taken + 1);
    if (taken < 4) keys.push(`key:${n}`);
  }
  return keys;
})();

interface Kept {
  readonly key: string;
  readonly cost: number;
  readonly removeAt: number;
  size: number;
  asked: number;
  marks: number;
  power: number;
  goesAt: number;
  order: number;
}

type Given = Pick<Kept, 'cost' | 'removeAt' | 'size'>;
type Event = readonly [reason: EvictionReason, key: string | undefined];

/** The policy as documented, computed over all entries each time. */
class WorthModel {
  readonly kept = new Map<string, Kept>();
  readonly #ghosts = new Map<string, { asked: number; itself: boolean; time: number }>();
  #hasGhosts = false;
  #time = 0;
  #lifetime = 0;
  #level = 0;
  #exponent = -2;
  #newcomers = 0.5;
  #meanCost = 0;
  #order = 0;

  get bytes(): number {
    return [...this.kept.values()].reduce((sum, { size }) => sum + size, 0);
  }

  get(key: string, now: number, events: Event[]): boolean {
    const entry = this.kept.get(key);
    if (entry === undefined) return false;
    if (entry.removeAt <= now) {
      expect(events.shift()).toEqual([EvictionReason.expired, key]);
      this.#expire(entry);
      return false;
    }
    entry.marks = Math.min(15, entry.marks + 1);
    return true;
  }

  delete(key: string): void {
    this.kept.delete(key);
  }

  set(key: string, { cost, removeAt, size }: Given, now: number, events: Event[]): void {
    const known = this.kept.get(key);
    if (size > MAX_BYTES / 10) {
      expect(events.shift()).toEqual([EvictionReason.size, key]);
      this.kept.delete(key);
      return;
    }
    const entry: Kept = { key, cost, removeAt, size, asked: 1, marks: 0, power: 0, goesAt: 0, order: 0 };
    if (known === undefined) {
      const ghost = this.#ghosts.get(key);
      this.#ghosts.delete(key);
      if (ghost !== undefined && this.#time - ghost.time <= this.#lifetime) {
        if (!ghost.itself) this.#learn(ghost.asked);
        entry.asked = Math.min(15, ghost.asked + 1);
      }
    } else {
      entry.asked = Math.min(15, known.asked + known.marks);
      if (cost > 0 && known.cost > 0) (entry as { cost: number }).cost = (cost + known.cost) / 2;
      this.kept.delete(key);
    }
    if (entry.cost > 0)
      this.#meanCost = this.#meanCost === 0 ? entry.cost : this.#meanCost + (entry.cost - this.#meanCost) / 64;
    this.makeRoom(1, size, now, events);
    this.kept.set(key, entry);
    this.#queue(entry);
  }

  makeRoom(entries: number, size: number, now: number, events: Event[]): void {
    while (this.kept.size + entries > MAX_ENTRIES || this.bytes + size > MAX_BYTES) {
      const [reason, key] = events.shift() ?? [];
      const expired = [...this.kept.values()].filter(({ removeAt }) => removeAt <= now);
      if (expired.length > 0) {
        expect(reason).toBe(EvictionReason.expired);
        expect(expired.map((entry) => entry.key)).toContain(key);
        this.#expire(this.kept.get(key!)!);
      } else {
        expect([reason, key]).toEqual([EvictionReason.capacity, this.#evict()]);
      }
    }
  }

  #room(): number {
    return Math.min(MAX_ENTRIES, Math.max(64, this.kept.size));
  }

  #evict(): string {
    let next = this.#next();
    while (next.marks > 0) {
      next.asked = Math.min(15, next.asked + next.marks);
      next.marks = 0;
      this.#queue(next);
      next = this.#next();
    }
    this.#level = Math.max(this.#level, next.goesAt);
    this.#newcomers += ((next.asked === 1 ? 1 : 0) - this.#newcomers) / this.#room();
    this.#hasGhosts = true;
    this.#remember(next.key, next.asked, false);
    this.kept.delete(next.key);
    return next.key;
  }

  #expire(entry: Kept): void {
    this.#remember(entry.key, Math.min(15, entry.asked + entry.marks), true);
    this.kept.delete(entry.key);
  }

  #remember(key: string, asked: number, itself: boolean): void {
    if (!this.#hasGhosts) return;
    this.#lifetime = this.#room();
    this.#ghosts.set(key, { asked, itself, time: ++this.#time });
  }

  #learn(asked: number): void {
    const step = 7 / this.#room();
    const once = Math.min(0.999, Math.max(0.001, this.#newcomers));
    const by = asked === 1 ? step * Math.max(1, (1 - once) / once) : -step * Math.max(1, once / (1 - once));
    this.#exponent = Math.min(4, Math.max(-3, this.#exponent + by));
  }

  #queue(entry: Kept): void {
    const newcomer = 2 ** this.#exponent;
    const counts = entry.asked === 1 ? newcomer : Math.max(entry.asked, newcomer);
    const cost = Math.sqrt(entry.cost > 0 ? entry.cost : this.#meanCost || 1);
    const share = Math.max(1 / MAX_ENTRIES, entry.size / MAX_BYTES);
    entry.power = Math.max(-32, Math.min(63, Math.floor(Math.log2((counts * cost) / share))));
    const step = 2 ** (entry.power - 16);
    entry.goesAt = Math.floor(this.#level / step) * step + 2 ** entry.power;
    entry.order = ++this.#order;
  }

  #next(): Kept {
    return [...this.kept.values()].sort((a, b) => a.goesAt - b.goesAt || a.power - b.power || a.order - b.order)[0]!;
  }
}

function make(eviction: Eviction = 'worth', bounds = { maxEntries: MAX_ENTRIES, maxBytes: MAX_BYTES }) {
  const clock = new ManualClock(0);
  const events: Event[] = [];
  const layer = memoryLayer({ ...bounds, eviction }).create(
    layerContext('cache', {
      clock,
      events: { ...recordEvents().events, evicted: (reason, _count, key) => events.push([reason, key]) },
    }),
  ) as MemoryLayer;
  return { clock, events, layer };
}

function entryOf({ size, cost, removeAt }: Given, now: number): Entry {
  return {
    value: 1, createdAt: now, freshUntil: removeAt, staleUntil: removeAt, removeAt, tags: [], size, cost, mutable: false,
    json: true, classes: undefined, epoch: 0, meta: undefined, derived: undefined,
  }; // prettier-ignore
}

const key = fc.constantFrom(...KEYS);
const size = fc.oneof(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 2_500 }));
const cost = fc.oneof(
  fc.constant(0),
  fc.double({ min: 0.01, max: 1_000, noNaN: true }),
  fc.constantFrom(1, 1, 1, 1_000_000),
);
const ttl = fc.oneof(fc.constant(Infinity), fc.integer({ min: 1, max: 300 }));
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ what: fc.constant('set' as const), key, size, cost, ttl }) },
  {
    weight: 6,
    arbitrary: fc.record({ what: fc.constant('get' as const), key, times: fc.constantFrom(1, 1, 1, 2, 40) }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('peek' as const), key }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('delete' as const), key }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('hold' as const), key, size }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 200 }) }) },
);

type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

/** Entries of one kind differ only in the frequency of requests and in the learned worth of new entries. */
const ofOneKind = fc.oneof(
  fc.record({
    what: fc.constant('set' as const),
    key,
    size: fc.constant(100),
    cost: fc.constant(1),
    ttl: fc.constant(Infinity),
  }),
  fc.record({ what: fc.constant('get' as const), key, times: fc.constant(1) }),
);

describe('eviction by worth', () => {
  const kinds: readonly (readonly [kind: string, step: fc.Arbitrary<Step>])[] = [
    ['entries of all kinds', step],
    ['entries of one kind', ofOneKind],
  ];
  it.each(kinds)('eviction by worth evicts the entry of least worth, as a search finds it: %s', async (_, oneStep) => {
    await fc.assert(
      fc.asyncProperty(fc.array(oneStep, { minLength: 100, maxLength: 300 }), async (steps) => {
        const { layer, clock, events } = make();
        const model = new WorthModel();
        for (const one of steps) {
          const now = clock.now();
          if (one.what === 'pass') {
            // Below the interval of the sweep.
            if (now + one.ms < 5_000) await clock.advance(one.ms);
          } else if (one.what === 'set') {
            const given = { size: one.size, cost: one.cost, removeAt: now + one.ttl };
            layer.set(one.key, entryOf(given, now));
            model.set(one.key, given, now, events);
          } else if (one.what === 'get') {
            for (let time = 0; time < one.times; time++) {
              const found = layer.get(one.key) !== undefined;
              expect(found).toBe(model.get(one.key, now, events));
            }
          } else if (one.what === 'peek') {
            expect(layer.peek(one.key) !== undefined).toBe(model.kept.has(one.key));
          } else if (one.what === 'delete') {
            if ((model.kept.get(one.key)?.removeAt ?? Infinity) <= now) continue;
            layer.delete(one.key);
            model.delete(one.key);
          } else {
            const entry = layer.peek(one.key) as KeptEntry | undefined;
            if (entry === undefined || entry.derived !== undefined) continue;
            entry.holder!.hold(entry, { size: one.size });
            model.kept.get(one.key)!.size += one.size;
            model.makeRoom(0, 0, now, events);
          }
          if (events.length > 0) expect(events).toEqual([]);
          const status = layer.status();
          if (status.entries !== model.kept.size || status.bytes !== model.bytes)
            expect(status).toMatchObject({ entries: model.kept.size, bytes: model.bytes });
        }
        layer.disconnect();
      }),
      { numRuns: 80 },
    );
  });
});

describe('least recently used', () => {
  it('eviction by recency evicts expired entries first, then the least recently used entry', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 200 }), async (steps) => {
        const { layer, clock, events } = make('lru', { maxEntries: MAX_ENTRIES, maxBytes: 10_000_000 });
        /** The least recently used first. */
        const model = new Map<string, number>();
        for (const one of steps) {
          const now = clock.now();
          if (one.what === 'pass' && now + one.ms < 5_000) await clock.advance(one.ms);
          if (one.what === 'get') {
            const removeAt = model.get(one.key);
            layer.get(one.key);
            if (removeAt !== undefined) {
              model.delete(one.key);
              if (removeAt > now) model.set(one.key, removeAt);
              else expect(events.shift()).toEqual([EvictionReason.expired, one.key]);
            }
          }
          if (one.what === 'set') {
            layer.set(one.key, entryOf({ size: 1, cost: 1, removeAt: now + one.ttl }, now));
            model.delete(one.key);
            if (model.size === MAX_ENTRIES) {
              const expired = [...model].filter(([, removeAt]) => removeAt <= now).map(([name]) => name);
              const [reason, evicted] = events.shift()!;
              if (expired.length > 0) expect(expired).toContain(evicted);
              else expect([reason, evicted]).toEqual([EvictionReason.capacity, model.keys().next().value]);
              model.delete(evicted!);
            }
            model.set(one.key, now + one.ttl);
          }
          expect(events).toEqual([]);
        }
        layer.disconnect();
      }),
      { numRuns: 100 },
    );
  });
});

describe.each(['worth', 'lru'] as const)('memory that evicts by %s', (eviction) => {
  it('memory stays within its limits for any sizes and costs', async () => {
    const wild = fc.record({
      key: fc.nat({ max: 200 }),
      size: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: MAX_BYTES })),
      cost: fc.constantFrom(0, 1e-9, 1, 1e6, 8.64e15),
      anySize: fc.boolean(),
      derived: fc.integer({ min: 0, max: 2 * MAX_BYTES }),
    });
    await fc.assert(
      fc.property(fc.array(wild, { maxLength: 300 }), (steps) => {
        const { layer } = make(eviction, { maxEntries: 50, maxBytes: MAX_BYTES });
        for (const { key: name, size: bytes, cost: ms, anySize, derived } of steps) {
          const given = ownEntry(entryOf({ size: bytes, cost: ms, removeAt: Infinity }, 0), anySize);
          layer.set(`key:${name}`, given);
          if (derived % 3 === 0) given.holder?.hold(given, { size: derived });
          const status = layer.status();
          expect(status.entries).toBeLessThanOrEqual(50);
          expect(status.bytes).toBeLessThanOrEqual(MAX_BYTES);
          if (status.entries === 0) expect(status.bytes).toBe(0);
        }
        layer.clear();
        expect(layer.status()).toMatchObject({ entries: 0, bytes: 0 });
      }),
      { numRuns: 100 },
    );
  });

  it('memory removes thousands of expired entries before others', async () => {
    const { layer, clock, events } = make(eviction, { maxEntries: 3_000, maxBytes: 100_000_000 });
    for (let n = 0; n < 3_000; n++) {
      layer.set(`old:${n}`, entryOf({ size: 1, cost: 1, removeAt: n % 3 === 0 ? 700 + (n % 97) : Infinity }, 0));
      layer.get(`old:${n}`);
    }
    await clock.advance(800);
    for (let n = 0; n < 1_000; n++) layer.set(`new:${n}`, entryOf({ size: 1, cost: 1, removeAt: Infinity }, 800));
    expect(events.filter(([reason]) => reason === EvictionReason.expired)).toHaveLength(1_000);
    expect(events).toHaveLength(1_000);
    layer.set('one more', entryOf({ size: 1, cost: 1, removeAt: Infinity }, 800));
    expect(events.at(-1)![0]).toBe(EvictionReason.capacity);
  });
});

describe('the work of an eviction', () => {
  afterEach(() => void jest.restoreAllMocks());

  /** Entries of equal worth with the highest count. */
  const filled = (count: number, maxBytes: number) => {
    const { layer, events } = make('worth', { maxEntries: count, maxBytes });
    for (let n = 0; n < count; n++) {
      layer.set(`key:${n}`, entryOf({ size: 100, cost: 1, removeAt: Infinity }, 0));
      for (let time = 0; time < 20; time++) layer.lookup(`key:${n}`);
    }
    return { layer, events, queued: jest.spyOn(Math, 'log2') };
  };

  it('the work of an eviction is bounded if every entry was used', () => {
    const { layer, queued } = filled(20_000, 100_000_000);
    layer.set('new', entryOf({ size: 100, cost: 1, removeAt: Infinity }, 0));
    expect(queued.mock.calls.length).toBeLessThanOrEqual(65);
  });

  it('the work of an eviction is bounded by the number of evictions if a large entry comes among small ones', () => {
    const { layer, events, queued } = filled(20_000, 2_000_000);
    layer.set('large', ownEntry(entryOf({ size: 200_000, cost: 1, removeAt: Infinity }, 0), true));
    expect(events.length).toBe(2_000);
    expect(queued.mock.calls.length).toBeLessThan(1_024 + 2 * events.length + 2);
  });
});

describe('ghosts', () => {
  it('ghosts remember the entries that left last, up to their limit', () => {
    const ghosts = new Ghosts();
    for (let n = 0; n < 10_000; n++) ghosts.put(textHash(`key:${n}`), 1 + (n % 31), 1_000);
    expect(ghosts.bytes).toBeLessThanOrEqual(2 * 8 * 1_000 + 8 * 64);
    let known = 0;
    for (let n = 9_000; n < 10_000; n++) if (ghosts.take(textHash(`key:${n}`)) === 1 + (n % 31)) known++;
    expect(known).toBeGreaterThan(750);
    for (let n = 0; n < 9_000; n++) expect(ghosts.take(textHash(`key:${n}`))).toBe(0);
  });

  it('ghosts keep their records when they grow', () => {
    const ghosts = new Ghosts();
    for (let n = 0; n < 30; n++) ghosts.put(textHash(`key:${n}`), 7, 64);
    ghosts.put(textHash('other'), 1, 5_000);
    let known = 0;
    for (let n = 0; n < 30; n++) if (ghosts.take(textHash(`key:${n}`)) === 7) known++;
    expect(known).toBeGreaterThan(27);
    expect(ghosts.take(textHash('key:0'))).toBe(0);
  });

  it('ghosts stay bounded if all keys have one fingerprint', () => {
    const ghosts = new Ghosts();
    for (let n = 0; n < 10_000; n++) ghosts.put(42, 1 + (n % 15), 1_000);
    expect(ghosts.take(42)).toBe(1 + (9_999 % 15));
    expect(ghosts.take(42)).toBe(0);
  });
});

describe('the order of expiry', () => {
  it('the order of expiry contains exactly the expired entries, at any distance of their end', () => {
    const end = fc.oneof(
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 10_000 }),
      fc.integer({ min: 1, max: 10 ** 12 }),
      fc.double({ min: 0.1, max: 5_000, noNaN: true }),
    );
    const passing = fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 10 ** 11 }));
    const act = fc.oneof(
      fc.record({ add: end }),
      fc.record({ remove: fc.nat({ max: 50 }) }),
      fc.record({ pass: passing }),
    );
    fc.assert(
      fc.property(fc.array(act, { maxLength: 150 }), (acts) => {
        let now = 1_000_000;
        const wheel = new ExpiryWheel(now);
        const filed: KeptEntry[] = [];
        for (const one of acts) {
          if ('add' in one) {
            const entry = ownEntry(entryOf({ size: 1, cost: 1, removeAt: now + one.add }, now));
            wheel.add(entry);
            filed.push(entry);
          } else if ('remove' in one) {
            const [entry] = filed.splice(one.remove, 1);
            if (entry !== undefined) wheel.remove(entry);
          } else now += one.pass;
          for (let entry = wheel.expired(now); entry !== undefined; entry = wheel.expired(now)) {
            expect(entry.removeAt).toBeLessThanOrEqual(now);
            expect(filed).toContain(entry);
            filed.splice(filed.indexOf(entry), 1);
            wheel.remove(entry);
          }
          // An entry that ends within the current millisecond is found in the next one.
          expect(filed.filter(({ removeAt }) => removeAt <= Math.floor(now))).toEqual([]);
        }
      }),
      { numRuns: 200 },
    );
  });
});
