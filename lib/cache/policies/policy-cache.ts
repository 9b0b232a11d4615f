import type { CachePolicy } from './policy.js';
import { type PolicySource, type ResolvedPolicy, resolvePolicy } from './resolved-policy.js';

/** Resolves each policy object once and ignores later changes of the object. */
export class PolicyCache {
  readonly defaults: ResolvedPolicy;
  /** True if a hit without its own `refreshAhead` may start a refresh, because of the defaults or an override. */
  hitsRefresh: boolean;
  readonly #defaults: CachePolicy;
  readonly #resolved = new WeakMap<object, ResolvedPolicy<never>>();

  constructor(defaults: CachePolicy) {
    this.#defaults = defaults;
    this.defaults = resolvePolicy(defaults, {});
    this.hitsRefresh = this.defaults.refreshesAhead;
  }

  /** @throws CacheError `INVALID_OPTIONS` or `INVALID_DURATION`, which lists every fault of the policy. */
  resolve<V>(policy: PolicySource<V>): ResolvedPolicy<V> {
    const known = this.#resolved.get(policy);
    if (known !== undefined) return known as unknown as ResolvedPolicy<V>;
    const resolved = resolvePolicy(policy, this.#defaults);
    this.#resolved.set(policy, resolved as unknown as ResolvedPolicy<never>);
    return resolved;
  }

  /** Resolves a policy with the fields of `change` replaced. @throws CacheError as {@link resolve} does */
  changed<V>(policy: PolicySource<V>, change: CachePolicy): ResolvedPolicy<V> {
    return resolvePolicy({ ...policy, ...change } as PolicySource<V>, this.#defaults);
  }

  /** Returns true if hits under this policy may start a refresh. The hit path only needs this, so nothing is resolved. */
  refreshesAhead<V>(policy: CachePolicy<V>): boolean {
    return policy?.refreshAhead === undefined ? this.hitsRefresh : true;
  }
}
