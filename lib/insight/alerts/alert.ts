import type { DeclaringMethod } from '../../metrics/judgement.js';
import type { HealthWarning } from '../../metrics/snapshot.js';

/** The importance of an alert. */
export const SEVERITIES = ['info', 'warning', 'critical'] as const;
export type AlertSeverity = (typeof SEVERITIES)[number];

/** The codes that detectors report: deviations from the usual figures. */
export type AnomalyCode = 'HIT_RATE_DROP' | 'SLOW_LOADS' | 'ERRORS_RISE' | 'INVALIDATION_STORM' | 'TRAFFIC_DROP';
export type AlertCode = HealthWarning['code'];

/**
 * A problem that needs attention, from its beginning to its end.
 * @publicApi
 */
export interface Alert {
  /** The same when the alert opens and closes. */
  readonly id: string;
  readonly code: AlertCode;
  readonly severity: AlertSeverity;
  /** The pattern, layer or pool with the problem; `cache` for the whole cache. */
  readonly subject: string;
  readonly message: string;
  /** The figure when the alert opened, in the unit of its code: a share, milliseconds, a number per minute, a state. */
  readonly value: number | string | null;
  /** The expected figure, or the threshold. */
  readonly expected: number | string | null;
  /** ISO 8601. */
  readonly openedAt: string;
  /** Null while it is open. */
  readonly closedAt: string | null;
  /** The handlers and methods that declare the pattern; absent if none does. */
  readonly declaredBy?: readonly DeclaringMethod[];
  /** The caches that lost the server, by name (`default` for the unnamed one); absent if only one cache uses the server. */
  readonly caches?: readonly string[];
  /** In figures of a fleet: the number of instances with this alert. */
  readonly instances?: number;
}

/** A condition that is true now, and becomes an alert if it lasts. */
export interface Condition extends Pick<Alert, 'code' | 'subject' | 'message' | 'value' | 'expected' | 'declaredBy'> {
  /** `false` if the figure may be chance: then the condition keeps an alert open but opens none. @default true */
  readonly certain?: boolean;
}

/** An alert that opened or closed. */
export interface AlertChange {
  readonly state: 'opened' | 'closed';
  readonly alert: Alert;
}

/** The subject of alerts about the whole cache. */
export const EVERYTHING = 'cache';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** How long a cache fills after a start or an outage of a layer, milliseconds. Figures that this affects are not judged meanwhile. */
export const SETTLING_MS = 10 * MINUTE;

/** The rule by which an alert of a code opens and closes. */
export interface CodeRule {
  readonly severity: AlertSeverity;
  /** How long the condition must last, milliseconds. */
  readonly openAfterMs: number;
  /** How long the condition must be absent, milliseconds. */
  readonly closeAfterMs: number;
  /** Codes whose alerts explain this one: while such an alert is open, or shortly after, no alert with this code opens. */
  readonly explainedBy: readonly AlertCode[];
}

/** The rule for the state of a layer or pool. A state does not fluctuate, so its alert opens at once unless a delay is given. */
const state = (severity: AlertSeverity, explainedBy: readonly AlertCode[] = [], openAfterMs = 0): CodeRule => ({
  severity,
  openAfterMs,
  closeAfterMs: MINUTE,
  explainedBy,
});
/** The rule for a figure above or below a threshold: it fluctuates. */
const threshold = (severity: AlertSeverity, explainedBy: readonly AlertCode[]): CodeRule => ({
  severity,
  openAfterMs: 10 * MINUTE,
  closeAfterMs: 15 * MINUTE,
  explainedBy,
});
/** The rule for a deviation. Its detector has already waited, so the alert opens and closes at once. */
const anomaly = (explainedBy: readonly AlertCode[]): CodeRule => ({
  severity: 'warning',
  openAfterMs: 0,
  closeAfterMs: 0,
  explainedBy,
});

