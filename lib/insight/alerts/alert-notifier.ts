import { createHash } from 'node:crypto';
import { TIMED_OUT, within } from '../../cache/base/bounded-wait.js';
import type { CacheLog } from '../../cache/base/cache-log.js';
import type { CallbackErrors } from '../../cache/base/callback-errors.js';
import type { Clock } from '../../cache/base/clock.js';
import type { Coordination, Lease } from '../../cache/invalidation/coordination.js';
import type { SharedMap } from '../../cache/layers/layer.js';
import { giveBackLate, holdLease } from '../../cache/layers/resilience/lease.js';
import { counter, type FamilySource, type MetricFamily } from '../../metrics/family.js';
import { type Alert, type AlertChange, isAtLeast } from './alert.js';
import type { AlertsOptions } from './alerts.options.js';
import { NotifiedAlerts } from './notified-alerts.js';
import { Webhook } from './webhook.js';

/** How long an instance keeps the right to notify without renewing it, milliseconds. */
const LEASE_MS = 120_000;
/** Deadline of a request for the lease, milliseconds. */
const ANSWER_MS = 1_000;
/** How long an instance knows, while the shared layer is away, whether it held the general lease, milliseconds. */
const REMEMBERED_MS = 300_000;
const FOREMOST = 'alerts:notifier';

export interface AlertNotifierParts {
  readonly options: AlertsOptions;
  /** The layer through which instances agree which one notifies; undefined if no layer is shared. */
  readonly coordination: () => Coordination | undefined;
  /** The map in which instances note the alerts that they have notified of; undefined if no layer is shared. */
  readonly notes?: (() => SharedMap | undefined) | undefined;
  readonly service: string | undefined;
  readonly clock: Clock;
  readonly callbacks: CallbackErrors;
  readonly log?: CacheLog | undefined;
}

/**
 * Notifies of alerts, once per fleet. The instance that detects an alert first takes a lease on it and notifies of its opening and
 * closing; the others send nothing during the lease. One instance also holds a general lease. The shared layer is often the subject of the
 * alert; while it is away, the last holder of the general lease notifies without a lease on the alert. If an instance ends before
 * its alert closes, another one sends the closing: see {@link NotifiedAlerts}.
 */
