// A day of traffic on a manual clock, so that every window of every series is full. The recorder is not public, so the
// bench imports it from the build.
import { MissReason, Operation, Outcome, Result } from '../build/cache/base/observer.js';
import { createCacheMetrics } from '../build/insight/create-cache-metrics.js';

const HOUR = 3_600_000;
/** Slots of every length that windows consist of, and the accesses per slot. */
const SLOTS = [
  { many: 23, lengthMs: HOUR, accesses: 48 },
  { many: 12, lengthMs: 300_000, accesses: 12 },
  { many: 5, lengthMs: 60_000, accesses: 6 },
  { many: 6, lengthMs: 10_000, accesses: 3 },
];

/** Realistic times: log-normal with a median of 1 µs in memory, 0.4 ms in Redis and 20 ms at the origin. */
const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
const times = (median, spread) => Array.from({ length: 4096 }, () => median * Math.exp(spread * normal()));
const memoryMs = times(0.001, 0.6);
const redisMs = times(0.4, 1);
const originMs = times(20, 0.7);

/** Metrics of `patterns` patterns; with `endpoints`, each pattern has its own endpoint. */
export function dayOf({ patterns, endpoints }) {
  let now = Date.UTC(2026, 0, 1);
  const clock = { now: () => now, after: () => () => undefined };
  const { observer, metrics } = createCacheMetrics({
    clock,
    metrics: { maxPatterns: patterns, maxEndpoints: patterns },
  });
  observer.attach([
    { name: 'memory', shared: false },
    { name: 'redis', shared: true },
  ]);
  const series = Array.from({ length: patterns }, (_, n) =>
    observer.series(`kind${n}:*`, endpoints ? `GET /kind/${n}` : undefined),
  );
  let turn = 0;
  const next = (values) => values[turn++ & 4095];
  const access = (each, number) => {
    observer.hit(each, 0, now - next(memoryMs));
    const ms = next(redisMs);
    observer.access(each, Outcome.hit, 1, ms, ms, MissReason.none);
    if (number % 3 !== 0) return;
    const loadMs = next(originMs);
    observer.access(each, Outcome.miss, -1, ms, ms + loadMs, MissReason.expired);
    observer.load(each, Operation.load, Result.ok, loadMs);
    observer.operation(each, Operation.set, Result.ok, 0.1, 1_000);
  };
  const touch = (every = 1) => {
    for (let at = 0; at < series.length; at += every) access(series[at], 0);
  };
  for (const { many, lengthMs, accesses } of SLOTS) {
    for (let slot = 0; slot < many; slot++) {
      now += lengthMs;
      for (const each of series) for (let number = 0; number < accesses; number++) access(each, number);
    }
  }
  return {
    metrics,
    /** Records one access of every pattern, or of every n-th. */
    touch,
    /** Records one access of every pattern as requests do: a few in each turn of the event loop. */
    async requests(inOneTurn = 50) {
      for (let at = 0; at < series.length; at += inOneTurn) {
        for (const each of series.slice(at, at + inOneTurn)) access(each, 0);
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    turn: (ms) => {
      now += ms;
    },
  };
}
