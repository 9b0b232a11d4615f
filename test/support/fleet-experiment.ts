import type { Clock } from '../../lib/cache/base/clock.js';
import type { SharedMap } from '../../lib/cache/layers/layer.js';
import { memoryLayer } from '../../lib/cache/layers/memory-layer.js';
import { createObservedCache } from '../../lib/wiring/create-observed-cache.js';
import { SharedLadders } from '../../lib/fleet/shared-ladders.js';
import { figuresBytes, readFigures } from '../../lib/insight/ladder-figures.js';
import type { TtlLadder } from '../../lib/insight/ladder-report.js';
import type { ObservedCache } from '../../lib/wiring/observed-cache.js';
import { HandClock } from './hand-clock.js';
import { ScriptedLayer, SharedServer } from './scripted-layer.js';
import { playTraffic, seededRandom, type TrafficOptions } from './seeded-traffic.js';
import type { Realised } from './ttl-experiment.js';

const TIMES = [1 / 4, 1 / 2, 1, 2, 4, 8, 16, 64];
const PATTERN = 'item:*';
const EVERY_MS = 5_000;
/** Accesses after which the recorded calls of the layers are discarded. */
const FORGOTTEN_EVERY = 500;
/** How much later each instance starts than the one before. */
const APART_MS = 1_300;

interface Happening {
  readonly at: number;
  readonly index: number;
  readonly instance: number;
  readonly what: 'ask' | 'change' | 'announce';
}

export interface FleetOfLadders {
  /** What the first instance reports for the whole fleet. */
  readonly ladder: TtlLadder;
  /** What each instance reports for itself. */
  readonly alone: readonly TtlLadder[];
  /** The real results of the fleet with each TTL that is not withheld. */
  readonly realised: readonly Realised[];
}

/** Plays traffic over instances with one shared layer, and then with each of the other TTLs. */
export async function fleetExperiment(
  traffic: TrafficOptions,
  ttlMs: number,
  { instances = 4, exchanges = true }: { readonly instances?: number; readonly exchanges?: boolean } = {},
): Promise<FleetOfLadders> {
  const random = seededRandom(traffic.seed + 7_777);
  const happenings: Happening[] = [];
  playTraffic(traffic, (at, index, what) => {
    happenings.push({ at, index, what, instance: Math.floor(random() * instances) });
  });
  const played = await play(traffic, happenings, ttlMs, instances, exchanges);
  const realised: Realised[] = [];
  for (const times of TIMES) {
    const rung = played.ladder.ladder.find((one) => one.ttlMs === ttlMs * times);
    if (rung?.hitRate === null) continue;
    realised.push((await play(traffic, happenings, ttlMs * times, instances, undefined)).realised);
  }
  return { ladder: played.ladder, alone: played.alone, realised };
}

/** @param exchanges undefined: without insight. */
async function play(
  { keys, seconds }: TrafficOptions,
  happenings: readonly Happening[],
  ttlMs: number,
  instances: number,
  exchanges: boolean | undefined,
): Promise<{ ladder: TtlLadder; alone: TtlLadder[]; realised: Realised }> {
  const clock = new HandClock();
  const startedAt = clock.now();
  const server = new SharedServer();
  const layers: ScriptedLayer[] = [];
  const caches: ObservedCache[] = [];
  const notes = new Map<string, Uint8Array>();
  const ladders: SharedLadders[] = [];
  const timers = exchangeTimers(clock);
  for (let one = 0; one < instances; one++) {
    const layer = new ScriptedLayer('redis', server);
    const cache = createObservedCache({
      clock,
      ttl: ttlMs,
      namespace: 'shop',
      alerts: false,
      layers: [memoryLayer({ maxEntries: 1_000_000, maxBytes: '1gb' }), layer.factory()],
      metrics: exchanges === undefined ? false : { patternOf: () => PATTERN },
    });
    await cache.connect();
    if (exchanges === true) {
      const shared = new SharedLadders({
        insight: cache.insight,
        sharedMap: memoryMap(notes),
        everyMs: EVERY_MS,
        clock: timers.clock,
      });
      clock.after(one * APART_MS, () => shared.onApplicationBootstrap());
      ladders.push(shared);
    }
    layers.push(layer);
    caches.push(cache);
  }
  const versions = new Uint32Array(keys);
  let accesses = 0;
  let hits = 0;
  let stale = 0;
  for (const { at, index, what, instance } of happenings) {
    const cache = caches[instance]!;
    clock.turnTo(startedAt + at * 1_000);
    if (what === 'ask') {
      accesses++;
      let loaded = false;
      const answer = cache.getOrSet(`item:${index}`, () => {
        loaded = true;
        return versions[index]!;
      });
      const value = answer instanceof Promise ? await answer : answer;
      if (!loaded) {
        hits++;
        if (value !== versions[index]) stale++;
      }
    } else {
      versions[index]! += 1;
      if (what === 'announce') await cache.del(`item:${index}`);
    }
    if (accesses % FORGOTTEN_EVERY === 0) for (const layer of layers) layer.take();
    while (timers.running > 0) await new Promise((resolve) => setImmediate(resolve));
  }
  clock.turnTo(startedAt + seconds * 1_000);
  const alone = caches.map(({ insight }) => insight.ttlLadder(PATTERN));
  const others = caches.slice(1).map(({ insight }) => readFigures(figuresBytes(atOnce(insight.ladderFigures())))!);
  const ladder = caches[0]!.insight.ttlLadderWith(others, PATTERN);
  for (const shared of ladders) await shared.onApplicationShutdown();
  for (const cache of caches) await cache.close();
  const realised = {
    ttlMs,
    hitRate: hits / accesses,
    staleShare: hits === 0 ? 0 : stale / hits,
    loads: accesses - hits,
  };
  return { ladder, alone, realised };
}

/** A clock that counts exchanges: `running` is the number of those that began and have not planned the next one. */
function exchangeTimers(clock: Clock) {
  const timers = {
    running: 0,
    clock: {
      now: () => clock.now(),
      after(delayMs: number, task: () => void) {
        if (delayMs !== EVERY_MS) return clock.after(delayMs, task);
        if (timers.running > 0) timers.running--;
        return clock.after(delayMs, () => {
          timers.running++;
          task();
        });
      },
    },
  };
  return timers;
}

function memoryMap(notes: Map<string, Uint8Array>): SharedMap {
  return {
    publish: async (slot, bytes) => void notes.set(slot, bytes.slice()),
    read: async (slot) => notes.get(slot),
    readAll: async () => new Map(notes),
    withdraw: async (slot) => void notes.delete(slot),
  };
}

function atOnce<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
