import { type PolicySource, type ResolvedPolicy, inheriting } from './resolved-policy.js';

/** How the handler or method that makes a key stores its entries. */
export interface KeyPolicy {
  readonly policy: ResolvedPolicy;
  /** The tags of an entry with this value. */
  tagsOf(value: unknown): readonly string[];
}

/** Finds the declaration of a key; undefined if no declared template makes it. */
export type KeyPolicyLookup = (key: string) => KeyPolicy | undefined;

/** The policies that entries under keys of a declared template inherit, for settings that the call leaves open. */
export class KeyPolicies {
  #lookup: KeyPolicyLookup | undefined;

  /** Replaces the look-up. */
  declare(lookup: KeyPolicyLookup | undefined): void {
    this.#lookup = lookup;
  }

  of(key: string): KeyPolicy | undefined {
    return this.#lookup?.(key);
  }

  /** The policy of a load of a key. @param resolved the call's policy, with the defaults of the cache */
  ofLoad<V>(key: string, named: PolicySource<V> | undefined, resolved: ResolvedPolicy<V>): ResolvedPolicy<V> {
    const declared = this.#lookup?.(key);
    return declared === undefined ? resolved : inheritedFrom(declared, named, resolved);
  }
}

function inheritedFrom<V>(
  declared: KeyPolicy,
  named: PolicySource<V> | undefined,
  resolved: ResolvedPolicy<V>,
): ResolvedPolicy<V> {
  const tags = { tags: [], tagsOf: (value: V) => declared.tagsOf(value) };
  return inheriting({ ...(declared.policy as ResolvedPolicy<V>), ...tags }, named, resolved);
}
