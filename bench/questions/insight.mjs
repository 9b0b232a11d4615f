// What does insight cost, and are its predictions true? Costs are pairs in one process. Predictions of real caches on a
// manual clock are compared with the real results of other settings for the same traffic. The long run draws the plots
// of docs/insight.md.
import { writeFileSync } from 'node:fs';
import { createObservedCache, memoryLayer } from 'nestjs-cache-observability';
import { systemClock } from '../../build/cache/base/clock.js';
import { SeriesWatch } from '../../build/insight/alerts/series-watch.js';
import { ChangeRate } from '../../build/insight/change-rate.js';
import { round, summary } from '../harness.mjs';
import { eventsOf, handClock, KINDS, played, workedOut, zipfOf } from '../insight/experiments.mjs';
import { percents, plot } from '../insight/plot.mjs';
import { randomOf } from '../workloads.mjs';

export const title = 'Insight: what it costs, and whether its predictions come true';
export const header = ['what', 'figure', 'details'];

const MINUTE = 60_000;
const points = (share) => `${round(share * 100, 1)} points`;
/** The time in which a hit comes at full speed. */
const HIT_MS = 0.000_3;
const percent = (share) => `${round(share * 100, 1)} %`;
const byPrefix = (key) => `${key.slice(0, key.lastIndexOf(':'))}:*`;

export async function measure({ short, progress }) {
  const rows = [];
  const gates = [];
  const data = {};
  const images = {};
  for (const [name, question] of Object.entries({ bytes, cost, cpu, ttlLadder, memoryLadder, changeRate, alarms, xfetch, automatic })) {
    progress(name);
    const answer = await question(short);
    rows.push(...answer.rows);
    gates.push(...(answer.gates ?? []));
    data[name] = answer.data;
    Object.assign(images, answer.images);
  } // prettier-ignore
  if (!short) {
    for (const [name, image] of Object.entries(images)) {
      writeFileSync(new URL(`../../docs/images/insight/${name}.svg`, import.meta.url), image);
    }
  }
  return { rows, gates, data };
}

/** The CPU time of a hit at full speed, nanoseconds, with insight and without. */
async function cost(short) {
  const rows = [];
  const data = {};
  for (const patterns of [1, 100]) {
    const KEYS = 10_000;
    const pick = zipfOf(randomOf(11), KEYS, 1);
    const names = Array.from({ length: KEYS }, (_, key) => (patterns === 1 ? `item:${key}` : `p${key % patterns}:${key}`));
    const asked = Array.from({ length: 1 << 17 }, () => names[pick()]);
    const load = () => ({ id: 1 });
    const caches = [];
    // Neither kind is always created first.
    for (const on of [false, true, true, false]) {
      // Time passes with the hits of the own cache, so that periodic work of insight has the same share on a slow machine.
      // The real clock is read, too: that is a part of a hit.
      let time = systemClock.now();
      const clock = {
        now() {
          systemClock.now();
          return time;
        },
        after: systemClock.after,
      };
      const cache = createObservedCache({
        clock, namespace: 'bench', ttl: '1h', alerts: false, layers: [memoryLayer({ maxEntries: 2 * KEYS })],
        metrics: { patternOf: byPrefix }, ...(!on && { insight: false }),
      });
      for (const name of names) await cache.getOrSet(name, load);
      caches.push({
        on,
        cache,
        samples: [],
        async run(from, count) {
          const before = process.cpuUsage();
          for (let at = from; at < from + count; at++) {
            time += HIT_MS;
            await cache.getOrSet(asked[at & (asked.length - 1)], load);
          }
          const { user, system } = process.cpuUsage(before);
          return ((user + system) * 1_000) / count;
        },
      });
    }
    // Always a cache of the other kind comes before: a cache that runs twice in a row finds its entries in the
    // processor's cache.
    const [first, second, third, last] = caches;
    const order = [first, second, last, third];
    const COUNT = 4_000;
    const rounds = short ? 120 : 1_000;
    for (let turn = -50; turn < rounds; turn++) {
      for (const one of order) {
        const sample = await one.run((turn + 50) * COUNT, COUNT);
        if (turn >= 0) one.samples.push(sample);
      }
    }
    const [off, on] = [false, true].map((wanted) => {
      const [first, second] = caches.filter((one) => one.on === wanted).map(({ samples }) => samples);
      return first.map((sample, turn) => (sample + second[turn]) / 2);
    });
    const more = summary(on.map((sample, turn) => sample / off[turn])).median - 1;
    data[patterns] = { off: summary(off), on: summary(on), more };
    rows.push([
      `a hit at full speed, ${patterns} pattern${patterns === 1 ? '' : 's'}`,
      `${round(more * 100, 1)} % more`,
      `${Math.round(summary(on).median)} ns with, ${Math.round(summary(off).median)} ns without`,
    ]);
    for (const { cache } of caches) await cache.close();
  }
  return { rows, data };
} // prettier-ignore

