// What does reading the metrics cost? Memory of a full day, statistics, scrapes compared with prom-client, and how long
// each blocks the loop.
import { createObservedCache, memoryLayer, prometheusText } from 'nestjs-cache-observability';
import { CloudWatchExporter } from 'nestjs-cache-observability/cloudwatch';
import { CacheMetricProducer } from 'nestjs-cache-observability/otel';
import { StatsdExporter } from 'nestjs-cache-observability/statsd';
import { Histogram as TheirHistogram, Registry } from 'prom-client';
import { PrometheusExposition } from '../../build/exporters/prometheus/text.js';
import { CLASSIC_BOUNDS } from '../../build/exporters/prometheus/classic-buckets.js';
import { Histogram } from '../../build/metrics/windows/histogram.js';
import { presentedText } from '../../build/monitoring/presenter.js';
import { dayOf } from '../day.mjs';
import { interleave, ratio, round, summary } from '../harness.mjs';
import { longestPause } from '../loop-pause.mjs';

export const title = 'Reading: 1,000 patterns and 1,000 endpoints after a day, every window full';
export const header = ['what', 'figure'];

const MANY = 1_000;

const held = () => {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

export async function measure({ short, progress }) {
  progress('a day of patterns');
  dayOf({ patterns: 10, endpoints: true });
  const empty = held();
  const patterns = dayOf({ patterns: MANY, endpoints: false });
  const ofPatterns = held() - empty;
  progress('a day of patterns and endpoints');
  const day = dayOf({ patterns: MANY, endpoints: true });
  const ofBoth = held() - empty - ofPatterns;
  const memory = globalThis.gc
    ? [
        ['memory of a pattern, KB', round(ofPatterns / 1024 / MANY, 1)],
        ['memory of 1,000 patterns and 1,000 endpoints, MB', round(ofBoth / 2 ** 20, 1)],
      ]
    : [];
  patterns.touch();
  const statistics = statisticsOf(day, short);
  const rendering = await renderingBesidePromClient({ short, progress });
  progress('pauses');
  const pauses = await pausesOf(day, short ? 5 : 15);
  return {
    rows: [...memory, ...statistics, ...rendering.rows, ...pauses],
    gates: rendering.gates,
    data: rendering.data,
  };
}

function statisticsOf({ metrics, touch }, short) {
  const timed = (work, rounds = short ? 5 : 15) => {
    const samples = Array.from({ length: rounds }, () => {
      const started = performance.now();
      work();
      return performance.now() - started;
    });
    return summary(samples).median;
  };
  const ofEach = (window) =>
    timed(() => {
      for (let n = 0; n < MANY; n++) metrics.getPatternStats(`kind${n}:*`, window);
    });
  const kept = new PrometheusExposition(metrics);
  kept.renderBytes();
  return [
    ...['1m', '5m', '1h', '24h', 'all'].map((window) => [
      `statistics of a pattern, percentiles and all, ${window}, µs`,
      round((ofEach(window) / MANY) * 1000, 1),
    ]),
    [
      'statistics of all patterns over 24 h in one go, ms',
      round(
        timed(() => metrics.getAllPatternStats('24h')),
        1,
      ),
    ],
    [
      'statistics of everything together, ms',
      round(
        timed(() => metrics.getStats('5m')),
        2,
      ),
    ],
    [
      'scrape in one go, every pattern changed, ms',
      round(timed(() => (touch(), prometheusText(metrics))) - timed(() => touch()), 1),
    ],
    [
      'scrape in one go, 5 % changed, ms',
      round(timed(() => (touch(20), prometheusText(metrics))) - timed(() => touch(20)), 1),
    ],
  ];
}

/** The same 1,000 histograms in both libraries; all of them, or 50, got one more value before each scrape. */
async function renderingBesidePromClient({ short, progress }) {
  const ours = Array.from({ length: MANY }, (_, n) => ({ labels: [`kind${n}:*`], histogram: new Histogram() }));
  const family = {
    name: 'bench_seconds',
    help: 'Waits.',
    type: 'histogram',
    labelNames: ['pattern'],
    points: () => ours,
  };
  const exposition = new PrometheusExposition({ families: () => [family] });
  const register = new Registry();
  const theirs = new TheirHistogram({
    name: 'bench_seconds',
    help: 'Waits.',
    labelNames: ['pattern'],
    buckets: [...CLASSIC_BOUNDS],
    registers: [register],
  });
  const children = ours.map(({ labels }) => theirs.labels(...labels));
  const observe = (every, from = 0) => {
    for (let at = from; at < MANY; at += every) {
      const ms = Math.exp(8 * Math.random() - 3);
      ours[at].histogram.record(ms, 1);
      children[at].observe(ms / 1000);
    }
  };
  for (let value = 0; value < 200; value++) observe(1);
  let scrape = 0;
  const after = (every, render) => async () => {
    observe(every, scrape++ % every);
    const started = performance.now();
    await render();
    return performance.now() - started;
  };
  const results = await interleave(
    [
      { name: 'ours, all changed', run: after(1, () => exposition.renderBytes()) },
      { name: 'prom-client, all changed', run: after(1, () => register.metrics()) },
      { name: 'prom-client, 5 % changed', run: after(20, () => register.metrics()) },
      {
        name: 'ours, 5 % changed',
        run: async () => (exposition.renderBytes(), after(20, () => exposition.renderBytes())()),
      },
    ],
    { rounds: short ? 10 : 40, progress },
  );
  const all = ratio(results, 'prom-client, all changed', 'ours, all changed').median;
  const few = ratio(results, 'prom-client, 5 % changed', 'ours, 5 % changed').median;
  return {
    rows: [
      ...[...results].map(([name, { median }]) => [`1,000 histograms rendered: ${name}, ms`, round(median)]),
      ['× prom-client, all changed', round(all, 1)],
      ['× prom-client, 5 % changed', round(few, 1)],
    ],
    gates: [
      { name: 'rendering 1,000 histograms, all changed, × prom-client', value: all, atLeast: 3 },
      { name: 'rendering 1,000 histograms, 5 % changed, × prom-client', value: few, atLeast: 10 },
    ],
    data: Object.fromEntries(results),
  };
}

/** How long other work of the process waits for the routes, the endpoint and the exporters. */
async function pausesOf({ metrics, requests, turn }, rounds) {
  const exposition = new PrometheusExposition(metrics);
  const snapshot = async () => ({ at: Date.now(), startedAt: 0, families: [...(await metrics.collectFamilies())] });
  const source = {
    serviceName: 'bench',
    families: () => metrics.families(),
    collectFamilies: () => metrics.collectFamilies(),
  };
  const producer = new CacheMetricProducer();
  producer.start(source);
  const statsd = new StatsdExporter({ client: { increment() {}, gauge() {} } });
  const cloudwatch = new CloudWatchExporter({ write() {} });
  await Promise.all([statsd.start(source), cloudwatch.start(source)]);
  const [dump, small] = [metrics.dump(), cacheThatEvicts()];
  const fleet = metrics.together([metrics.other(dump)]);
  const looks = [
    ['nothing', () => new Promise((resolve) => setTimeout(resolve, 20))],
    ['requests that all find a new slot, 50 a turn', () => (turn(10_000), requests())],
    ['requests that all find a new hour, 50 a turn', () => (turn(3_600_000), requests())],
    ['a scrape of the endpoint', () => exposition.collectBytes()],
    ['statistics of all patterns, 24 h', async () => presentedText(await metrics.collectPatternStats('24h'))],
    ['statistics of all endpoints, 24 h', async () => presentedText(await metrics.collectEndpointStats('24h'))],
    ['statistics of everything together, 24 h', () => metrics.collectStats('24h')],
    ['hit rates', async () => presentedText(await metrics.collectHitRates())],
    ['a tick of the event stream', () => metrics.collectRealtime()],
    ['health', () => metrics.collectHealth()],
    ['OpenTelemetry', () => producer.collect()],
    ['StatsD', async () => statsd.export(await snapshot())],
    ['CloudWatch', async () => cloudwatch.export(await snapshot())],
    ['a dump for the fleet', () => metrics.collectDump()],
    ['statistics of all patterns of two instances, 24 h', () => fleet.collectPatternStats('24h')],
    ['writes that evict, 1,000 in batches of 50', () => small.fill()],
  ];
  const rows = [];
  for (const [name, look] of looks) {
    const pause = await longestPause(async () => {
      if (!name.startsWith('requests')) await requests();
      await look();
    }, rounds);
    rows.push([`longest pause of the loop, ms: ${name}`, round(pause)]);
  }
  await small.close();
  return rows;
}

function cacheThatEvicts() {
  const cache = createObservedCache({ layers: [memoryLayer({ maxEntries: 10_000 })], metrics: { maxPatterns: MANY } });
  let key = 0;
  return {
    async fill() {
      for (let batch = 0; batch < 20; batch++) {
        await cache.mset(Array.from({ length: 50 }, () => ({ key: `item:${key++}`, value: { key } })));
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    close: () => cache.disconnect(),
  };
}
