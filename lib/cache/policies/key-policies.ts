import { type PolicySource, type ResolvedPolicy, inheriting } from './resolved-policy.js';

/** How the handler or method that makes a key keeps its entries. */
export interface KeyPolicy {
  readonly policy: ResolvedPolicy;
  /** The tags of an entry with this value. */
  tagsOf(value: unknown): readonly string[];
}

/** Finds what is declared for a key; undefined if no declared template makes it. */
export type KeyPolicyLookup = (key: string) => KeyPolicy | undefined;

/** What entries inherit that are written under keys of a declared template: all that the call itself does not say. */
export class KeyPolicies {
  #lookup: KeyPolicyLookup | undefined;

  /** Takes the place of the look-up before. */
  declare(lookup: KeyPolicyLookup | undefined): void {
    this.#lookup = lookup;
  }

  of(key: string): KeyPolicy | undefined {
    return this.#lookup?.(key);
  }

  /** The policy of a load of a key. @param resolved what the call names, with the defaults of the cache */
  ofLoad<V>(key: string, named: PolicySource<V> | undefined, resolved: ResolvedPolicy<V>): ResolvedPolicy<V> {
    const declared = this.#lookup?.(key);
    if (declared === undefined) return resolved;
    const tags = { tags: [], tagsOf: (value: V) => declared.tagsOf(value) };
    return inheriting({ ...(declared.policy as ResolvedPolicy<V>), ...tags }, named, resolved);
  }
}
