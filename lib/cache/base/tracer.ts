import type { Series } from './observer.js';

/** The operation of a span. The span's name is `cache.` and the operation. */
export type TracedOperation = 'get' | 'set' | 'delete' | 'invalidate' | 'load' | 'refresh' | 'lock.wait';

/** The phases of an operation that a profiler distinguishes. */
export type Phase = 'local' | 'remote' | 'origin' | 'encode' | 'write';

/** An opaque link to a started span; only the tracer that created it can read it. */
export type SpanLink = unknown;

/** One running span, as the cache uses it. */
export interface SpanHandle {
  /** Other spans link to it: a waiting caller to the load that it joined, a refresh to the access that started it. */
  readonly link: SpanLink;
  /** Links this span to another one that does or caused the work. */
  linkTo(link: SpanLink): void;
  /** Sets the result: `hit`, `stale`, `miss`, `coalesced`, `error`, and the layer that answered if one did. */
  outcome(result: string, layer?: string): void;
  /** Adds a phase of the span, which took `durationMs`. */
  phase(phase: Phase, durationMs: number, layer?: string): void;
}

/** A span that records nothing. */
export const SILENT_SPAN: SpanHandle = { link: undefined, linkTo() {}, outcome() {}, phase() {} };

/**
 * Creates spans or profiles of operations. Without a tracer, each slow path costs one comparison. Fresh hits in memory create no span,
 * even with a tracer. `span` runs `run` inside the new span and ends the span when the result of `run` settles. `span` throws no error
 * but those of `run`.
 */
export interface CacheTracer {
  span<T>(operation: TracedOperation, series: Series, key: string, run: (span: SpanHandle) => T): T;
}
