import type { Series } from './observer.js';

/** The operation of a span: `cache.get`, `cache.load` … without the prefix. */
export type TracedOperation = 'get' | 'set' | 'delete' | 'invalidate' | 'load' | 'refresh' | 'lock.wait';

/** The phases of an operation that a profiler distinguishes. */
export type Phase = 'local' | 'remote' | 'origin' | 'encode' | 'write';

/** An opaque link to a started span; only the tracer that created it can read it. */
export type SpanLink = unknown;

/** One running span, as the cache uses it. */
export interface SpanHandle {
  /** For other spans to link to: the load that a waiter shares, the access that triggered a refresh. */
  readonly link: SpanLink;
  /** Links this span to another one that does or caused the work. */
  linkTo(link: SpanLink): void;
  /** Sets the result: `hit`, `stale`, `miss`, `coalesced`, `error`, and the layer that answered if one did. */
  outcome(result: string, layer?: string): void;
  /** Adds a phase that took `durationMs` of it. */
  phase(phase: Phase, durationMs: number, layer?: string): void;
}

/**
 * Creates spans or profiles of operations. Without a tracer this costs one comparison on slow paths; hits in memory are not reported.
 * `span` runs `run` inside the new span and ends the span when the result of `run` settles; it must not throw an error of its own.
 */
export interface CacheTracer {
  span<T>(operation: TracedOperation, series: Series, key: string, run: (span: SpanHandle) => T): T;
}
