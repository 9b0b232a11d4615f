import { type PolicySource, type ResolvedPolicy, inheriting } from './resolved-policy.js';

/** How the handler or method that declares a key stores its entries. */
export interface KeyPolicy {
  readonly policy: ResolvedPolicy;
  /** Returns the tags of an entry with this value. */
  tagsOf(value: unknown): readonly string[];
}

/** Finds the declaration of a key; undefined if the key matches no declared template. */
export type KeyPolicyLookup = (key: string) => KeyPolicy | undefined;

/**
 * The policies that entries inherit if their keys match a declared template. An inherited policy fills the settings that the call leaves
 * open.
 */
export class KeyPolicies {
  #lookup: KeyPolicyLookup | undefined;

  /** Replaces the lookup. */
  declare(lookup: KeyPolicyLookup | undefined): void {
    this.#lookup = lookup;
  }

  of(key: string): KeyPolicy | undefined {
    return this.#lookup?.(key);
  }

  /** Returns the policy for a load of a key. @param resolved the call's policy, with the defaults of the cache */
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
