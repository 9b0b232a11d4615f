import { from, isObservable, lastValueFrom, defer } from 'rxjs';
import type { LayeredCache } from '../../cache/layered-cache.js';
import { BypassReason } from '../../cache/base/observer.js';
import { isThenable } from '../../cache/base/thenable.js';
import type { AnnotatedLoadContext, ReadPlan } from '../../cache/policies/read-plan.js';
import type { MethodRunner } from '../decoration/class-host.js';
import type { Method } from '../decoration/method-site.js';
import type { Call } from '../inputs/call.js';
import type { KeyOrReason, KeyRecipe } from '../keys/key-recipe.js';
import { MethodRecipe } from '../keys/method-recipe.js';
import { argumentNotEncodable, NotEncodable } from '../keys/not-encodable.js';
import type { Invalidation } from '../invalidation/invalidation.js';
import type { Probe } from '../inputs/probe.js';
import type { TagTemplates } from '../invalidation/tag-templates.js';

/** Answers one provider's method from the cache. */
export class CachedMethod implements MethodRunner {
  /** The `recipe`, if only arguments are in its keys. */
  readonly #ofArguments: MethodRecipe | undefined;

  /**
   * @param owner for messages: `SellerService.find()`.
   * @param observable true if the declared return type is an Observable. Callers then get an Observable.
   */
  constructor(
    private readonly cache: LayeredCache,
    private readonly plan: ReadPlan,
    private readonly original: Method,
    private readonly owner: string,
    private readonly recipe: KeyRecipe,
    private readonly tags: TagTemplates | undefined,
    private readonly probe: Probe | undefined,
    private readonly observable: boolean,
  ) {
    this.#ofArguments = recipe instanceof MethodRecipe && recipe.plain ? recipe : undefined;
  }

  run(instance: object, args: unknown[]): unknown {
    return this.observable ? defer(() => from(this.#answer(instance, args))) : this.#answer(instance, args);
  }

  #answer(instance: object, args: unknown[]): Promise<unknown> {
    const { cache } = this;
    if (!cache.enabled) return this.#bypass(instance, args, BypassReason.disabled);
    let key: KeyOrReason | Promise<KeyOrReason>;
    try {
      key =
        this.#ofArguments === undefined
          ? this.recipe.keyOf({ args, instance, execution: undefined })
          : this.#ofArguments.ofArguments(args);
    } catch (error) {
      return Promise.reject(this.#keyFault(error));
    }
    return typeof key === 'object'
      ? key.then((found) => this.#keyed(instance, args, found))
      : this.#keyed(instance, args, key);
  }

  #keyed(instance: object, args: unknown[], key: KeyOrReason): Promise<unknown> {
    if (typeof key === 'number') return this.#bypass(instance, args, key);
    const entry = this.cache.fresh(key, this.plan);
    if (entry === undefined) return this.#through(instance, args, key);
    this.probe?.offerRun(
      () => this.cache.valueOf(entry, this.plan),
      () => this.#callOriginal(instance, args),
    );
    return Promise.resolve(
      entry.mutable || this.plan.policy.clone ? this.cache.valueOf(entry, this.plan) : entry.value,
    );
  }

  #keyFault(error: unknown): Error {
    if (error instanceof NotEncodable) return argumentNotEncodable(error, this.owner, 'named in its template');
    return error instanceof Error ? error : new Error('The key function threw.', { cause: error });
  }

  async #through(instance: object, args: unknown[], key: string): Promise<unknown> {
    const load = (context: AnnotatedLoadContext) => this.load(instance, args, context);
    return (await this.cache.through(key, load, this.plan)).value;
  }

  /** Calls the original method and sets the tags of its result. */
  async load(instance: object, args: unknown[], context: AnnotatedLoadContext): Promise<unknown> {
    const result = await this.#callOriginal(instance, args);
    const { tags } = this;
    if (tags !== undefined) await tags.setOn(context, { args, instance, execution: undefined }, result);
    return result;
  }

  async #bypass(instance: object, args: unknown[], reason: BypassReason): Promise<unknown> {
    this.cache.bypass(this.plan, reason);
    return this.#callOriginal(instance, args);
  }

  #callOriginal(instance: object, args: unknown[]): unknown {
    const result = this.original.apply(instance, args);
    return isObservable(result) ? lastValueFrom(result) : result;
  }
}

/** Runs a method, and invalidates after it succeeded. */
export class InvalidatingMethod implements MethodRunner {
  constructor(
    private readonly original: Method,
    private readonly invalidation: Invalidation,
  ) {}

  run(instance: object, args: unknown[]): unknown {
    const result = this.original.apply(instance, args);
    const call: Call = { args, instance, execution: undefined };
    if (isObservable(result)) return from(this.#after(call, lastValueFrom(result)));
    if (isThenable(result)) return this.#after(call, result);
    // A synchronous method stays synchronous, so nothing waits for its invalidation.
    void this.invalidation.after(call, result);
    return result;
  }

  async #after(call: Call, pending: PromiseLike<unknown>): Promise<unknown> {
    const result = await pending;
    await this.invalidation.after(call, result);
    return result;
  }
}
