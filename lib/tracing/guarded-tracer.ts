import { type CallbackErrors, nameOf } from '../cache/base/callback-errors.js';
import { isThenable } from '../cache/base/thenable.js';
import { type CacheTracer, SILENT_SPAN, type SpanHandle, type SpanLink } from '../cache/base/tracer.js';

/**
 * Guards a tracer of the application or of a library. Its failures affect only its spans: the traced work runs once, and its
 * caller gets the result.
 */
export function guardedTracer<T extends CacheTracer | undefined>(tracer: T, errors: CallbackErrors): T | CacheTracer {
  if (tracer === undefined) return tracer;
  const name = nameOf(tracer, 'tracer');
  const failed = (error: unknown) => errors.failed('tracer', name, error);
  return {
    span(operation, series, key, run) {
      const traced = new Traced(run);
      try {
        const returned: unknown = tracer.span(operation, series, key, (span) =>
          traced.run(new GuardedSpan(span, failed)),
        );
        if (returned !== traced.result && isThenable(returned)) reportOwn(returned, traced.result, failed);
      } catch (error) {
        if (!traced.threw(error)) failed(error);
      }
      if (!traced.began) failed(new TypeError('span() did not call its function.'));
      return traced.run(SILENT_SPAN);
    },
  };
}

/** The traced work. It runs once, even if a tracer calls it several times or never. */
class Traced<T> {
  result: T | undefined;
  began = false;
  readonly #work: (span: SpanHandle) => T;
  #thrown: { readonly error: unknown } | undefined;

  constructor(work: (span: SpanHandle) => T) {
    this.#work = work;
  }

  run(span: SpanHandle): T {
    if (!this.began) {
      this.began = true;
      try {
        this.result = this.#work(span);
      } catch (error) {
        this.#thrown = { error };
      }
    }
    if (this.#thrown !== undefined) throw this.#thrown.error;
    return this.result as T;
  }

  threw(error: unknown): boolean {
    return this.#thrown !== undefined && this.#thrown.error === error;
  }
}

/** Reports a rejection of the promise that the tracer returned, unless it is the error of the work. */
function reportOwn(returned: PromiseLike<unknown>, result: unknown, failed: (error: unknown) => void): void {
  returned.then(undefined, (error: unknown) => {
    Promise.resolve(result).then(
      () => failed(error),
      (own: unknown) => {
        if (own !== error) failed(error);
      },
    );
  });
}

class GuardedSpan implements SpanHandle {
  readonly #span: SpanHandle;
  readonly #failed: (error: unknown) => void;

  constructor(span: SpanHandle, failed: (error: unknown) => void) {
    this.#span = span;
    this.#failed = failed;
  }

  get link(): SpanLink {
    try {
      return this.#span.link;
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  linkTo(link: SpanLink): void {
    this.#call(() => this.#span.linkTo(link));
  }

  outcome(result: string, layer?: string): void {
    this.#call(() => this.#span.outcome(result, layer));
  }

  phase(...phase: Parameters<SpanHandle['phase']>): void {
    this.#call(() => this.#span.phase(...phase));
  }

  #call(call: () => unknown): void {
    try {
      const returned = call();
      if (isThenable(returned)) returned.then(undefined, this.#failed);
    } catch (error) {
      this.#failed(error);
    }
  }
}
