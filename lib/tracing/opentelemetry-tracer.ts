import type { Attributes, Context, Span, SpanContext, Tracer } from '@opentelemetry/api';
import type { Series } from '../cache/base/observer.js';
import { errorKind } from '../cache/base/redacted-error.js';
import { inSameTurn } from '../cache/base/thenable.js';
import { type CacheTracer, SILENT_SPAN, type SpanHandle, type TracedOperation } from '../cache/base/tracer.js';
import { type OpenTelemetryApi, openTelemetryApi } from './opentelemetry-api.js';

export interface OpenTelemetryTracerOptions {
  /** @default the global provider's tracer `nestjs-cache-observability` */
  readonly tracer?: Tracer;
  /** True to also record operations without a parent span: at startup, in timers, in scripts. @default false */
  readonly withoutParent?: boolean;
  /** Returns the part of a key that spans may show as `cache.key`; undefined for none. @default no key at all */
  readonly sanitizeKey?: (key: string, pattern: string) => string | undefined;
  /** @default the installed package @opentelemetry/api */
  readonly api?: OpenTelemetryApi;
}

const SCOPE = 'nestjs-cache-observability';

/**
 * Creates spans of the cache's operations: `cache.get`, `cache.set`, `cache.delete`, `cache.load`, `cache.refresh`,
 * `cache.lock.wait`. A load is the child of the access that began it; accesses that wait for it link to it. A refresh is a root
 * span that links to the access that triggered it. Of an error only its kind is recorded, not its message.
 * @throws CacheError `MISSING_PACKAGE` if @opentelemetry/api is not installed.
 */
export class OpenTelemetryTracer implements CacheTracer {
  readonly #api: OpenTelemetryApi;
  readonly #tracer: Tracer;
  readonly #withoutParent: boolean;
  readonly #sanitizeKey: OpenTelemetryTracerOptions['sanitizeKey'];

  constructor(options: OpenTelemetryTracerOptions = {}) {
    this.#api = options.api ?? openTelemetryApi();
    this.#tracer = options.tracer ?? this.#api.trace.getTracer(SCOPE);
    this.#withoutParent = options.withoutParent ?? false;
    this.#sanitizeKey = options.sanitizeKey;
  }

  span<T>(operation: TracedOperation, series: Series, key: string, run: (span: SpanHandle) => T): T {
    const context = this.#api.context.active();
    if (!this.#wanted(context)) return run(SILENT_SPAN);
    const span = this.#start(operation, series, key, context);
    if (span === undefined) return run(SILENT_SPAN);
    const handle = new OpenTelemetrySpan(span, operation);
    return this.#api.context.with(this.#api.trace.setSpan(context, span), () => this.#end(span, () => run(handle)));
  }

  /** False for a parent that is not sampled, and without a parent unless `withoutParent` is set. */
  #wanted(context: Context): boolean {
    const parent = this.#api.trace.getSpan(context);
    if (parent === undefined) return this.#withoutParent;
    return parent.isRecording() || (parent.spanContext().traceFlags & this.#api.TraceFlags.SAMPLED) !== 0;
  }

  #start(operation: TracedOperation, series: Series, key: string, context: Context): Span | undefined {
    try {
      const attributes: Attributes = { 'cache.operation': operation, 'cache.key.pattern': series.pattern };
      const shown = inSameTurn(this.#sanitizeKey?.(key, series.pattern), 'tracing.sanitizeKey');
      if (shown !== undefined) attributes['cache.key'] = shown;
      return this.#tracer.startSpan(`cache.${operation}`, { attributes, root: operation === 'refresh' }, context);
    } catch {
      return undefined;
    }
  }

  #end<T>(span: Span, run: () => T): T {
    const failed = (error: unknown): void => {
      span.setAttribute('error.type', errorKind(error));
      span.setStatus({ code: this.#api.SpanStatusCode.ERROR });
      span.end();
    };
    let result: T;
    try {
      result = run();
    } catch (error) {
      failed(error);
      throw error;
    }
    if (result instanceof Promise) result.then(() => span.end(), failed);
    else span.end();
    return result;
  }
}

class OpenTelemetrySpan implements SpanHandle {
  readonly link: SpanContext;
  readonly #span: Span;
  readonly #operation: TracedOperation;

  constructor(span: Span, operation: TracedOperation) {
    this.#span = span;
    this.#operation = operation;
    this.link = span.spanContext();
  }

  linkTo(link: unknown): void {
    if (isSpanContext(link) && link.spanId !== this.link.spanId) this.#span.addLink({ context: link });
  }

  outcome(result: string, layer?: string): void {
    this.#span.setAttribute('cache.result', result);
    if (this.#operation === 'get') {
      this.#span.setAttribute('cache.hit', result === 'hit' || result === 'stale');
      if (result === 'stale') this.#span.setAttribute('cache.stale', true);
    }
    if (layer !== undefined) this.#span.setAttribute('cache.layer', layer);
  }

  phase(phase: string, durationMs: number, layer?: string): void {
    const attributes: Attributes = { 'cache.phase.duration_ms': durationMs };
    if (layer !== undefined) attributes['cache.layer'] = layer;
    this.#span.addEvent(`cache.${phase}`, attributes);
  }
}

function isSpanContext(link: unknown): link is SpanContext {
  return typeof link === 'object' && link !== null && 'traceId' in link && 'spanId' in link;
}
