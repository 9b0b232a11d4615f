/** The endpoint that Prometheus scrapes. */
export interface PrometheusOptions {
  /** @default '/metrics' */
  path?: string;
  /** Node's own metrics too. @default true */
  defaultMetrics?: boolean;
}
