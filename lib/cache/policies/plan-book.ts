import type { CachePolicy } from '../policy.js';
import { type PolicySource, type ResolvedPolicy, resolvePolicy } from './resolved-policy.js';

/** Policies as they were given, each resolved once. A policy object is not read again after its first use. */
export class PlanBook {
  readonly defaults: ResolvedPolicy;
  readonly #defaults: CachePolicy;
  readonly #resolved = new WeakMap<object, ResolvedPolicy<never>>();

  constructor(defaults: CachePolicy) {
    this.#defaults = defaults;
    this.defaults = resolvePolicy({}, defaults);
  }

  /** @throws CacheError on a bad policy, naming the field. */
  resolve<V>(policy: PolicySource<V>): ResolvedPolicy<V> {
    const known = this.#resolved.get(policy);
    if (known !== undefined) return known as unknown as ResolvedPolicy<V>;
    const resolved = resolvePolicy(policy, this.#defaults);
    this.#resolved.set(policy, resolved as unknown as ResolvedPolicy<never>);
    return resolved;
  }

  /** Whether hits under this policy may have to refresh: the hit path asks this and resolves nothing. */
  refreshesAhead<V>(policy: CachePolicy<V>): boolean {
    return policy.refreshAhead === undefined ? this.defaults.refreshesAhead : true;
  }
}