/** The share of a core that insight needs in a process with 10,000 accesses per second. */
async function cpu(short) {
  const KEYS = 10_000;
  const A_SECOND = 10_000;
  const seconds = short ? 6 : 30;
  const make = (on) => {
    const clock = handClock();
    const cache = createObservedCache({
      clock, namespace: 'bench', ttl: '30s', alerts: false, layers: [memoryLayer({ maxEntries: 5_000 })],
      metrics: { patternOf: byPrefix }, ...(!on && { insight: false }),
    });
    const pick = zipfOf(randomOf(12), KEYS, 1);
    let usedUs = 0;
    return {
      cache,
      async second() {
        const before = process.cpuUsage();
        for (let access = 0; access < A_SECOND; access++) {
          clock.turnTo(clock.now() + 1_000 / A_SECOND);
          const key = pick();
          await cache.getOrSet(`p${key % 20}:${key}`, () => ({ key }));
        }
        const { user, system } = process.cpuUsage(before);
        return (usedUs += user + system);
      },
      get usedUs() {
        return usedUs;
      },
    };
  };
  const [off, on] = [make(false), make(true)];
  for (let second = 0; second < seconds; second++) {
    for (const one of second & 1 ? [on, off] : [off, on]) await one.second();
  }
  const share = (on.usedUs - off.usedUs) / seconds / 1e6;
  await Promise.all([off.cache.close(), on.cache.close()]);
  return {
    rows: [['CPU at 10,000 accesses per second, memory full', `${round(share * 100, 1)} % of a core`, `the cache itself: ${round(off.usedUs / seconds / 1e4, 1)} %`]],
    data: { share, offUs: off.usedUs, onUs: on.usedUs, seconds },
  };
} // prettier-ignore

