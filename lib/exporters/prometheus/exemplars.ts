/** One value that was measured, with the trace in which it was: where a histogram points to what happened. */
export interface Exemplar {
  readonly traceId: string;
  readonly spanId: string;
  /** Seconds. */
  readonly value: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Whoever keeps exemplars of histograms. */
export interface ExemplarSource {
  /**
   * @param family without `metrics.prefix`.
   * @returns one for each classic bucket, `+Inf` last, where there is one; undefined for a series without any.
   */
  exemplarsOf(family: string, labels: readonly string[]): readonly (Exemplar | undefined)[] | undefined;
}

/** Token of the application's exemplars; undefined where it makes no spans. */
export const EXEMPLARS = Symbol('cache-observability:exemplars');

/** What stands behind a bucket's value in OpenMetrics. */
export function exemplarText({ traceId, spanId, value, at }: Exemplar): string {
  return ` # {trace_id="${traceId}",span_id="${spanId}"} ${value} ${(at / 1000).toFixed(3)}`;
}
