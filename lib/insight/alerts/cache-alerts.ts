import type { CacheLog } from '../../cache/base/cache-log.js';
import type { CallbackErrors } from '../../cache/base/callback-errors.js';
import type { Coordination } from '../../cache/invalidation/coordination.js';
import type { SharedMap } from '../../cache/layers/layer.js';
import type { Clock } from '../../cache/base/clock.js';
import { gauge, type FamilySource, type MetricFamily } from '../../metrics/family.js';
import type { CacheMetrics } from '../../metrics/cache-metrics.js';
import type { HealthWarning } from '../../metrics/snapshot.js';
import {
  type Alert,
  type AlertChange,
  CODES,
  type Condition,
  conditionOf,
  EVERYTHING,
  isAnomaly,
  isAway,
  newestFirst,
  SETTLING_MS,
} from './alert.js';
import { AlertNotifier } from './alert-notifier.js';
import type { AlertsOptions } from './alerts.options.js';
import { AlertBook } from './alert-book.js';
import { Anomalies } from './anomalies.js';
import { baselinesBytes, readBaselines } from './baselines.js';
import { minuteOf } from './minute.js';
import type { ServerOutages } from './server-outages.js';
import { CacheError } from '../../cache/base/errors.js';
import { runInSlices } from '../../cache/base/slices.js';

/** The figures from which alerts are derived; `CacheMetrics` implements it. */
export type AlertFigures = Pick<
  CacheMetrics,
  | 'collectHealth'
  | 'warnings'
  | 'collectStats'
  | 'collectPatternStats'
  | 'addAlerts'
  | 'addSource'
  | 'watchCircuits'
  | 'declarationOf'
>;

export interface CacheAlertsParts {
  readonly metrics: AlertFigures;
  readonly clock: Clock;
  readonly callbacks: CallbackErrors;
  readonly log?: CacheLog | undefined;
  /** Where to send notifications. */
  readonly options?: AlertsOptions;
  /** The name of the service in notifications. */
  readonly service?: string | undefined;
  /** The layer through which instances agree which one notifies. */
  readonly coordination?: () => Coordination | undefined;
  /** The map in which instances note the alerts that they have notified of. */
  readonly notes?: () => SharedMap | undefined;
  /** The name of the cache in its application. */
  readonly cache: string;
  /** The alerts about lost layers, which caches of an application share. */
  readonly outages: ServerOutages;
}

const MINUTE = 60_000;
/** How often the usual figures are written for the next run; they change slowly. */
const WRITTEN_EVERY_MS = 5 * MINUTE;
/** Usual figures older than this are ignored. */
const KEPT_MS = 7 * 24 * 60 * MINUTE;
/** A minute is skipped if less than this share of it was observed. */
const LEAST_OF_A_MINUTE = 0.2;

/**
 * Finds problems in the figures once a minute, and in the state of layers at each change, and keeps the book of alerts. It keeps neither
 * the process nor an unused cache alive, and does nothing on the path of a hit.
 */
export class CacheAlerts implements FamilySource {
  readonly #parts: CacheAlertsParts;
  readonly #notifier: AlertNotifier | undefined;
  readonly #book = new AlertBook();
  readonly #anomalies = new Anomalies();
  readonly #listeners = new Set<(change: AlertChange) => void>();
  readonly #startedAt: number;
  #judgeFrom: number;
  #cancel: (() => void) | undefined;
  #looking: Promise<void> = Promise.resolve();
  #closed = false;
  #writtenAt: number;

  constructor(parts: CacheAlertsParts) {
    this.#parts = parts;
    this.#startedAt = this.#writtenAt = parts.clock.now();
    const { options = {}, coordination = () => undefined, notes, service, clock, callbacks, log } = parts;
    if (options.onAlert !== undefined || options.webhook !== undefined) {
      this.#notifier = new AlertNotifier({ options, coordination, notes, service, clock, callbacks, log });
    }
    this.#judgeFrom = this.#startedAt + SETTLING_MS;
  }

