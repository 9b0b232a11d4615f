import { beforeEach, describe, expect, it } from '@jest/globals';
import type { SharedMap } from '../../../lib/cache/layers/layer.js';
import { LoadNotes, readNotes } from '../../../lib/fleet/load-notes.js';
import { SharedLoads } from '../../../lib/fleet/shared-loads.js';
import { createObservedCache, memoryLayer, type ObservedCache } from '../../../lib/index.js';
import { ScriptedLayer, SharedServer } from '../../support/scripted-layer.js';
import { ManualClock, settle } from '../../support/manual-clock.js';

const EVERY = 5_000;

describe('shared loads', () => {
  let clock: ManualClock;
  let notes: Map<string, Uint8Array>;
  let server: SharedServer;
  const sharedMap: SharedMap = {
    publish: async (slot, bytes) => void notes.set(slot, bytes),
    read: async (slot) => notes.get(slot),
    readAll: async () => new Map(notes),
    withdraw: async (slot) => void notes.delete(slot),
  };
  const instance = () => {
    const layers = [memoryLayer(), new ScriptedLayer('remote', server).factory()];
    const cache = createObservedCache({ clock, namespace: 'shop', ttl: '4s', layers });
    const shared = new SharedLoads({ insight: cache.insight, sharedMap, everyMs: EVERY, clock });
    shared.onApplicationBootstrap();
    return { cache, shared };
  };

  beforeEach(() => {
    clock = new ManualClock();
    notes = new Map();
    server = new SharedServer();
  });

  /** Both instances request the key, the second one `laterMs` later. Loads take a second. */
  const rounds = async (caches: readonly ObservedCache[], laterMs: number, policy: { lock?: boolean } = {}) => {
    let loads = 0;
    const load = async () => {
      loads += 1;
      await new Promise<void>((resolve) => void clock.after(1_000, resolve));
      return 1;
    };
    for (let round = 0; round < 50; round++) {
      for (const cache of caches) {
        void cache.getOrSet(`price:${round % 5}`, load, policy);
        await clock.advance(laterMs);
      }
      await clock.advance(EVERY);
    }
    await clock.advance(4 * EVERY);
    return loads;
  };

  it('shared loads are found if instances load a key at the same time, and the lock spares as many as predicted', async () => {
    const fleet = Array.from({ length: 4 }, instance);
    const caches = fleet.map(({ cache }) => cache);
    const startedAt = clock.now();
    const loads = await rounds(caches, 10);
    const hours = (clock.now() - startedAt) / 3_600_000;
    const [advice] = caches[0]!.insight
      .recommendations({ pattern: 'price:*' })
      .filter(({ code }) => code === 'SHARE_LOADS');
    expect(advice).toMatchObject({ change: { option: 'lock', from: false, to: true }, evidence: { instances: 4 } });
    expect(advice!.evidence['overlappingShare']).toBeGreaterThan(0.9);

    clock = new ManualClock();
    notes = new Map();
    server = new SharedServer();
    const locked = Array.from({ length: 4 }, instance);
    const fewer = await rounds(
      locked.map(({ cache }) => cache),
      10,
      { lock: true },
    );
    const predicted = advice!.predicted.loadsPerHour! * hours * 4;
    expect(Math.abs(fewer - predicted) / loads).toBeLessThan(0.05);
    expect(locked[0]!.shared.of('price:*')?.overlapping ?? 0).toBe(0);
  });

  it('shared loads are absent if instances load one after the other', async () => {
    const both = [instance(), instance()];
    await rounds(
      both.map(({ cache }) => cache),
      1_500,
    );
    const codes = both[0]!.cache.insight.recommendations().map(({ code }) => code);
    expect(codes).not.toContain('SHARE_LOADS');
  });

  it('shared loads withdraw their notes at the end, and ignore unreadable notes', async () => {
    const { shared, cache } = instance();
    notes.set('other', new Uint8Array([1, 2, 3]));
    await cache.getOrSet('price:1', () => 1);
    await clock.advance(EVERY);
    expect(notes.size).toBe(2);
    await shared.onApplicationShutdown();
    await settle();
    expect([...notes.keys()]).toEqual(['other']);
    expect(shared.of('price:*')).toBeUndefined();
  });
});

describe('notes of loads', () => {
  it('notes of loads are read as they were written, with the smallest hashes if there are many', () => {
    const own = new LoadNotes();
    for (let n = 0; n < 5_000; n++) own.add((n * 2_654_435_761) >>> 0, 'a:*', n, n + 1);
    const read = readNotes(own.bytes())!;
    expect(read.loads.length).toBeLessThanOrEqual(256);
    expect(read.limit).toBe(own.limit);
    expect(read.loads.every(({ hash }) => hash < read.limit)).toBe(true);
    own.forget(Infinity);
    expect(readNotes(own.bytes())).toEqual({ limit: read.limit * 2, loads: [] });
  });

  it.each([
    ['nothing', new Uint8Array()],
    ['other bytes', new Uint8Array(64).fill(7)],
    ['too many', new Uint8Array(100_000)],
  ])('notes of loads are refused if they are %s', (_what, bytes) => {
    expect(readNotes(bytes)).toBeUndefined();
  });
});
