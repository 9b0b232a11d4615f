import { randomUUID } from 'node:crypto';
import {
  type Alert,
  type AlertChange,
  type AlertCode,
  CODES,
  type Condition,
  EVERYTHING,
  isAnomaly,
  isAway,
  newestFirst,
} from './alert.js';

/*
 * Decides when a condition becomes an alert, and when the alert ends.
 *
 * Only the book opens and closes alerts; log, events, routes, metrics and webhooks show its decisions. Each code has two durations. An
 * alert opens once its condition has lasted for the first, and closes once the condition has been absent for the second.
 *
 * One problem makes one alert: a condition that another alert explains opens none. If Redis is down, the hit rate falls, loads take longer
 * and some fail: the alert of the layer covers all of these. A condition that remains ten minutes after its cause has ended opens its own
 * alert. Among conditions with the same code, the alert of the whole cache covers those of patterns. If only one pattern has changed,
 * only this pattern gets an alert.
 */

/** The maximum number of open alerts and waiting conditions. */
const MOST = 200;
/** The maximum number of closed alerts in the history. */
const HISTORY = 200;
/** How long a closed alert still explains conditions, milliseconds. */
const AFTERMATH_MS = 10 * 60_000;
/** How long a change of one pattern waits for a change of the whole cache, which would cover it, milliseconds. */
const TOGETHER_MS = 60_000;
/** The maximum number of open alerts of one code for single patterns. */
const APART = 2;

interface Tracked {
  readonly since: number;
  seenAt: number;
  condition: Condition;
  alert: Alert | undefined;
}

/** Opens and closes alerts, and keeps the last closed ones. */
export class AlertBook {
  readonly #tracked = new Map<string, Tracked>();
  /** Oldest first. */
  readonly #closed: Alert[] = [];

  /** Lists the alerts, newest first. */
  alerts(state: 'open' | 'all' = 'open'): readonly Alert[] {
    const open = [...this.#tracked.values()].flatMap(({ alert }) => alert ?? []);
    const all = state === 'open' ? open : [...this.#closed, ...open];
    return newestFirst(all);
  }

  /**
   * Updates the book with all conditions that are true now.
   * @param causes alerts of other books; they explain conditions like the alerts of this book.
   * @returns the alerts that opened and closed, in the order of the changes.
   */
  update(conditions: readonly Condition[], now: number, causes: readonly Alert[] = []): AlertChange[] {
    this.#note(conditions, now);
    const changes: AlertChange[] = [];
    for (const tracked of this.#byCause()) {
      if (tracked.alert !== undefined || tracked.seenAt !== now || !this.#opens(tracked, now, causes)) continue;
      tracked.alert = opened(tracked.condition, now);
      changes.push({ state: 'opened', alert: tracked.alert });
    }
    for (const [key, { condition, alert, seenAt }] of this.#tracked) {
      if (seenAt === now) continue;
      if (alert !== undefined && now - seenAt < CODES[condition.code].closeAfterMs) continue;
      this.#tracked.delete(key);
      if (alert !== undefined) changes.push({ state: 'closed', alert: this.#close(alert, now) });
    }
    return changes;
  }

  #note(conditions: readonly Condition[], now: number): void {
    for (const condition of conditions) {
      const key = `${condition.code}\n${condition.subject}`;
      const tracked = this.#tracked.get(key);
      if (condition.certain === false && tracked?.alert === undefined) continue;
      if (tracked !== undefined) {
        tracked.seenAt = now;
        tracked.condition = condition;
      } else if (this.#tracked.size < MOST) {
        this.#tracked.set(key, { since: now, seenAt: now, condition, alert: undefined });
      }
    }
  }

  /** Returns causes before their effects; of one code, the whole cache before single patterns. */
  #byCause(): Tracked[] {
    const order = Object.keys(CODES);
    const rank = ({ condition: { code, subject } }: Tracked): number =>
      2 * order.indexOf(code) + (subject === EVERYTHING ? 0 : 1);
    return [...this.#tracked.values()].sort((a, b) => rank(a) - rank(b));
  }

  #opens({ condition: { code, subject }, since }: Tracked, now: number, others: readonly Alert[]): boolean {
    const rule = CODES[code];
    if (now - since < rule.openAfterMs || this.#isExplained(code, subject, since, now, others)) return false;
    const alike = [...this.#tracked.values()].filter(({ condition }) => condition.code === code);
    const open = alike.filter(({ alert }) => alert !== undefined);
    const parts = alike.filter(({ condition, seenAt }) => condition.subject !== EVERYTHING && seenAt === now);
    const whole = alike.find(({ condition }) => condition.subject === EVERYTHING);
    if (subject === EVERYTHING) return open.length === 0 && parts.length !== 1;
    if (open.some(({ condition }) => condition.subject === EVERYTHING) || open.length >= APART) return false;
    return rule.openAfterMs > 0 || whole !== undefined || !isAnomaly(code) || now - since >= TOGETHER_MS;
  }

  #isExplained(code: AlertCode, subject: string, since: number, now: number, others: readonly Alert[]): boolean {
    // If a layer is lost again after its alert has closed, that is another outage. Figures react later than their cause.
    const follows = (closedAt: number) => now - closedAt < AFTERMATH_MS && (!isAway(code) || since <= closedAt);
    const explains = (alert: Alert): boolean =>
      CODES[code].explainedBy.includes(alert.code) &&
      (alert.closedAt === null || follows(Date.parse(alert.closedAt))) &&
      (alert.subject === subject || (!isAway(code) && (!isAnomaly(alert.code) || concernsAll(alert.subject, subject))));
    for (const { alert } of this.#tracked.values()) if (alert !== undefined && explains(alert)) return true;
    return this.#closed.some(explains) || others.some(explains);
  }

  #close(alert: Alert, now: number): Alert {
    const closed = Object.freeze({ ...alert, closedAt: new Date(now).toISOString() });
    this.#closed.push(closed);
    if (this.#closed.length > HISTORY) this.#closed.shift();
    return closed;
  }
}

/** Whether one of the subjects is the whole cache. */
function concernsAll(...subjects: readonly string[]): boolean {
  return subjects.includes(EVERYTHING);
}

function opened({ code, subject, message, value, expected, declaredBy }: Condition, now: number): Alert {
  return Object.freeze({
    id: randomUUID(),
    code,
    severity: CODES[code].severity,
    subject,
    message,
    value,
    expected,
    openedAt: new Date(now).toISOString(),
    closedAt: null,
    ...(declaredBy !== undefined && { declaredBy }),
  });
}
