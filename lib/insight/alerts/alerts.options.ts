import type { Alert, AlertSeverity } from './alert.js';

/** Where alerts are sent over HTTP. */
export interface WebhookOptions {
  /** `http://` or `https://`; credentials and path are never logged. */
  readonly url: string;
  /** Sent with every request, such as `Authorization`; never logged. @default none */
  readonly headers?: Readonly<Record<string, string>>;
  /** `'json'`: `{ state, service, alert }`; `'slack'`: a message for an incoming webhook of Slack. @default 'json' */
  readonly format?: 'json' | 'slack';
}

/** How alerts are sent. */
export interface AlertsOptions {
  /**
   * Called when an alert opens and when it closes (then `closedAt` is set); errors and rejections are counted and logged once.
   * With a layer that instances share, one of them calls it.
   */
  readonly onAlert?: (alert: Alert) => unknown;
  /** Sends the same over HTTP: retried with growing pauses, at most a hundred waiting. */
  readonly webhook?: WebhookOptions;
  /** Alerts below this are shown and logged, but not sent. @default 'warning' */
  readonly minSeverity?: AlertSeverity;
}