/** The memory that insight needs. */
async function bytes(short) {
  const used = async () => {
    // A closed cache is released in later turns of the loop.
    for (let time = 0; time < 3; time++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      globalThis.gc();
    }
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const filled = async (on, patterns) => {
    const clock = handClock();
    const before = await used();
    const cache = createObservedCache({
      clock, namespace: 'bench', ttl: '1m', alerts: false, layers: [memoryLayer()], metrics: { patternOf: byPrefix },
      ...(!on && { insight: false }),
    });
    const random = randomOf(13);
    for (let access = 0; access < patterns * 1_000; access++) {
      clock.turnTo(clock.now() + 2);
      await cache.getOrSet(`pattern${access % patterns}:${Math.floor(1_000 ** random())}`, () => ({ access }));
      if (access % 1_000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const kept = (await used()) - before;
    await cache.close();
    return kept;
  };
  const rows = [];
  const data = {};
  // Memory that a process allocates once belongs to neither.
  await filled(true, 20);
  await filled(false, 20);
  for (const patterns of short ? [1, 100] : [1, 100, 1_000]) {
    const off = await filled(false, patterns);
    const on = await filled(true, patterns);
    data[patterns] = { off, on };
    rows.push([`memory for ${patterns.toLocaleString('en')} pattern${patterns === 1 ? '' : 's'} of 1,000 keys`, `${round((on - off) / 1e6, 1)} MB`, 'with what recommendations compare']);
  }
  return { rows, data };
} // prettier-ignore

/** Predicted and realised hit rates and stale shares, for traffic of otherwise unused seeds. */
async function ttlLadder(short) {
  const off = { hits: [], stale: [] };
  const withinError = { hits: 0, stale: 0, rungs: 0 };
  const withheld = [];
  let drawn;
  for (const [kind, traffic] of Object.entries(KINDS)) {
    for (let seed = 0; seed < (short ? 1 : 4); seed++) {
      const events = eventsOf(traffic, 7_000 + seed * 31);
      const read = (cache, pattern) => ({ ladder: cache.insight.ttlLadder(pattern).ladder });
      const { ladder } = await played(events, traffic.keys, { ttl: MINUTE }, read);
      const rungs = ladder.map((rung) => ({ ...rung, real: workedOut(events, rung.ttlMs, traffic.keys) }));
      if (seed === 0 && drawn === undefined) drawn = { kind, rungs };
      for (const { hitRate, hitRateError, staleShare, staleShareError, real } of rungs) {
        if (hitRate === null) {
          withheld.push(kind);
          continue;
        }
        const hitsOff = Math.abs(hitRate - real.hitRate);
        const staleOff = Math.abs(staleShare - real.staleShare);
        off.hits.push(hitsOff);
        off.stale.push(staleOff);
        withinError.rungs++;
        if (hitsOff <= hitRateError) withinError.hits++;
        if (staleOff <= staleShareError) withinError.stale++;
      }
    }
  }
  const shown = drawn.rungs.filter(({ hitRate }) => hitRate !== null);
  const line = (of) => shown.map((rung) => [rung.ttlMs / 1_000, of(rung)]);
  const image = plot({
    title: 'TTL ladder: predicted from today’s traffic, and what each TTL really did',
    description: `Hit rate and stale share by TTL for traffic of ${drawn.kind}; today's TTL is one minute.`,
    x: { label: 'TTL, seconds (log scale)', from: 14, to: 520, log: true, ticks: [15, 30, 60, 120, 240, 480].map((value) => [value]) },
    y: { label: 'share of accesses / of hits', from: 0, to: 1, ticks: percents(0, 0.25, 0.5, 0.75, 1) },
    marks: [{ at: 60, label: 'today' }],
    series: [
      { name: 'hit rate, error', kind: 'band', colour: 0, points: shown.map(({ ttlMs, hitRate, hitRateError }) => [ttlMs / 1_000, hitRate - hitRateError, hitRate + hitRateError]) },
      { name: 'predicted', kind: 'line', colour: 0, points: line(({ hitRate }) => hitRate) },
      { name: 'realised', kind: 'points', colour: 0, points: line(({ real }) => real.hitRate) },
      { name: 'stale, predicted', kind: 'line', colour: 1, points: line(({ staleShare }) => staleShare) },
      { name: 'stale, realised', kind: 'points', colour: 1, points: line(({ real }) => real.staleShare) },
    ],
  });
  const share = (count) => count / withinError.rungs;
  return {
    rows: [
      ['TTL ladder: hit rate off by', `${points(Math.max(...off.hits))} at most`, `median ${points(summary(off.hits).median)}, ${withinError.rungs} rungs, ${withheld.length} withheld`],
      ['TTL ladder: stale share off by', `${points(Math.max(...off.stale))} at most`, `median ${points(summary(off.stale).median)}`],
      ['TTL ladder: within the stated error', `${percent(share(withinError.hits))} hit rate`, `${percent(share(withinError.stale))} stale share`],
    ],
    gates: [{ name: 'hit rates of the TTL ladder within 3 points', value: 0.03 / Math.max(...off.hits), atLeast: 1 }],
    data: { off, withinError, withheld },
    images: { 'ttl-ladder': image },
  };
} // prettier-ignore

/** Predicted and realised hit rates for other sizes of memory. */
async function memoryLadder(short) {
  const off = [];
  let inside = 0;
  let drawn;
  for (const eviction of ['worth', 'lru']) {
    for (let seed = 0; seed < (short ? 1 : 2); seed++) {
      const traffic = { keys: 4_000, skew: 0.9, perSecond: 20, crawler: eviction === 'lru' ? 0.1 : 0 };
      const events = eventsOf(traffic, 8_000 + seed * 17);
      const play = (factor, read) => {
        const layers = [memoryLayer({ maxEntries: 400 * factor, maxBytes: '1gb', eviction })];
        return played(events, traffic.keys, { ttl: '1h', layers, ...(read === undefined && { metrics: false }) }, read);
      };
      const { ladder } = await play(1, (cache) => ({ ladder: cache.insight.memoryLadder()[0].ladder }));
      const rungs = [];
      for (const rung of ladder) {
        if (rung.hitRate === null || rung.factor < 1 / 2 || rung.factor > 4) continue;
        const { hits, accesses } = await play(rung.factor);
        rungs.push({ ...rung, real: hits / accesses });
        off.push(Math.abs(rung.hitRate - hits / accesses));
        if (off.at(-1) <= rung.hitRateError) inside++;
      }
      if (rungs.length > (drawn?.length ?? 0)) drawn = rungs;
    }
  }
  const image = plot({
    title: 'Memory ladder: miniature simulations, and what each size really did',
    description: 'Hit rate of a memory layer with half to four times its entries.',
    x: { label: 'size, times today’s (log scale)', from: 0.45, to: 4.5, log: true, ticks: [[0.5, '½'], [1], [2], [4]] },
    y: { label: 'share of accesses that memory answers', from: 0.2, to: 1, ticks: percents(0.2, 0.4, 0.6, 0.8, 1) },
    marks: [{ at: 1, label: 'today' }],
    series: [
      { name: 'stated error', kind: 'band', colour: 0, points: drawn.map(({ factor, hitRate, hitRateError }) => [factor, hitRate - hitRateError, hitRate + hitRateError]) },
      { name: 'predicted', kind: 'line', colour: 0, points: drawn.map(({ factor, hitRate }) => [factor, hitRate]) },
      { name: 'realised', kind: 'points', colour: 1, points: drawn.map(({ factor, real }) => [factor, real]) },
    ],
  });
  return {
    rows: [['memory ladder: hit rate off by', `${points(Math.max(...off))} at most`, `median ${points(summary(off).median)}, ${percent(inside / off.length)} of ${off.length} within the stated error`]],
    gates: [{ name: 'hit rates of the memory ladder within 3 points', value: 0.03 / Math.max(...off), atLeast: 1 }],
    data: { off, inside },
    images: { 'memory-ladder': image },
  };
} // prettier-ignore

/** The rate at which values change, from checks at random times after the previous check. */
function changeRate(short) {
  const runs = short ? 40 : 200;
  const random = randomOf(14);
  const results = [0.1, 0.2, 0.5, 1, 1.5, 2, 3].map((expected) => {
    const [maximum, counted] = [[], []];
    for (let run = 0; run < runs; run++) {
      const rate = new ChangeRate();
      let changes = 0;
      let checkedMs = 0;
      for (let check = 0; check < 400; check++) {
        const afterMs = MINUTE * (0.25 + 1.5 * random());
        const changed = random() < -Math.expm1((-expected * afterMs) / MINUTE);
        rate.check(afterMs, changed, 1);
        checkedMs += afterMs;
        if (changed) changes++;
      }
      maximum.push((rate.perMs * MINUTE) / expected);
      counted.push(((changes / checkedMs) * MINUTE) / expected);
    }
    return { expected, maximum: summary(maximum), counted: summary(counted) };
  });
  const line = (of) => results.map((result) => [result.expected, of(result)]);
  const image = plot({
    title: 'Rate of change: maximum likelihood, and plain counting',
    description: 'Estimated over true rate of change, by how many changes are expected between two checks.',
    x: { label: 'changes expected between two checks (log scale)', from: 0.09, to: 3.3, log: true, ticks: [0.1, 0.2, 0.5, 1, 2, 3].map((value) => [value]) },
    y: { label: 'estimate ÷ truth', from: 0, to: 1.5, ticks: [0, 0.5, 1, 1.5].map((value) => [value]) },
    series: [
      { name: 'half of the runs', kind: 'band', colour: 0, points: results.map(({ expected, maximum }) => [expected, maximum.low, maximum.high]) },
      { name: 'Cho, Garcia-Molina', kind: 'line', colour: 0, points: line(({ maximum }) => maximum.median) },
      { name: 'changes ÷ time', kind: 'line', colour: 1, points: line(({ counted }) => counted.median) },
      { name: 'truth', kind: 'line', colour: 2, points: line(() => 1) },
    ],
  });
  const worst = Math.max(...results.map(({ maximum }) => Math.abs(maximum.median - 1)));
  return {
    rows: [['rate of change: median off by', `${percent(worst)} at most`, `counted naively: ${percent(1 - results.at(-1).counted.median)} too low at 3 changes a check`]],
    data: results,
    images: { 'change-rate': image },
  };
} // prettier-ignore

/**
 * Minutes of an application with a daily wave. @param rate accesses per minute; @param fallen how much lower the hit
 * rate is.
 */
function* minutesOf({ seed, days, rate, hitRate, wave = 0.03, fallen = () => 0 }) {
  const random = randomOf(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const counted = (mean, variance) => {
    if (mean > 30) return Math.max(0, Math.round(mean + Math.sqrt(variance) * normal()));
    let count = -1;
    for (let product = 1; product > Math.exp(-mean); product *= random()) count++;
    return count;
  };
  const drawn = (count, share) => {
    const variance = count * share * (1 - share);
    if (variance > 20) return Math.min(count, Math.round(count * share + Math.sqrt(variance) * normal()));
    let hits = 0;
    for (let one = 0; one < count; one++) if (random() < share) hits++;
    return hits;
  };
  for (let minute = 1; minute <= days * 1_440; minute++) {
    const sine = Math.sin((2 * Math.PI * minute) / 1_440);
    const mean = rate * (1 + 0.6 * sine);
    const requests = counted(mean, mean);
    const share = hitRate + wave * sine - fallen(minute);
    const hits = drawn(requests, share);
    const loads = requests - hits;
    const loadP95Ms = loads === 0 ? null : 40 * Math.exp(0.6 * (1.645 + (2.1 / Math.sqrt(loads)) * normal()));
    yield { at: Date.UTC(2026, 0, 5) + minute * MINUTE, minutes: 1, requests, hits, failures: 0, attempts: requests, loads, loadP95Ms, invalidations: counted(rate / 100, rate / 100) };
  }
} // prettier-ignore

/** @returns the minutes at which alarms of the hit rate began, their signals, and the hit rate of each minute. */
function watched(days) {
  const watch = new SeriesWatch();
  const began = [];
  const seen = [];
  let open = new Set();
  let minute = 0;
  for (const one of minutesOf(days)) {
    watch.observe(one, { frozen: ++minute <= 10, series: 1 });
    const now = new Set([...watch.alarms()].map(([signal]) => signal));
    for (const signal of now) if (!open.has(signal)) began.push({ minute, signal });
    open = now;
    seen.push(one.requests === 0 ? undefined : one.hits / one.requests);
  }
  return { began, seen };
}

function alarms(short) {
  const steady = [1_000, 60, 5].flatMap((rate) => Array.from({ length: short ? 1 : 4 }, (_, seed) => ({ seed: 9_100 + seed, days: 30, rate, hitRate: 0.85 })));
  const falseAlarms = steady.reduce((count, days) => count + watched(days).began.length, 0);
  const from = 3 * 1_440 + 400;
  const detected = (fallen, hours, rates, seed) => rates.map((rate) => {
    const { began, seen } = watched({ seed, rate, hitRate: 0.85, days: (from + hours * 60) / 1_440, fallen });
    const alarm = began.find(({ signal, minute }) => signal === 'hitRate' && minute > from);
    return { after: alarm === undefined ? Infinity : alarm.minute - from, seen };
  });
  const drop = (minute) => (minute > from ? 0.15 : 0);
  const drift = (minute) => (minute > from ? (minute - from) / 6_000 : 0);
  const drops = detected(drop, 3, [60, 300, 5_000], 9_200);
  const drifts = detected(drift, 14, [60, 1_000], 9_300);
  const of = (all) => Math.max(...all.map(({ after }) => after));
  const shown = (result, before, after, offset) => result.seen.slice(from - before, from + after).map((value, at) => [(at - before) / offset, value]).filter(([, value]) => value !== undefined);
  const image = plot({
    title: 'Alerts: a drop that EWMA finds, and a slow drift that CUSUM finds',
    description: 'Hit rate by minute: one falls by 15 points at once, another by one point an hour; the minute of each alarm is marked.',
    x: { label: 'hours after the change', from: -2, to: 9, ticks: [-2, 0, 2, 4, 6, 8].map((value) => [value]) },
    y: { label: 'hit rate of each minute', from: 0.5, to: 1, ticks: percents(0.5, 0.6, 0.7, 0.8, 0.9, 1) },
    marks: [{ at: drops[2].after / 60, label: 'alarm (drop)' }, { at: drifts[1].after / 60, label: 'alarm (drift)' }],
    series: [
      { name: 'falls by 15 points', kind: 'line', colour: 1, points: shown(drops[2], 120, 180, 60) },
      { name: 'falls by one point an hour', kind: 'line', colour: 0, points: shown(drifts[1], 120, 540, 60) },
    ],
  });
  return {
    rows: [
      ['alerts: false alarms', String(falseAlarms), `${steady.length} series of 30 steady days with daily waves, 5 to 1,000 accesses a minute`],
      ['alerts: a drop of 15 points is found within', `${of(drops)} min`, '60, 300 and 5,000 accesses a minute'],
      ['alerts: a drift of one point an hour is found within', `${round(of(drifts) / 60, 1)} h`, '60 and 1,000 accesses a minute'],
    ],
    gates: [
      { name: 'a drop is found within ten minutes', value: 10 / of(drops), atLeast: 1 },
      { name: 'a drift is found within eight hours', value: 480 / of(drifts), atLeast: 1 },
    ],
    data: { falseAlarms, drops: drops.map(({ after }) => after), drifts: drifts.map(({ after }) => after) },
    images: { alerts: image },
  };
} // prettier-ignore

/** Callers that wait for a load of a hot key, with and without early refresh by chance. */
async function xfetch(short) {
  const LOAD_MS = 500;
  const waiting = async (refreshAhead, perLoad, seed) => {
    const clock = handClock();
    const startedAt = clock.now();
    const cache = createObservedCache({ clock, namespace: 'bench', ttl: '10s', metrics: false, layers: [memoryLayer()], policy: { refreshAhead }, random: randomOf(seed + 1) });
    const random = randomOf(seed);
    const load = () => new Promise((resolve) => clock.after(LOAD_MS, () => resolve({ id: 1 })));
    const pending = [];
    let waits = 0;
    let accesses = 0;
    for (let at = 0; at < (short ? 120_000 : 600_000); at += (-Math.log(1 - random()) * LOAD_MS) / perLoad) {
      clock.turnTo(startedAt + at);
      await new Promise((resolve) => setImmediate(resolve));
      accesses++;
      if (cache.peek('hot') === undefined) waits++;
      pending.push(cache.getOrSet('hot', load));
    }
    // A refresh that the last access has started begins its load in a later turn.
    await new Promise((resolve) => setImmediate(resolve));
    clock.turnTo(clock.now() + 2 * LOAD_MS);
    await Promise.all(pending);
    await cache.close();
    return waits / accesses;
  };
  const results = [];
  for (const perLoad of [0.5, 1, 2, 5, 10, 20]) {
    results.push({ perLoad, plain: await waiting(undefined, perLoad, 15), early: await waiting('xfetch', perLoad, 15) });
  }
  const image = plot({
    title: 'XFetch: callers that wait for a load, with early refreshes and without',
    description: 'Share of the callers of one hot key that wait, by how many ask during one load; the TTL is 20 times the time of a load.',
    x: { label: 'callers during one load (log scale)', from: 0.45, to: 22, log: true, ticks: [0.5, 1, 2, 5, 10, 20].map((value) => [value]) },
    y: { label: 'share of callers that wait', from: 0, to: 0.12, ticks: percents(0, 0.03, 0.06, 0.09, 0.12) },
    series: [
      { name: 'plain TTL', kind: 'line', colour: 1, points: results.map(({ perLoad, plain }) => [perLoad, plain]) },
      { name: 'refreshAhead: \'xfetch\'', kind: 'line', colour: 0, points: results.map(({ perLoad, early }) => [perLoad, early]) },
    ],
  });
  const { plain, early } = results.find(({ perLoad }) => perLoad === 10);
  return {
    rows: [['XFetch: callers of a hot key that wait', percent(early), `${percent(plain)} with a plain TTL; ten callers during a load`]],
    data: results,
    images: { xfetch: image },
  };
} // prettier-ignore

/** An automatic TTL compared with the best fixed TTL in hindsight. */
async function automatic(short) {
  const auto = { min: '30s', max: '1h', maxStaleShare: 0.01 };
  const base = { keys: 1_000, skew: 0.9, perSecond: 2, seconds: (short ? 10 : 16) * 3_600 };
  const kinds = {
    'values never change': { perSecond: 1 },
    'values change every hour': { perSecond: 3, skew: 1.1, changeSeconds: 3_600, changing: 1 },
    'values change every four hours': { skew: 1.1, changeSeconds: 14_400, changing: 0.5 },
    'the ranking drifts': { skew: 0.7, drift: 500, changeSeconds: 86_400, changing: 0.7 },
  };
  const fixed = [0.5, 1, 2, 4, 8, 16, 32, 60].map((minutes) => minutes * MINUTE);
  const results = [];
  for (const [kind, options] of Object.entries(kinds).slice(short ? 3 : 0)) {
    const traffic = { ...base, ...options };
    const events = eventsOf(traffic, 9_400);
    const its = await played(events, traffic.keys, { ttl: { auto } }, undefined, 500);
    const worked = fixed.map((ttlMs) => ({ ...workedOut(events, ttlMs, traffic.keys), ttlMs }));
    const allowed = worked.filter(({ staleShare }) => staleShare <= auto.maxStaleShare);
    const best = allowed.toSorted((one, other) => other.hits - one.hits)[0] ?? worked[0];
    results.push({ kind, seconds: traffic.seconds, part: its.hits / best.hits, stale: its.hits === 0 ? 0 : its.stale / its.hits, best, changes: its.changes });
  }
  const stepsOf = ({ changes, seconds }) => {
    const steps = changes.map(([at, ttlMs]) => [at / 3_600_000, ttlMs / MINUTE]);
    return [...steps, [seconds / 3_600, steps.at(-1)?.[1] ?? 5]];
  };
  const image = plot({
    title: 'Automatic TTL: how it comes to its level',
    description: 'The TTL of three kinds of traffic by hour, and the best fixed TTL of each in hindsight.',
    x: { label: 'hours', from: 0, to: 16, ticks: [0, 4, 8, 12, 16].map((value) => [value]) },
    y: { label: 'TTL, minutes (log scale)', from: 0.4, to: 70, log: true, ticks: [0.5, 1, 2, 4, 8, 16, 32, 60].map((value) => [value]) },
    series: results.filter(({ kind }) => kind !== 'values change every hour').flatMap((result, colour) => [{ name: result.kind, kind: 'step', colour, points: stepsOf(result) }, { name: 'best fixed', kind: 'points', colour, points: [[15.8, result.best.ttlMs / MINUTE]] }]),
  });
  return {
    rows: results.map(({ kind, part, stale, best }) => [`automatic TTL, ${kind}`, `${percent(part)} of the best fixed`, `stale share ${percent(stale)}; best fixed ${round(best.ttlMs / MINUTE, 1)} min`]),
    gates: [
      { name: 'automatic TTL compared with the best fixed TTL', value: Math.min(...results.map(({ part }) => part)), atLeast: 0.9 },
      { name: 'outdated hits of automatic TTLs within a point above the allowed share', value: (auto.maxStaleShare + 0.01) / Math.max(1e-9, ...results.map(({ stale }) => stale)), atLeast: 1 },
    ],
    data: results,
    images: { 'automatic-ttl': image },
  };
} // prettier-ignore
