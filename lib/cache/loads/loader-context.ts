import type { Duration } from '../base/duration.js';
import { valueOf } from '../entries/value-of.js';
import type { Entry, EntryMeta } from '../entries/entry.js';
import { checkTags } from '../base/keys.js';
import { lifetime } from '../policies/resolved-policy.js';
import { NotKept } from '../base/observer.js';
import type { AnnotatedLoadContext } from '../policies/read-plan.js';
import type { AbortSignals } from './abort-signals.js';

/**
 * The argument of a loader. It holds the loader's decisions about its value. Loaders may destructure it, so each method is a getter that
 * returns a bound function. The function is created when it is read, because most loaders read none.
 */
export class LoaderContext<V> implements AnnotatedLoadContext<V> {
  /** The reason why the value must not be stored. */
  dropped: NotKept | undefined;
  ttlMs: number | undefined;
  tags: readonly string[] | undefined;
  meta: EntryMeta | undefined;
  isSentAsJson = false;
  #controller: AbortController | undefined;
  #aborted: Error | undefined;

  constructor(
    private readonly candidate: Entry | undefined,
    private readonly signals: AbortSignals,
  ) {}

  get stale(): V | undefined {
    return this.candidate === undefined ? undefined : (valueOf(this.candidate) as V);
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = this.signals.create();
      if (this.#aborted !== undefined) this.#controller.abort(this.#aborted);
    }
    return this.#controller.signal;
  }

  get skip(): () => void {
    return () => this.drop(NotKept.skipped);
  }

  get setTtl(): (ttl: Duration) => void {
    return (ttl) => {
      this.ttlMs = lifetime(ttl, 'setTtl');
    };
  }

  get setTags(): (...tags: string[]) => void {
    return (...tags) => {
      checkTags(tags);
      this.tags = Object.freeze([...tags]);
    };
  }

  get annotate(): (meta: EntryMeta) => void {
    return (meta) => {
      this.meta = meta;
    };
  }

  sentAsJson(): void {
    this.isSentAsJson = true;
  }

  drop(reason: NotKept): void {
    this.dropped ??= reason;
  }

  abort(reason: Error): void {
    this.#aborted = reason;
    this.#controller?.abort(reason);
  }

  /** Call it when the load has ended: a closing cache need not abort it then. */
  release(): void {
    if (this.#controller !== undefined) this.signals.release(this.#controller);
  }
}
