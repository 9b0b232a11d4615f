import { beforeEach, describe, expect, it } from '@jest/globals';
import { CallbackErrors } from '../../../lib/cache/base/callback-errors.js';
import { CacheError } from '../../../lib/cache/base/errors.js';
import { ExportSchedule } from '../../../lib/exporters/export-schedule.js';
import type { ExportSource, MetricsExporter, MetricsSnapshot } from '../../../lib/exporters/metrics-exporter.js';
import { ManualClock, settle } from '../../support/manual-clock.js';

class Recorder implements MetricsExporter {
  readonly name = 'recorder';
  readonly calls: string[] = [];
  readonly snapshots: MetricsSnapshot[] = [];
  constructor(
    readonly intervalMs?: number,
    readonly behave: (call: string) => void | Promise<void> = () => undefined,
  ) {}
  start(): void | Promise<void> {
    return this.#call('start');
  }
  export(snapshot: MetricsSnapshot): void | Promise<void> {
    this.snapshots.push(snapshot);
    return this.#call('export');
  }
  stop(): void | Promise<void> {
    return this.#call('stop');
  }
  #call(call: string): void | Promise<void> {
    this.calls.push(call);
    return this.behave(call);
  }
}

const source: ExportSource = {
  serviceName: 'shop',
  families: () => [
    { name: 'x_total', help: '', type: 'counter', labelNames: [], points: () => [{ labels: [], value: 1 }] },
  ],
};

describe('the schedule of exporters', () => {
  let clock: ManualClock;
  let log: string[];
  let callbacks: CallbackErrors;
  const schedule = (...exporters: MetricsExporter[]): ExportSchedule =>
    new ExportSchedule({ callbacks, exporters, source, clock, log: (...line) => log.push(line.slice(0, 3).join(' ')) });
  beforeEach(() => {
    clock = new ManualClock();
    log = [];
    callbacks = new CallbackErrors();
  });

  it('the schedule of exporters starts each exporter, exports at its interval, and exports a last time before it stops', async () => {
    const [tenSeconds, minute] = [new Recorder(), new Recorder(60_000)];
    const running = schedule(tenSeconds, minute);
    await running.start();
    await clock.advance(59_999);
    expect([tenSeconds.calls.length, minute.calls.length]).toEqual([6, 1]);
    await clock.advance(1);
    await running.stop();
    await running.stop();
    expect(minute.calls).toEqual(['start', 'export', 'export', 'stop']);
    expect(minute.snapshots[0]).toMatchObject({
      at: minute.snapshots[0]!.startedAt + 60_000,
      families: [{ name: 'x_total' }],
    });
    expect(clock.pending).toBe(0);
  });

  it('the schedule of exporters never calls an exporter that is pulled', async () => {
    const pulled = new Recorder(0);
    const running = schedule(pulled);
    await running.start();
    await clock.advance(100_000);
    await running.stop();
    expect(pulled.calls).toEqual(['start', 'stop']);
  });

  it('the schedule of exporters logs a failing exporter once, tries it again, and continues with the others', async () => {
    const failing = new Recorder(10_000, (call) => {
      if (call === 'export') throw new Error('refused');
    });
    const rejecting = new Recorder(10_000, () => Promise.reject(new Error('down')));
    const fine = new Recorder(10_000);
    const running = schedule(failing, rejecting, fine);
    await running.start();
    await clock.advance(30_000);
    await running.stop();
    expect(failing.calls).toEqual(['start', 'export', 'export', 'export', 'export', 'stop']);
    expect(fine.calls).toEqual(failing.calls);
    expect(log).toEqual([
      expect.stringMatching(
        /^warn EXPORT_FAILED The exporter "recorder" could not start: Error at .*\. Its later failures are not logged\.$/,
      ),
      expect.stringMatching(
        /^warn EXPORT_FAILED The exporter "recorder" could not export: Error at .*\. Its later failures are not logged\.$/,
      ),
    ]);
  });

  it('the schedule of exporters rejects the start if an exporter cannot work as it is configured', async () => {
    const unusable = new Recorder(10_000, () => {
      throw new CacheError('MISSING_PACKAGE', 'npm install hot-shots');
    });
    await expect(schedule(unusable).start()).rejects.toMatchObject({ code: 'MISSING_PACKAGE' });
  });

  it('the schedule of exporters starts without an exporter that hangs, which exports once it has started', async () => {
    let started = (): void => undefined;
    const slow = new Recorder(10_000, (call) =>
      call === 'start' ? new Promise((resolve) => (started = resolve)) : undefined,
    );
    const fine = new Recorder(10_000);
    const running = schedule(slow, fine);
    let up = false;
    void running.start().then(() => (up = true));
    await clock.advance(1_999);
    expect(up).toBe(false);
    await clock.advance(1);
    expect(up).toBe(true);
    expect(log).toEqual([expect.stringMatching(/^warn EXPORTER_NOT_STARTED The exporter "recorder" has not started/)]);
    await clock.advance(28_000);
    expect(slow.calls).toEqual(['start']);
    expect(fine.calls).toHaveLength(3);
    started();
    await settle();
    await clock.advance(10_000);
    expect(slow.calls).toEqual(['start', 'export']);
  });

  it('the schedule of exporters logs an exporter whose start fails after the application has started', async () => {
    let reject = (_: Error): void => undefined;
    const late = new Recorder(10_000, () => new Promise((_resolve, refuse) => (reject = refuse)));
    const running = schedule(late);
    const up = running.start();
    await clock.advance(2_000);
    await up;
    reject(new CacheError('MISSING_PACKAGE', 'npm install hot-shots'));
    await settle();
    expect(log.at(-1)).toMatch(/^warn EXPORT_FAILED .* could not start: .*npm install hot-shots/);
  });

  it('the schedule of exporters stops an exporter that never started, without a last export', async () => {
    const hanging = new Recorder(10_000, () => new Promise(() => undefined));
    const running = schedule(hanging);
    const up = running.start();
    await clock.advance(2_000);
    await up;
    let stopped = false;
    void running.stop().then(() => (stopped = true));
    await clock.advance(2_000);
    expect(stopped).toBe(true);
    expect(hanging.calls).toEqual(['start', 'stop']);
    expect(clock.pending).toBe(0);
  });

  it('the schedule of exporters skips the intervals that passed during an export', async () => {
    let done = (): void => undefined;
    const slow = new Recorder(10_000, (call) =>
      call === 'export' ? new Promise((resolve) => (done = resolve)) : undefined,
    );
    await schedule(slow).start();
    await clock.advance(50_000);
    done();
    await clock.advance(9_999);
    expect(slow.calls).toEqual(['start', 'export']);
    await clock.advance(1);
    expect(slow.calls).toEqual(['start', 'export', 'export']);
  });

  it('the schedule of exporters never calls an exporter that still exports, and stops it nevertheless', async () => {
    const hanging = new Recorder(10_000, (call) => (call === 'start' ? undefined : new Promise(() => undefined)));
    const running = schedule(hanging);
    await running.start();
    await clock.advance(50_000);
    expect(hanging.calls).toEqual(['start', 'export']);
    let stopped = false;
    void running.stop().then(() => (stopped = true));
    await clock.advance(3_000);
    await settle();
    expect(stopped).toBe(true);
  });
});
