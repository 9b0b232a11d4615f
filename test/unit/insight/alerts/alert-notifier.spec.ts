import { beforeEach, describe, expect, it } from '@jest/globals';
import { CallbackErrors } from '../../../../lib/cache/base/callback-errors.js';
import type { Coordination } from '../../../../lib/cache/invalidation/coordination.js';
import type { SharedMap } from '../../../../lib/cache/layers/layer.js';
import type { Alert, AlertChange, AlertCode } from '../../../../lib/insight/alerts/alert.js';
import { AlertNotifier } from '../../../../lib/insight/alerts/alert-notifier.js';
import type { AlertsOptions } from '../../../../lib/insight/alerts/alerts.options.js';
import { ManualClock, settle } from '../../../support/manual-clock.js';

/** The leases of a server that all instances see. */
class Leases {
  readonly held = new Map<string, { owner: object; until: number }>();
  state: 'up' | 'away' | 'hanging' = 'up';

  constructor(private readonly clock: ManualClock) {}

  /** For one instance. */
  coordination(): Coordination {
    const owner = {};
    const ask = async () => {
      if (this.state === 'hanging') await new Promise(() => undefined);
      if (this.state === 'away') throw new Error('away');
    };
    const isMine = (name: string) => this.held.get(name)?.owner === owner;
    const hold = (name: string, ms: number) => this.held.set(name, { owner, until: this.clock.now() + ms });
    const acquire: Coordination['acquire'] = async (name, leaseMs) => {
      await ask();
      const holder = this.held.get(name);
      if (holder !== undefined && holder.until > this.clock.now()) return undefined;
      hold(name, leaseMs);
      return {
        renew: async (ms) => {
          await ask();
          if (isMine(name)) hold(name, ms);
          return isMine(name);
        },
        release: async () => void (isMine(name) && this.held.delete(name)),
      };
    };
    return { acquire } as Partial<Coordination> as Coordination;
  }

  readonly #notes = new Map<string, Uint8Array>();

