import type { CachePolicy } from './policy.js';
import { type PolicySource, type ResolvedPolicy, resolvePolicy } from './resolved-policy.js';

/** Resolves each policy object once. A policy object is not read again after its first use. */
export class PolicyCache {
  readonly defaults: ResolvedPolicy;
  /** True if hits without a `refreshAhead` of their own may have to refresh, because of the defaults or an override. */
  hitsRefresh: boolean;
  readonly #defaults: CachePolicy;
  readonly #resolved = new WeakMap<object, ResolvedPolicy<never>>();

  constructor(defaults: CachePolicy) {
    this.#defaults = defaults;
    this.defaults = resolvePolicy(defaults, {});
    this.hitsRefresh = this.defaults.refreshesAhead;
  }

  /** @throws CacheError `INVALID_OPTIONS` or `INVALID_DURATION`, listing every fault of a policy. */
  resolve<V>(policy: PolicySource<V>): ResolvedPolicy<V> {
    const known = this.#resolved.get(policy);
    if (known !== undefined) return known as unknown as ResolvedPolicy<V>;
    const resolved = resolvePolicy(policy, this.#defaults);
    this.#resolved.set(policy, resolved as unknown as ResolvedPolicy<never>);
    return resolved;
  }

  /** A policy in which the fields of `change` are replaced. @throws CacheError as {@link resolve} */
  changed<V>(policy: PolicySource<V>, change: CachePolicy): ResolvedPolicy<V> {
    return resolvePolicy({ ...policy, ...change } as PolicySource<V>, this.#defaults);
  }

  /** Whether hits under this policy may have to refresh: the hit path only needs this, and resolves nothing. */
  refreshesAhead<V>(policy: CachePolicy<V>): boolean {
    return policy?.refreshAhead === undefined ? this.hitsRefresh : true;
  }
}
