import type { SpanContext } from '@opentelemetry/api';
import type { Clock } from '../../cache/base/clock.js';
import { type CacheTracer, SILENT_SPAN, type SpanHandle, type TracedOperation } from '../../cache/base/tracer.js';
import type { OpenTelemetryApi } from '../../tracing/opentelemetry-api.js';
import { CLASSIC_BOUNDS } from './classic-buckets.js';

/** One measured value with its trace. It links a bucket of a histogram to an example. */
export interface Exemplar {
  readonly traceId: string;
  readonly spanId: string;
  /** Seconds. */
  readonly value: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Keeps exemplars of histograms. */
export interface ExemplarSource {
  /**
   * @param family without `metrics.prefix`.
   * @returns one exemplar per classic bucket, `+Inf` last. Undefined for a bucket, or a series, without exemplars.
   */
  exemplarsOf(family: string, labels: readonly string[]): readonly (Exemplar | undefined)[] | undefined;
}

/** Token of the application's exemplars; undefined if it creates no spans. */
export const EXEMPLARS = Symbol('cache-observability:exemplars');

/** Formats an exemplar as OpenMetrics appends it to a bucket's value. */
export function exemplarText({ traceId, spanId, value, at }: Exemplar): string {
  return ` # {trace_id="${traceId}",span_id="${spanId}"} ${value} ${(at / 1000).toFixed(3)}`;
}

const FAMILY = 'cache_operation_duration_seconds';

/**
 * Keeps the latest sampled trace of each bucket of load and refresh times. It follows loads and refreshes only, because a hit does not
 * wait for an origin. It runs inside the tracer that creates the spans, so that it finds the span of the load.
 */
export class LoadExemplars implements CacheTracer, ExemplarSource {
  readonly #latest = new Map<string, (Exemplar | undefined)[]>();

  constructor(
    private readonly api: Pick<OpenTelemetryApi, 'context' | 'trace' | 'TraceFlags'>,
    private readonly clock: Clock,
  ) {}

  span<T>(operation: TracedOperation, _series: unknown, _key: string, run: (span: SpanHandle) => T): T {
    const span = operation === 'load' || operation === 'refresh' ? this.#sampled() : undefined;
    if (span === undefined) return run(SILENT_SPAN);
    const startedAt = this.clock.now();
    let originMs: number | undefined;
    const handle: SpanHandle = {
      ...SILENT_SPAN,
      phase: (phase, durationMs) => {
        if (phase === 'origin') originMs = durationMs;
      },
    };
    const result = run(handle);
    // Only the time of the origin counts. If the load reports none, use its whole time.
    const keep = (): void => this.#keep(operation, span, originMs ?? this.clock.now() - startedAt);
    if (result instanceof Promise) result.then(keep, keep);
    else keep();
    return result;
  }

  exemplarsOf(family: string, labels: readonly string[]): readonly (Exemplar | undefined)[] | undefined {
    return family === FAMILY ? this.#latest.get(labels[0] ?? '') : undefined;
  }

  #sampled(): SpanContext | undefined {
    const context = this.api.trace.getSpan(this.api.context.active())?.spanContext();
    return context !== undefined && (context.traceFlags & this.api.TraceFlags.SAMPLED) !== 0 ? context : undefined;
  }

  #keep(operation: TracedOperation, { traceId, spanId }: SpanContext, durationMs: number): void {
    const at = this.clock.now();
    const value = durationMs / 1000;
    const buckets =
      this.#latest.get(operation) ?? Array<Exemplar | undefined>(CLASSIC_BOUNDS.length + 1).fill(undefined);
    const bucket = CLASSIC_BOUNDS.findIndex((bound) => value <= bound);
    buckets[bucket === -1 ? CLASSIC_BOUNDS.length : bucket] = { traceId, spanId, value, at };
    this.#latest.set(operation, buckets);
  }
}