  /** Starts to watch, once a minute. */
  start(): void {
    const { metrics, clock } = this.#parts;
    metrics.addSource(this);
    metrics.addAlerts(() => this.#warnings());
    metrics.watchCircuits(() => void this.look());
    this.#parts.outages.join(this.#parts.cache, {
      heard: (change) => this.#heard(change),
      notify: (change) => this.#notify(change),
    });
    this.#cancel = everyMinute(new WeakRef<CacheAlerts>(this), clock);
  }

  /** Takes or renews the right to notify. Call it when the layers are connected. */
  connected(): void {
    void this.#notifier?.beThere();
  }

  /** Sends waiting notifications within the time limit, and drops the rest. @param withinMs the limit, milliseconds. */
  async close(withinMs: number): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    this.#listeners.clear();
    this.#parts.outages.leave(this.#parts.cache);
    await this.#notifier?.close(withinMs);
  }

  /** Lists the alerts, newest first. @param state `all` adds the last closed ones, at most 200. */
  list(state: 'open' | 'all' = 'open'): readonly Alert[] {
    return newestFirst([...this.#lost(state), ...this.#book.alerts(state)]);
  }

  /** Calls a listener for every alert that opens or closes. @returns a function that removes it. */
  onChange(listener: (change: AlertChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Returns the usual figures for the next run; undefined if they were written less than five minutes ago. */
  async collectDump(): Promise<Uint8Array | undefined> {
    const now = this.#parts.clock.now();
    if (now - this.#writtenAt < WRITTEN_EVERY_MS) return undefined;
    this.#writtenAt = now;
    return baselinesBytes(await runInSlices(this.#anomalies.save(now)));
  }

  /** Restores the usual figures. @throws CacheError if the bytes cannot be read, or are too old. */
  restore(dump: Uint8Array): void {
    const now = this.#parts.clock.now();
    const baselines = readBaselines(dump);
    if (baselines === undefined || now - baselines.at > KEPT_MS) {
      throw new CacheError('INVALID_RECORD', 'The saved usual figures have an unknown format or are too old.');
    }
    this.#anomalies.load(baselines, now);
  }

  /** Evaluates the last minute. Evaluations run one at a time; resolves when this one has ended. */
  observeMinute(): Promise<void> {
    void this.#notifier?.beThere();
    return this.#after(async () => {
      await this.#judge();
      await this.#observe();
      await this.#judge();
    });
  }

  /** Checks states that can change at any time: layers and pools. */
  look(): Promise<void> {
    return this.#after(() => this.#judge());
  }

  families(): MetricFamily[] {
    return [
      gauge('cache_alerts', 'Open alerts.', ['code', 'severity'], () => this.#counts(), { aggregation: 'max' }),
      ...(this.#notifier?.families() ?? []),
    ];
  }

  #after(work: () => Promise<void>): Promise<void> {
    // After an error, the figures are read again a minute later.
    this.#looking = this.#looking.then(() => (this.#closed ? undefined : work())).catch(() => undefined);
    return this.#looking;
  }

  async #observe(): Promise<void> {
    const { metrics, clock } = this.#parts;
    const at = clock.now();
    const stats = await metrics.collectStats('1m');
    if (stats.coverageSeconds < LEAST_OF_A_MINUTE * 60) return;
    const patterns = await metrics.collectPatternStats('1m');
    const minutes = patterns.map((pattern) => [pattern.pattern, minuteOf(pattern, at, false)] as const);
    this.#anomalies.observe(minuteOf(stats, at, true), minutes, at < this.#judgeFrom);
  }

  async #judge(): Promise<void> {
    const { metrics, clock } = this.#parts;
    const health = await metrics.collectHealth();
    if (this.#closed) return;
    const now = clock.now();
    const warnings = [...health.warnings, ...metrics.warnings()].filter(({ code }) => !isAnomaly(code));
    if (warnings.some(({ code }) => isAway(code))) {
      this.#judgeFrom = Math.max(this.#judgeFrom, now + SETTLING_MS);
    }
    const conditions = [
      ...warnings.map((warning) => conditionOf(this.#sinceStart(warning, now), health.totalRequests)),
      ...this.#anomalies.conditions(),
    ].map((condition) => this.#located(condition));
    const { cache, outages } = this.#parts;
    const [lost, others] = [true, false].map((away) => conditions.filter(({ code }) => isAway(code) === away));
    outages.report(cache, lost!, now);
    for (const change of this.#book.update(others!, now, this.#lost('all'))) {
      this.#notify(change);
      this.#heard(change);
    }
  }

  /** The alerts about lost layers. */
  #lost(state: 'open' | 'all'): readonly Alert[] {
    return this.#parts.outages.alerts(this.#parts.cache, state);
  }

  /** Adds the handlers and methods that declare the pattern. */
  #located(condition: Condition): Condition {
    const declaredBy = this.#parts.metrics.declarationOf(condition.subject)?.declaredBy;
    return declaredBy === undefined ? condition : { ...condition, declaredBy };
  }

  /** In the first 20 minutes, adds to the message of a low figure that the cache may still be filling. */
  #sinceStart(warning: HealthWarning, now: number): HealthWarning {
    if (CODES[warning.code].openAfterMs < SETTLING_MS || now - this.#startedAt > 2 * SETTLING_MS) return warning;
    const minutes = Math.round((now - this.#startedAt) / MINUTE);
    return {
      ...warning,
      message: `${warning.message} The cache started ${minutes} minutes ago and may still be filling.`,
    };
  }

  #heard(change: AlertChange): void {
    const { callbacks } = this.#parts;
    for (const listener of this.#listeners) callbacks.call('listener', 'alerts', () => listener(change));
  }

  /** Logs and sends a change. */
  #notify(change: AlertChange): void {
    const { log } = this.#parts;
    const { state, alert } = change;
    const { code, severity, subject, message, caches } = alert;
    const isOpen = state === 'opened';
    const details = { alert: code, severity, subject, ...(caches !== undefined && { caches: caches.join(', ') }) };
    if (isOpen) log?.(severity === 'info' ? 'log' : 'warn', 'ALERT_OPENED', `${code}: ${message}`, details);
    else log?.('log', 'ALERT_CLOSED', `The alert ${code} of ${subject} has closed.`, details);
    this.#notifier?.take(change);
  }

  /** Returns the open alerts of the detectors, as additional health warnings. */
  #warnings(): HealthWarning[] {
    return this.#book
      .alerts('open')
      .filter(({ code }) => isAnomaly(code))
      .map(({ code, message, value, expected: threshold, subject }) => ({
        code,
        message,
        value,
        threshold,
        ...(subject === EVERYTHING ? {} : { pattern: subject }),
      }));
  }

  *#counts(): Generator<{ labels: string[]; value: number }> {
    const open = this.list('open');
    for (const [code, { severity }] of Object.entries(CODES)) {
      yield { labels: [code, severity], value: open.filter((alert) => alert.code === code).length };
    }
  }
}

/** Evaluates every minute as long as other code holds the alerts. @returns a function that stops it. */
function everyMinute(alerts: WeakRef<CacheAlerts>, clock: Clock): () => void {
  let due = clock.now();
  const plan = (): (() => void) => {
    due = Math.max(due + MINUTE, clock.now());
    return clock.after(due - clock.now(), () => {
      const held = alerts.deref();
      if (held === undefined) return;
      cancel = plan();
      void held.observeMinute();
    });
  };
  let cancel = plan();
  return () => cancel();
}
