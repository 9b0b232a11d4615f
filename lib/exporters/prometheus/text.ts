import type { FamilySource } from '../../metrics/family.js';

export interface PrometheusTextOptions {
  /** @default 'prometheus': classic text 0.0.4 */
  readonly format?: 'prometheus' | 'openmetrics';
  /** Put before every name. @default the metrics' own prefix */
  readonly prefix?: string;
}

/** The exposition of the metrics as Prometheus reads it. */
export function prometheusText(_metrics: FamilySource, _options?: PrometheusTextOptions): string {
  return '';
}
