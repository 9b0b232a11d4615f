import type { HealthWarning } from '../../metrics/snapshot.js';

/** A warning that came or went. */
export interface AlertChange {
  readonly state: 'opened' | 'closed';
  readonly alert: HealthWarning;
}

/** Tells which warnings came and which went since the last look. */
export class AlertChanges {
  #open = new Map<string, HealthWarning>();

  since(alerts: readonly HealthWarning[]): AlertChange[] {
    const open = new Map(alerts.map((alert) => [idOf(alert), alert]));
    const opened = [...open].filter(([id]) => !this.#open.has(id));
    const closed = [...this.#open].filter(([id]) => !open.has(id));
    this.#open = open;
    return [
      ...opened.map(([, alert]) => ({ state: 'opened' as const, alert })),
      ...closed.map(([, alert]) => ({ state: 'closed' as const, alert })),
    ];
  }

  forget(): void {
    this.#open.clear();
  }
}

function idOf({ code, pattern = '', layer = '' }: HealthWarning): string {
  return `${code}\n${pattern}\n${layer}`;
}
