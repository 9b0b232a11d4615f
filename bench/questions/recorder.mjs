// What does counting cost? The recorder alone, per operation, compared with prom-client and OpenTelemetry.
import { Counter, Histogram, Registry } from 'prom-client';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { bytesPerOperation, interleave, nanoseconds, round } from '../harness.mjs';
import { recorderOf } from '../recorder.mjs';

export const title = 'Recorder: one access counted, and counted and timed';
export const header = ['what', 'ns (median)', 'quartiles', 'bytes/op'];

/** Without a reader OpenTelemetry stores nothing. */
class Reader extends MetricReader {
  async onForceFlush() {}
  async onShutdown() {}
}

export async function measure({ short, progress }) {
  const counted = recorderOf(0);
  const timed = recorderOf(1);
  const registers = [new Registry()];
  const counter = new Counter({ name: 'c', help: 'c', labelNames: ['operation', 'result'], registers });
  const histogram = new Histogram({ name: 'h', help: 'h', labelNames: ['operation'], registers });
  const meter = new MeterProvider({ readers: [new Reader()] }).getMeter('bench');
  const otelCounter = meter.createCounter('c');
  const otelHistogram = meter.createHistogram('h');
  const loop = (call) => (count) => {
    for (let turn = 0; turn < count; turn++) call();
  };
  const candidates = [
    ['ours: counted', (count) => counted.hits(count)],
    ['ours: counted and timed, both clock reads', (count) => timed.hitsWithClock(count)],
    ['two clock reads alone', (count) => timed.clockReads(count)],
    ['prom-client: counter', loop(() => counter.inc({ operation: 'get', result: 'hit' }))],
    [
      'prom-client: timer and counter',
      loop(() => {
        const end = histogram.startTimer({ operation: 'get' });
        end();
        counter.inc({ operation: 'get', result: 'hit' });
      }),
    ],
    ['OpenTelemetry: counter', loop(() => otelCounter.add(1, { operation: 'get', result: 'hit' }))],
    ['OpenTelemetry: histogram', loop(() => otelHistogram.record(0.1, { operation: 'get' }))],
  ];
  const results = await interleave(
    candidates.map(([name, run]) => ({ name, run: () => nanoseconds(run, short ? 30 : 120) })),
    { rounds: short ? 4 : 9, progress },
  );
  const bytes = new Map(candidates.map(([name, run]) => [name, bytesPerOperation(run)]));
  const rows = candidates.map(([name]) => {
    const { median, low, high } = results.get(name);
    return [name, round(median, 1), `${round(low, 1)}–${round(high, 1)}`, round(bytes.get(name), 2)];
  });
  const naive = results.get('prom-client: timer and counter').median;
  return {
    rows,
    gates: [
      {
        name: 'faster than a prom-client timer and counter',
        value: naive / results.get('ours: counted and timed, both clock reads').median,
        atLeast: 4,
      },
    ],
    data: Object.fromEntries(results),
  };
}
