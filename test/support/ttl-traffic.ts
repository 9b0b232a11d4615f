import type { AutomaticTtl } from '../../lib/cache/policies/automatic-ttl.js';
import { createObservedCache, memoryLayer, type PolicyEvent } from '../../lib/index.js';
import { HandClock } from './hand-clock.js';
import { playTraffic, type TrafficOptions } from './seeded-traffic.js';

/** The results of a cache for the traffic. */
export interface TtlOutcome {
  readonly hits: number;
  readonly hitRate: number;
  /** Share of the hits whose value was outdated. */
  readonly staleShare: number;
  /** The TTLs that an automatic TTL changed to, and when, seconds from the beginning. */
  readonly changes: readonly { readonly at: number; readonly ttlMs: number }[];
  readonly ttlMs: number | null;
  readonly outcome: { readonly predicted: unknown; readonly realised: unknown } | null;
}

const PATTERN = 'item:*';
/** Accesses after which pending promises settle. */
const SETTLED_EVERY = 500;

/** Plays traffic through a cache in memory with this TTL. */
export async function playWithTtl(traffic: TrafficOptions, ttl: number | AutomaticTtl): Promise<TtlOutcome> {
  const clock = new HandClock();
  const startedAt = clock.now();
  const cache = createObservedCache({
    clock,
    ttl,
    namespace: 'shop',
    layers: [memoryLayer({ maxEntries: 1_000_000, maxBytes: '1gb' })],
    metrics: typeof ttl === 'number' ? false : { patternOf: () => PATTERN },
  });
  const changes: { at: number; ttlMs: number }[] = [];
  cache.tuning.watch(({ values }: PolicyEvent) => {
    changes.push({ at: (clock.now() - startedAt) / 1_000, ttlMs: values.ttlMs ?? NaN });
  });
  const versions = new Uint32Array(traffic.keys);
  const totals = { accesses: 0, hits: 0, stale: 0 };
  const events: [at: number, key: number, what: 'ask' | 'change' | 'announce'][] = [];
  playTraffic(traffic, (...event) => void events.push(event));
  let pending: Promise<unknown>[] = [];
  for (const [at, index, what] of events) {
    clock.turnTo(startedAt + at * 1_000);
    const key = `item:${index}`;
    if (what === 'ask') {
      totals.accesses++;
      let loaded = false;
      const load = () => {
        loaded = true;
        return versions[index]!;
      };
      pending.push(cache.getOrSet(key, load));
      if (!loaded) {
        totals.hits++;
        if (cache.peek(key) !== versions[index]) totals.stale++;
      }
    } else {
      versions[index]! += 1;
      if (what === 'announce') pending.push(cache.del(key));
    }
    if (pending.length < SETTLED_EVERY) continue;
    await Promise.all(pending);
    // Lets sliced work continue.
    await new Promise((resolve) => setImmediate(resolve));
    pending = [];
  }
  await Promise.all(pending);
  clock.turnTo(startedAt + traffic.seconds * 1_000);
  const report = cache.tuning.report(PATTERN);
  await cache.close();
  const { hits, stale, accesses } = totals;
  return {
    hits,
    hitRate: hits / accesses,
    staleShare: hits === 0 ? 0 : stale / hits,
    changes,
    ttlMs: report.effective.ttlMs,
    outcome: report.outcome,
  };
}

/** The result of a cache without bounds for the traffic and a fixed TTL, computed without a cache. */
export function workedOut(traffic: TrafficOptions, ttlMs: number): Pick<TtlOutcome, 'hits' | 'staleShare'> {
  const loadedAt = new Float64Array(traffic.keys).fill(-Infinity);
  const versions = new Uint32Array(traffic.keys);
  const kept = new Uint32Array(traffic.keys);
  let hits = 0;
  let stale = 0;
  playTraffic(traffic, (at, key, what) => {
    if (what === 'ask') {
      if (at * 1_000 < loadedAt[key]! + ttlMs) {
        hits++;
        if (kept[key] !== versions[key]) stale++;
        return;
      }
      loadedAt[key] = at * 1_000;
      kept[key] = versions[key]!;
    } else {
      versions[key]! += 1;
      if (what === 'announce') loadedAt[key] = -Infinity;
    }
  });
  return { hits, staleShare: hits === 0 ? 0 : stale / hits };
}