  /** The notes that all instances see. */
  notes(): SharedMap {
    const up = <T>(answer: () => T) =>
      this.state === 'up' ? Promise.resolve(answer()) : Promise.reject(new Error('away'));
    return {
      publish: (slot, bytes) => up(() => void this.#notes.set(slot, bytes)),
      read: (slot) => up(() => this.#notes.get(slot)),
      readAll: () => up(() => this.#notes),
      withdraw: (slot) => up(() => void this.#notes.delete(slot)),
    };
  }
}

describe('the notifier of alerts', () => {
  let clock: ManualClock;
  let leases: Leases;

  beforeEach(() => {
    clock = new ManualClock();
    leases = new Leases(clock);
  });

  const instance = (options: AlertsOptions = {}, shared = true) => {
    const coordination = shared ? leases.coordination() : undefined;
    const notified: string[] = [];
    const onAlert = ({ code, closedAt }: Alert) => void notified.push(`${code}${closedAt === null ? '' : ' over'}`);
    const callbacks = new CallbackErrors();
    const notifier = new AlertNotifier({
      options: { onAlert, ...options },
      coordination: () => coordination,
      notes: () => (shared ? leases.notes() : undefined),
      service: undefined,
      clock,
      callbacks,
    });
    let alerts = 0;
    const opened = (code: AlertCode, severity: Alert['severity'] = 'warning'): AlertChange => {
      const id = `00000000-0000-4000-8000-${String(++alerts).padStart(12, '0')}`;
      const alert: Alert = {
        id,
        code,
        severity,
        subject: 'feed:*',
        message: '',
        value: 1,
        expected: 2,
        openedAt: '2026-01-01T00:00:00.000Z',
        closedAt: null,
      };
      notifier.take({ state: 'opened', alert });
      return { state: 'closed', alert: { ...alert, closedAt: 'now' } };
    };
    return { notifier, notified, opened, callbacks };
  };

  it('the notifier notifies when an alert opens and when it closes', async () => {
    const { notifier, notified, opened } = instance();
    const closed = opened('HIT_RATE_DROP');
    await settle();
    notifier.take(closed);
    await settle();
    expect(notified).toEqual(['HIT_RATE_DROP', 'HIT_RATE_DROP over']);
  });

  it('the notifier skips alerts below minSeverity, by default those of severity info', async () => {
    const [usual, strict] = [instance(), instance({ minSeverity: 'critical' }, false)];
    for (const { opened } of [usual, strict]) {
      opened('SWEEP_PENDING', 'info');
      opened('SLOW_LOADS', 'warning');
      opened('CIRCUIT_OPEN', 'critical');
    }
    await settle();
    expect([usual.notified, strict.notified]).toEqual([['SLOW_LOADS', 'CIRCUIT_OPEN'], ['CIRCUIT_OPEN']]);
  });

  it('the notifier notifies once per fleet, of the closing too', async () => {
    const fleet = [instance(), instance(), instance()];
    const closings = fleet.map(({ opened }) => opened('HIT_RATE_DROP'));
    await clock.advance(600_000);
    fleet.forEach(({ notifier }, at) => notifier.take(closings[at]!));
    await settle();
    // Another instance opens the alert a little later.
    await clock.advance(30_000);
    fleet[2]!.opened('HIT_RATE_DROP');
    await settle();
    expect(fleet.map(({ notified }) => notified)).toEqual([['HIT_RATE_DROP', 'HIT_RATE_DROP over'], [], []]);
  });

  it.each(['away', 'hanging'] as const)('one instance notifies while the shared layer is %s', async (state) => {
    const fleet = [instance(), instance(), instance()];
    for (let minute = 0; minute < 10; minute++) {
      await Promise.all(fleet.map(({ notifier }) => notifier.beThere()));
      await clock.advance(60_000);
    }
    leases.state = state;
    for (const { opened } of fleet) opened('LAYER_DOWN', 'critical');
    await settle();
    await clock.advance(5_000);
    expect(fleet.flatMap(({ notified }) => notified)).toEqual(['LAYER_DOWN']);
  });

  it('one instance notifies of the end of an outage of the shared layer, also if another one notices it first', async () => {
    const fleet = [instance(), instance()];
    const minute = async () => {
      await Promise.all(fleet.map(({ notifier }) => notifier.beThere()));
      await clock.advance(60_000);
    };
    await minute();
    leases.state = 'away';
    const closings = fleet.map(({ opened }) => opened('LAYER_DOWN', 'critical'));
    await settle();
    await minute();
    leases.state = 'up';
    await minute();
    const [first, second] = fleet.map(({ notified }) => notified.length);
    expect([first, second].toSorted()).toEqual([0, 1]);
    for (const at of first === 0 ? [0, 1] : [1, 0]) {
      fleet[at]!.notifier.take(closings[at]!);
      await minute();
    }
    await minute();
    expect(fleet.flatMap(({ notified }) => notified)).toEqual(['LAYER_DOWN', 'LAYER_DOWN over']);
  });

  it('the notifier notifies if it never learned of other instances', async () => {
    leases.state = 'away';
    const { notified, opened } = instance();
    opened('LAYER_DOWN', 'critical');
    await settle();
    expect(notified).toEqual(['LAYER_DOWN']);
  });

  it('the notifier of another instance notifies in place of a closed instance', async () => {
    const [first, second] = [instance(), instance()];
    await first!.notifier.beThere();
    await second!.notifier.beThere();
    await first!.notifier.close(1_000);
    await second!.notifier.beThere();
    leases.state = 'away';
    second!.opened('LAYER_DOWN', 'critical');
    await settle();
    expect(second!.notified).toEqual(['LAYER_DOWN']);
  });

  it('the notifier counts a callback that throws or rejects, and continues', async () => {
    const { callbacks, opened } = instance({ onAlert: () => Promise.reject(new Error('no')) }, false);
    opened('SLOW_LOADS');
    opened('ERRORS_RISE');
    await settle();
    expect(callbacks.counts.get('listener')).toBe(2);
  });

  it('the notifier closes within its time, with no timer left', async () => {
    leases.state = 'hanging';
    const { notifier, opened } = instance();
    opened('SLOW_LOADS');
    const closed = notifier.close(500);
    await settle();
    await clock.advance(1_500);
    await closed;
    expect(clock.pending).toBe(0);
  });
});