const AWAY: readonly AlertCode[] = ['LAYER_DOWN', 'CIRCUIT_OPEN'];
const CAUSES: readonly AlertCode[] = [...AWAY, 'INVALIDATION_STORM', 'ERRORS_RISE', 'TRAFFIC_DROP', 'HIT_RATE_DROP'];

/** The rules of all codes; causes come before their effects. */
export const CODES: Readonly<Record<AlertCode, CodeRule>> = {
  LAYER_DOWN: state('critical', ['CIRCUIT_OPEN']),
  CIRCUIT_OPEN: state('critical', ['LAYER_DOWN']),
  POOL_EXHAUSTED: state('critical', [], 2 * MINUTE),
  POOL_BUSY: state('warning', ['POOL_EXHAUSTED'], 5 * MINUTE),
  INVALIDATIONS_PENDING: state('warning', AWAY, MINUTE),
  BUS_NOT_SENT: state('warning', AWAY, MINUTE),
  BUS_UNREACHABLE: state('warning', AWAY, MINUTE),
  SWEEP_PENDING: state('info', AWAY, MINUTE),
  INVALIDATION_STORM: anomaly([]),
  ERRORS_RISE: anomaly([...AWAY, 'POOL_EXHAUSTED']),
  TRAFFIC_DROP: anomaly(AWAY),
  HIT_RATE_DROP: anomaly([...AWAY, 'INVALIDATION_STORM', 'ERRORS_RISE', 'TRAFFIC_DROP']),
  SLOW_LOADS: anomaly([...CAUSES, 'POOL_EXHAUSTED']),
  LOW_HIT_RATE: threshold('warning', CAUSES),
  PATTERN_BELOW_TARGET: threshold('warning', [...CAUSES, 'LOW_HIT_RATE']),
  HIGH_AVG_RESPONSE_TIME: threshold('warning', [...CAUSES, 'LOW_HIT_RATE']),
  HIGH_P95_RESPONSE_TIME: threshold('info', [...CAUSES, 'LOW_HIT_RATE', 'HIGH_AVG_RESPONSE_TIME']),
};

/** Whether detectors report this code. */
export function isAnomaly(code: AlertCode): boolean {
  return CODES[code].closeAfterMs === 0;
}

/** Whether the code means that a layer is away. */
export function isAway(code: AlertCode): boolean {
  return AWAY.includes(code);
}

/** Sorts a list of alerts by their opening, newest first, and freezes it. */
export function newestFirst(alerts: Alert[]): readonly Alert[] {
  return Object.freeze(alerts.sort((a, b) => (a.openedAt < b.openedAt ? 1 : a.openedAt > b.openedAt ? -1 : 0)));
}

/** Whether an alert is at least as severe. */
export function isAtLeast(severity: AlertSeverity, least: AlertSeverity): boolean {
  return SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(least);
}

/** How far a figure must be beyond its threshold to open an alert, as a share of the threshold. */
const CLEARLY = 0.1;

/** Returns the condition that a health warning describes. @param requests the number of requests in its window. */
export function conditionOf(warning: HealthWarning, requests: number): Condition {
  const { code, message, value, threshold, pattern, layer, pool } = warning;
  const subject = pattern ?? layer ?? pool ?? EVERYTHING;
  return { code, subject, message, value, expected: threshold, certain: isCertain(warning, requests) };
}

/** False for a figure close to its threshold, and for a hit rate that may be chance. A state is always certain. */
function isCertain({ code, value, threshold }: HealthWarning, requests: number): boolean {
  if (typeof value !== 'number' || typeof threshold !== 'number') return true;
  if (code === 'LOW_HIT_RATE') {
    const chance = Math.sqrt((threshold * (1 - threshold)) / Math.max(1, requests));
    return threshold - value > Math.max(CLEARLY * threshold, 3 * chance);
  }
  if (code === 'PATTERN_BELOW_TARGET') return value < threshold * (1 - CLEARLY);
  return !code.startsWith('HIGH_') || value > threshold * (1 + CLEARLY);
}