export class AlertNotifier implements FamilySource {
  readonly #parts: AlertNotifierParts;
  readonly #webhook: Webhook | undefined;
  /** Open alerts that this instance has notified of, each with a function that stops renewing its lease. */
  readonly #mine = new Map<string, () => void>();
  /** The open alerts among them for which no lease could be requested, each with the name of its lease. */
  readonly #unleased = new Map<string, string>();
  readonly #notes: NotifiedAlerts;
  #foremost: { lease: Lease | undefined; at: number } | undefined;
  #notifying: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(parts: AlertNotifierParts) {
    this.#parts = parts;
    const { options, service, clock, log, notes = () => undefined } = parts;
    this.#notes = new NotifiedAlerts(notes, clock);
    if (options.webhook !== undefined) this.#webhook = new Webhook({ options: options.webhook, service, clock, log });
  }

  /** Handles an opened or closed alert; returns at once. */
  take(change: AlertChange): void {
    const { minSeverity = 'warning' } = this.#parts.options;
    if (this.#closed || !isAtLeast(change.alert.severity, minSeverity)) return;
    this.#notifying = this.#notifying.then(() => this.#notify(change)).catch(() => undefined);
  }

  /** Renews the general lease, and sends closings that instances which ended have not sent. Call it once a minute. */
  async beThere(): Promise<void> {
    await this.#beForemost();
    this.#notifying = this.#notifying.then(() => this.#settle()).catch(() => undefined);
  }

  async #beForemost(): Promise<void> {
    const coordination = this.#parts.coordination();
    if (coordination === undefined || this.#closed) return;
    const { clock } = this.#parts;
    try {
      const held = this.#foremost?.lease;
      if (held !== undefined && (await within(held.renew(LEASE_MS), ANSWER_MS, clock)) === true) {
        this.#foremost = { lease: held, at: clock.now() };
        return;
      }
      const lease = await this.#acquire(coordination, FOREMOST);
      if (lease === TIMED_OUT) return;
      if (this.#closed) return void lease?.release();
      this.#foremost = { lease, at: clock.now() };
    } catch {
      // Keep the last known state for a while.
    }
  }

  /** Sends the waiting notifications without pauses, drops those that fail, and releases the general lease. @param withinMs the time limit. */
  async close(withinMs: number): Promise<void> {
    const { clock } = this.#parts;
    const startedAt = clock.now();
    const sending = this.#notifying.then(() => this.#webhook?.finish());
    await within(sending, withinMs, clock);
    this.#closed = true;
    this.#webhook?.close();
    for (const release of this.#mine.values()) release();
    this.#mine.clear();
    this.#unleased.clear();
    // The layer closes next. A lease that is not released before lasts for minutes, during which no instance would notify of an outage.
    const released = this.#foremost?.lease?.release().catch(() => undefined);
    if (released !== undefined) await within(released, withinMs - (clock.now() - startedAt), clock);
  }

  families(): MetricFamily[] {
    const webhook = this.#webhook;
    if (webhook === undefined) return [];
    return [
      counter('cache_alert_webhook_total', 'Alerts sent to the webhook, by result.', ['result'], () =>
        Object.entries(webhook.counts).map(([result, value]) => ({ labels: [result], value })),
      ),
    ];
  }

  async #notify({ state, alert }: AlertChange): Promise<void> {
    const name = leaseOf(alert);
    if (state === 'opened') {
      this.#notes.reopened(name);
      const release = await this.#claim(name, () => void this.#unleased.set(alert.id, name));
      if (release === undefined) return;
      this.#mine.set(alert.id, release);
      this.#send({ state, alert });
      await this.#notes.opened(name, alert);
    } else {
      const release = this.#mine.get(alert.id);
      if (release === undefined) return this.#notes.left(name, alert);
      this.#mine.delete(alert.id);
      this.#unleased.delete(alert.id);
      release();
      await this.#notes.closed(name);
      this.#send({ state, alert });
    }
  }

  async #settle(): Promise<void> {
    if (this.#closed) return;
    await this.#leaseLate();
    const claimed = async (name: string) => {
      const coordination = this.#parts.coordination();
      const lease = coordination && (await this.#acquire(coordination, name).catch(() => undefined));
      return lease !== undefined && lease !== TIMED_OUT;
    };
    for (const alert of await this.#notes.settle(claimed)) this.#send({ state: 'closed', alert });
  }

  /** Takes the leases that could not be requested before; later, the notes would let other instances take them. */
  async #leaseLate(): Promise<void> {
    const coordination = this.#parts.coordination();
    if (coordination === undefined) return;
    for (const [id, name] of this.#unleased) {
      const lease = await this.#acquire(coordination, name).catch((): typeof TIMED_OUT => TIMED_OUT);
      if (lease === TIMED_OUT) return;
      this.#unleased.delete(id);
      if (lease !== undefined) this.#mine.set(id, keep(lease, this.#parts.clock));
    }
  }

  #send({ state, alert }: AlertChange): void {
    const { callbacks, options } = this.#parts;
    if (options.onAlert !== undefined) callbacks.call('listener', 'alerts.onAlert', () => options.onAlert!(alert));
    this.#webhook?.send({ state, alert });
  }

  /**
   * Takes the right to notify of an alert.
   * @param unleased called if this instance notifies without a lease, because the layer is away.
   * @returns a function that stops renewing the lease; undefined if another instance holds it.
   */
  async #claim(name: string, unleased: () => void): Promise<(() => void) | undefined> {
    const coordination = this.#parts.coordination();
    if (coordination === undefined) return () => undefined;
    const { clock } = this.#parts;
    try {
      const lease = await this.#acquire(coordination, name);
      if (lease === undefined) return undefined;
      if (lease !== TIMED_OUT) return keep(lease, clock);
    } catch {
      // The layer is away; that may be the subject of the alert.
    }
    if (!this.#isForemost()) return undefined;
    unleased();
    return () => undefined;
  }

  /** Whether this instance notifies while the shared layer is away. */
  #isForemost(): boolean {
    const known = this.#foremost;
    const isOld = known === undefined || this.#parts.clock.now() - known.at > REMEMBERED_MS;
    return isOld || known.lease !== undefined;
  }

  async #acquire(coordination: Coordination, name: string): Promise<Lease | undefined | typeof TIMED_OUT> {
    const acquiring = coordination.acquire(name, LEASE_MS);
    const lease = await within(acquiring, ANSWER_MS, this.#parts.clock);
    if (lease === TIMED_OUT) giveBackLate(acquiring);
    return lease;
  }
}

/** Renews a lease until the returned function is called. Then the lease expires: an instance that detects the alert late must send nothing. */
function keep(lease: Lease, clock: Clock): () => void {
  return holdLease({ renew: (ms) => lease.renew(ms), release: () => Promise.resolve() }, LEASE_MS, clock);
}

/** Returns the name of the lease on an alert, the same in all instances. */
function leaseOf({ code, subject }: Alert): string {
  return `alerts:${code}:${digest(subject)}`;
}

/** Shortens a subject: patterns may be long, but names of leases may not. */
function digest(subject: string): string {
  return createHash('sha256').update(subject).digest('hex').slice(0, 16);
}
