import type { CacheTracer, SpanHandle, SpanLink } from '../cache/base/tracer.js';

/** Combines several tracers into one, such as OpenTelemetry's and a profiler; undefined if there is none. */
export function composeTracers(tracers: readonly (CacheTracer | undefined)[]): CacheTracer | undefined {
  const [first, ...others] = tracers.filter((tracer) => tracer !== undefined);
  if (first === undefined || others.length === 0) return first;
  const rest = composeTracers(others)!;
  return {
    span: (operation, series, key, run) =>
      first.span(operation, series, key, (one) =>
        rest.span(operation, series, key, (other) => run(new BothSpans(one, other))),
      ),
  };
}

/** The links of both spans; each tracer reads its own. */
interface BothLinks {
  readonly one: SpanLink;
  readonly other: SpanLink;
}

class BothSpans implements SpanHandle {
  readonly link: BothLinks;
  readonly #one: SpanHandle;
  readonly #other: SpanHandle;

  constructor(one: SpanHandle, other: SpanHandle) {
    this.#one = one;
    this.#other = other;
    this.link = { one: one.link, other: other.link };
  }

  linkTo(link: SpanLink): void {
    const { one, other } = link as BothLinks;
    this.#one.linkTo(one);
    this.#other.linkTo(other);
  }

  outcome(result: string, layer?: string): void {
    this.#one.outcome(result, layer);
    this.#other.outcome(result, layer);
  }

  phase(...phase: Parameters<SpanHandle['phase']>): void {
    this.#one.phase(...phase);
    this.#other.phase(...phase);
  }
}
