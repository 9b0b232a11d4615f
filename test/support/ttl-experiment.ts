import { createObservedCache } from '../../lib/wiring/create-observed-cache.js';
import { memoryLayer } from '../../lib/cache/layers/memory-layer.js';
import type { TtlLadder } from '../../lib/insight/ladder-report.js';
import { HandClock } from './hand-clock.js';
import { playTraffic, seededRandom, type TrafficOptions } from './seeded-traffic.js';

/** The real results of a cache with one TTL for the traffic. */
export interface Realised {
  readonly ttlMs: number;
  readonly hitRate: number;
  readonly staleShare: number;
  readonly loads: number;
}

const TIMES = [1 / 4, 1 / 2, 1, 2, 4, 8, 16, 64];
const PATTERN = 'item:*';
/** Accesses after which pending promises settle. */
const SETTLED_EVERY = 2_000;

/** One event of the traffic, at so many seconds from the beginning. */
interface Happening {
  readonly at: number;
  readonly key: string;
  readonly index: number;
  readonly what: 'ask' | 'change' | 'announce';
}

/** Plays traffic through a cache with today's TTL, and through one for each rung of its ladder that is not withheld. */
export async function ladderExperiment(
  traffic: TrafficOptions,
  ttlMs: number,
): Promise<{ ladder: TtlLadder; realised: Realised[] }> {
  const names = Array.from({ length: traffic.keys }, (_, key) => `item:${key}`);
  const happenings: Happening[] = [];
  playTraffic(traffic, (at, index, what) => void happenings.push({ at, key: names[index]!, index, what }));
  const { ladder } = await run(traffic, happenings, ttlMs, true);
  const realised: Realised[] = [];
  for (const times of TIMES) {
    const isWithheld = ladder.ladder.find((rung) => rung.ttlMs === ttlMs * times)?.hitRate === null;
    if (isWithheld) realised.push({ ttlMs: ttlMs * times, hitRate: NaN, staleShare: NaN, loads: NaN });
    else realised.push((await run(traffic, happenings, ttlMs * times, false)).realised);
  }
  return { ladder, realised };
}

async function run(
  { keys, seconds, seed }: TrafficOptions,
  happenings: readonly Happening[],
  ttlMs: number,
  insight: boolean,
): Promise<{ ladder: TtlLadder; realised: Realised }> {
  const clock = new HandClock();
  const startedAt = clock.now();
  const cache = createObservedCache({
    clock,
    random: seededRandom(seed),
    ttl: ttlMs,
    namespace: 'shop',
    layers: [memoryLayer({ maxEntries: 1_000_000, maxBytes: '1gb' })],
    metrics: insight ? { patternOf: () => PATTERN } : false,
  });
  const versions = new Uint32Array(keys);
  let accesses = 0;
  let hits = 0;
  let stale = 0;
  let pending: Promise<unknown>[] = [];
  for (const { at, key, index, what } of happenings) {
    clock.turnTo(startedAt + at * 1_000);
    if (what === 'ask') {
      accesses++;
      let loaded = false;
      const load = () => {
        loaded = true;
        return versions[index]!;
      };
      pending.push(cache.getOrSet(key, load));
      if (!loaded) {
        hits++;
        if (cache.peek(key) !== versions[index]) stale++;
      }
    } else {
      versions[index]! += 1;
      if (what === 'announce') pending.push(cache.del(key));
    }
    if (pending.length < SETTLED_EVERY) continue;
    await Promise.all(pending);
    pending = [];
  }
  await Promise.all(pending);
  clock.turnTo(startedAt + seconds * 1_000);
  const ladder = cache.insight.ttlLadder(PATTERN);
  await cache.close();
  return {
    ladder,
    realised: { ttlMs, hitRate: hits / accesses, staleShare: hits === 0 ? 0 : stale / hits, loads: accesses - hits },
  };
}
