// Experiments on insight: real caches on a manual clock, compared with the real results of other settings. The seeds of
// the traffic are used by no test.
import { createObservedCache, memoryLayer } from 'nestjs-cache-observability';
import { randomOf } from '../workloads.mjs';

const PATTERN = 'item:*';
const START = Date.UTC(2026, 0, 5);
const exponential = (random, mean) => -Math.log(1 - random()) * mean;

/** A manual clock; it runs tasks that are due. */
export function handClock() {
  let time = START;
  let tasks = [];
  let soonest = Infinity;
  return {
    now: () => time,
    after(delayMs, task) {
      const one = { at: time + delayMs, task };
      tasks.push(one);
      soonest = Math.min(soonest, one.at);
      return () => void (tasks = tasks.filter((other) => other !== one));
    },
    turnTo(to) {
      while (soonest <= to) {
        const due = tasks.filter(({ at }) => at <= soonest);
        tasks = tasks.filter(({ at }) => at > soonest);
        time = Math.max(time, soonest);
        for (const { task } of due) task();
        soonest = tasks.reduce((least, { at }) => Math.min(least, at), Infinity);
      }
      time = Math.max(time, to);
    },
  };
}

/** Ranks below `keys`, popular as 1 / rank^skew. */
export function zipfOf(random, keys, skew) {
  const sums = new Float64Array(keys);
  for (let rank = 0, sum = 0; rank < keys; rank++) sums[rank] = sum += (rank + 1) ** -skew;
  return () => {
    const at = random() * sums[keys - 1];
    let low = 0;
    let high = keys - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle] < at) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}

/** Four kinds of traffic: accesses per second, keys, their skew, and how values change. Times are seconds. */
export const KINDS = {
  'few keys, silent changes': { keys: 400, skew: 0.9, perSecond: 20, changeSeconds: 900, changing: 0.5 },
  'many keys, a crawler': { keys: 4_000, skew: 1.1, perSecond: 20, crawler: 0.1 },
  'drifting, half of the changes announced': { keys: 1_000, skew: 1, perSecond: 20, drift: 30, changeSeconds: 900, changing: 0.5, announced: 0.5 },
  'nearly even, announced changes': { keys: 300, skew: 0.7, perSecond: 20, changeSeconds: 900, changing: 0.5, announced: 1 },
}; // prettier-ignore

/** The events in the order of time: `[seconds, key, 'ask' | 'change' | 'announce']`. */
export function eventsOf({ keys, skew, perSecond, seconds = 1_200, crawler = 0, drift = 0, changeSeconds = Infinity, changing = 0, announced = 0 }, seed) {
  const random = randomOf(seed);
  const pick = zipfOf(random, keys, skew);
  const events = [];
  for (let at = exponential(random, 1 / perSecond), crawled = 0; at < seconds; at += exponential(random, 1 / perSecond)) {
    const crawls = random() < crawler;
    const key = crawls ? crawled++ % keys : (pick() * 7_919 + Math.floor((drift * at) / seconds)) % keys;
    events.push([at, key, 'ask']);
  }
  for (let key = 0; key < keys && changeSeconds !== Infinity; key++) {
    if (random() >= changing) continue;
    const mean = changeSeconds * 10 ** (random() - 0.5);
    for (let at = exponential(random, mean); at < seconds; at += exponential(random, mean)) {
      events.push([at, key, random() < announced ? 'announce' : 'change']);
    }
  }
  return events.sort(([one], [other]) => one - other);
} // prettier-ignore

/** The result of a cache without bounds and with one TTL, computed without a cache. */
export function workedOut(events, ttlMs, keys) {
  const loadedAt = new Float64Array(keys).fill(-Infinity);
  const versions = new Uint32Array(keys);
  const kept = new Uint32Array(keys);
  let accesses = 0;
  let hits = 0;
  let stale = 0;
  for (const [at, key, what] of events) {
    if (what !== 'ask') {
      versions[key]++;
      if (what === 'announce') loadedAt[key] = -Infinity;
      continue;
    }
    accesses++;
    if (at * 1_000 < loadedAt[key] + ttlMs) {
      hits++;
      if (kept[key] !== versions[key]) stale++;
      continue;
    }
    loadedAt[key] = at * 1_000;
    kept[key] = versions[key];
  }
  return { hits, hitRate: hits / accesses, staleShare: hits === 0 ? 0 : stale / hits };
}

/** Plays events through a real cache, and reads from it at the end. */
export async function played(events, keys, options, read, everyMs = 0) {
  const clock = handClock();
  const cache = createObservedCache({
    clock,
    random: randomOf(1),
    namespace: 'bench',
    alerts: false,
    layers: [memoryLayer({ maxEntries: 1_000_000, maxBytes: '1gb' })],
    metrics: { patternOf: () => PATTERN },
    ...options,
  });
  const versions = new Uint32Array(keys);
  const totals = { accesses: 0, hits: 0, stale: 0 };
  const changes = [];
  cache.tuning.watch(({ values }) => void changes.push([clock.now() - START, values.ttlMs]));
  let pending = 0;
  for (const [at, key, what] of events) {
    clock.turnTo(START + at * 1_000);
    const name = `item:${key}`;
    if (what === 'ask') {
      totals.accesses++;
      let loaded = false;
      const answer = cache.getOrSet(name, () => {
        loaded = true;
        return versions[key];
      });
      if (!loaded) {
        totals.hits++;
        if ((answer instanceof Promise ? await answer : answer) !== versions[key]) totals.stale++;
      } else await answer;
    } else {
      versions[key]++;
      if (what === 'announce') await cache.del(name);
    }
    // Reports and changes of TTLs are computed between turns of the loop.
    if (++pending % (everyMs || 2_000) === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const result = { ...(await read?.(cache, PATTERN)), ...totals, changes };
  await cache.close();
  return result;
}
