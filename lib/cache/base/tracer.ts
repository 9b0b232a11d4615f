import type { Series } from './observer.js';

/** The operation of a span. The span is named `cache.` and the operation. */
export type TracedOperation = 'get' | 'set' | 'delete' | 'invalidate' | 'load' | 'refresh' | 'lock.wait';

/** The phases of an operation that a profiler distinguishes. */
export type Phase = 'local' | 'remote' | 'origin' | 'encode' | 'write';

/** An opaque link to a started span. Only the tracer that created it can read it. */
export type SpanLink = unknown;

/** One running span, as the cache sees it. */
export interface SpanHandle {
  /** The link to this span. A waiting caller links to the load that it joined, and a refresh to the access that started it. */
  readonly link: SpanLink;
  /** Links this span to another span that does the work or caused it. */
  linkTo(link: SpanLink): void;
  /** Sets the result (`hit`, `stale`, `miss`, `coalesced`, `error`), and the layer that answered, if any. */
  outcome(result: string, layer?: string): void;
  /** Adds a phase of the span that took `durationMs`. */
  phase(phase: Phase, durationMs: number, layer?: string): void;
}

/** A span that records nothing. */
export const SILENT_SPAN: SpanHandle = { link: undefined, linkTo() {}, outcome() {}, phase() {} };

/**
 * Creates spans or profiles of operations. Without a tracer, each slow path costs one comparison. Fresh hits in memory never create a span. `span`
 * runs `run` inside the new span and ends the span when the result of `run` settles. `span` throws only the errors of `run`.
 */
export interface CacheTracer {
  span<T>(operation: TracedOperation, series: Series, key: string, run: (span: SpanHandle) => T): T;
}
