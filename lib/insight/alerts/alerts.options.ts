import type { Alert, AlertSeverity } from './alert.js';

/** The HTTP address that alerts are sent to. */
export interface WebhookOptions {
  /** Begins with `http://` or `https://`. Credentials and path are never logged. */
  readonly url: string;
  /** Headers of every request, such as `Authorization`. They are never logged. @default none */
  readonly headers?: Readonly<Record<string, string>>;
  /** `'json'`: `{ state, service, alert }`; `'slack'`: a message for an incoming webhook of Slack. @default 'json' */
  readonly format?: 'json' | 'slack';
}

/** How alerts are sent. */
export interface AlertsOptions {
  /**
   * Called when an alert opens, and again when it closes (then `closedAt` is set). Errors and rejections are counted, and the first is
   * logged. If instances share a layer, only one of them calls it.
   */
  readonly onAlert?: (alert: Alert) => unknown;
  /** Sends the same alerts over HTTP. Failed requests are retried with growing pauses; at most 100 alerts wait. */
  readonly webhook?: WebhookOptions;
  /** Alerts below this are shown and logged, but not sent. @default 'warning' */
  readonly minSeverity?: AlertSeverity;
}
