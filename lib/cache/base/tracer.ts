import type { Series } from './observer.js';

/** What a span is about: `cache.get`, `cache.load` … without the prefix. */
export type TracedOperation = 'get' | 'set' | 'delete' | 'invalidate' | 'load' | 'refresh' | 'lock.wait';

/** The parts of one operation that a profiler tells apart. */
export type Phase = 'local' | 'remote' | 'origin' | 'encode' | 'write';

/** An opaque link to a span that has been started; the tracer that made it can read it. */
export type SpanLink = unknown;

/** One running span, as far as the engine speaks to it. */
export interface SpanHandle {
  /** What another span links to: the load that a waiter shares, the access that triggered a refresh. */
  readonly link: SpanLink;
  /** Relates this span to another one that does or caused the work. */
  linkTo(link: SpanLink): void;
  /** How it ended: `hit`, `stale`, `miss`, `coalesced`, `error`, and the layer that answered where one did. */
  outcome(result: string, layer?: string): void;
  /** `phase` took `durationMs` of it. */
  phase(phase: Phase, durationMs: number, layer?: string): void;
}

/**
 * Makes spans or profiles of operations. Where there is none it costs one comparison on slow paths; hits in memory are not reported.
 * `span` runs `run` inside the new span and ends it when what `run` returned settles; it must not throw by itself.
 */
export interface CacheTracer {
  span<T>(operation: TracedOperation, series: Series, key: string, run: (span: SpanHandle) => T): T;
}
