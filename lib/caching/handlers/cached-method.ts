import { from, isObservable, lastValueFrom, defer } from 'rxjs';
import type { LayeredCache } from '../../cache/layered-cache.js';
import { BypassReason } from '../../cache/observer.js';
import type { AnnotatedLoadContext, ReadPlan } from '../../cache/read-plan.js';
import type { MethodRunner } from '../decoration/class-host.js';
import type { Method } from '../decoration/method-site.js';
import type { Call } from '../inputs/call.js';
import { argumentNotEncodable, NotEncodable } from '../keys/argument-encoding.js';
import type { KeyRecipe } from '../keys/key-recipe.js';
import type { MethodRecipe } from '../keys/method-recipe.js';
import type { Invalidation } from './invalidation.js';
import type { Probe } from './probe.js';
import type { TagTemplates } from './tag-templates.js';

export interface CachedMethodParts {
  readonly cache: LayeredCache;
  readonly plan: ReadPlan;
  readonly original: Method;
  /** For messages: `SellerService.find()`. */
  readonly owner: string;
  readonly recipe: KeyRecipe;
  /** `recipe`, where arguments alone make the key. */
  readonly ofArguments: MethodRecipe | undefined;
  readonly tags: TagTemplates | undefined;
  readonly probe: Probe | undefined;
  /** True where the declared return type is an Observable: callers get one. */
  readonly observable: boolean;
}

/** Answers one injectable's method from the cache. */
export class CachedMethod implements MethodRunner {
  readonly #parts: CachedMethodParts;
  readonly #cache: LayeredCache;
  readonly #plan: ReadPlan;
  readonly #ofArguments: MethodRecipe | undefined;

  constructor(parts: CachedMethodParts) {
    this.#parts = parts;
    this.#cache = parts.cache;
    this.#plan = parts.plan;
    this.#ofArguments = parts.ofArguments;
  }

  run(instance: object, args: unknown[]): unknown {
    return this.#parts.observable ? defer(() => from(this.#answer(instance, args))) : this.#answer(instance, args);
  }

  #answer(instance: object, args: unknown[]): Promise<unknown> {
    const cache = this.#cache;
    if (!cache.enabled) return this.#bypass(instance, args, BypassReason.disabled);
    let key: string | undefined | Promise<string | undefined>;
    try {
      key =
        this.#ofArguments === undefined
          ? this.#parts.recipe.keyOf({ args, instance, execution: undefined })
          : this.#ofArguments.ofArguments(args);
    } catch (error) {
      return Promise.reject(this.#keyFault(error));
    }
    return typeof key === 'object'
      ? key.then((found) => this.#keyed(instance, args, found))
      : this.#keyed(instance, args, key);
  }

  #keyed(instance: object, args: unknown[], key: string | undefined): Promise<unknown> {
    if (key === undefined) return this.#bypass(instance, args, BypassReason.condition);
    const entry = this.#cache.fresh(key, this.#plan);
    if (entry === undefined) return this.#through(instance, args, key);
    this.#parts.probe?.offerRun(entry.value, () => this.#original(instance, args));
    return Promise.resolve(
      entry.mutable || this.#plan.policy.clone ? this.#cache.valueOf(entry, this.#plan) : entry.value,
    );
  }

  #keyFault(error: unknown): Error {
    if (error instanceof NotEncodable) return argumentNotEncodable(error, this.#parts.owner, 'named in its template');
    return error instanceof Error ? error : new Error('The key function threw.', { cause: error });
  }

  async #through(instance: object, args: unknown[], key: string): Promise<unknown> {
    const load = (context: AnnotatedLoadContext) => this.#load(instance, args, context);
    return (await this.#cache.through(key, load, this.#plan)).value;
  }

  async #load(instance: object, args: unknown[], context: AnnotatedLoadContext): Promise<unknown> {
    const result = await this.#original(instance, args);
    const { tags } = this.#parts;
    if (tags !== undefined) context.setTags(...tags.of({ args, instance, execution: undefined }, result));
    return result;
  }

  async #bypass(instance: object, args: unknown[], reason: BypassReason): Promise<unknown> {
    this.#cache.bypass(this.#plan, reason);
    return this.#original(instance, args);
  }

  #original(instance: object, args: unknown[]): unknown {
    const result = this.#parts.original.apply(instance, args);
    return isObservable(result) ? lastValueFrom(result) : result;
  }
}

/** A method that invalidates after it succeeded. */
export class InvalidatingMethod implements MethodRunner {
  readonly #original: Method;
  readonly #invalidation: Invalidation;

  constructor(original: Method, invalidation: Invalidation) {
    this.#original = original;
    this.#invalidation = invalidation;
  }

  run(instance: object, args: unknown[]): unknown {
    const result = this.#original.apply(instance, args);
    const call: Call = { args, instance, execution: undefined };
    if (isObservable(result)) return from(this.#after(call, lastValueFrom(result)));
    if (isThenable(result)) return this.#after(call, result);
    // A method that answers at once keeps doing so; what it makes invalid follows.
    void this.#invalidation.after(call, result);
    return result;
  }

  async #after(call: Call, pending: PromiseLike<unknown>): Promise<unknown> {
    const result = await pending;
    await this.#invalidation.after(call, result);
    return result;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
