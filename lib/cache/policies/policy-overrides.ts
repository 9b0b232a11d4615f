import { type GlobMatcher, globMatcher } from '../base/glob.js';
import type { Duration } from '../base/duration.js';
import type { Series } from '../base/observer.js';
import type { AutomaticTtlBounds } from './automatic-ttl.js';
import type { PolicyCache } from './policy-cache.js';
import type { CachePolicy } from './policy.js';
import type { ReadPlan } from './read-plan.js';
import type { PolicySource, ResolvedPolicy } from './resolved-policy.js';
import type { TUNABLE_FIELDS } from './tunable-fields.js';

/*
 * Policies that replace declared ones while the application runs. An override belongs to a key pattern. Each plan of a declared
 * pattern holds the policy in force, and an override replaces it there, so that a hit costs
 * nothing more. Keys that no handler declares are looked up on misses and writes, and only while there are overrides.
 */

/** The fields that an override sets; other fields stay as declared. */
export type PolicyChange = Omit<Pick<CachePolicy, (typeof TUNABLE_FIELDS)[number]>, 'ttl'> & { ttl?: Duration };

/** Fields that start loads without a waiting caller. */
const BACKGROUND: ReadonlySet<string> = new Set(['staleWhileRevalidate', 'softTimeout', 'refreshAhead']);

/** A plan whose policy an override may replace. */
interface DeclaredPlan {
  readonly plan: { policy: ResolvedPolicy };
  readonly source: PolicySource<never>;
  readonly declared: ResolvedPolicy;
  readonly background: boolean;
}

/** The most patterns with an automatic TTL. */
const MAX_AUTOMATIC = 100;

/** Patterns of series for keys of several patterns, or of unknown ones. */
const COLLECTIVE: ReadonlySet<string> = new Set(['', '__other__']);

export class PolicyOverrides {
  readonly #policies: PolicyCache;
  readonly #plans = new Map<string, DeclaredPlan[]>();
  readonly #automatic = new Map<string, AutomaticTtlBounds>();
  readonly #changes = new Map<string, { readonly change: PolicyChange; readonly fits: GlobMatcher }>();

  /** Called when the first pattern with an automatic TTL is known. */
  onAutomatic: (() => void) | undefined;

  constructor(policies: PolicyCache) {
    this.#policies = policies;
  }

  /** True if overrides exist: accesses without a declared plan check this before they look for one. */
  get any(): boolean {
    return this.#changes.size > 0;
  }

  /** @param background false if loads need a caller: then no override may start a background load. */
  declare<V>(pattern: string, plan: ReadPlan<V>, source: PolicySource<V>, background: boolean): void {
    const declared = {
      plan: plan as unknown as DeclaredPlan['plan'],
      source: source as PolicySource<never>,
      declared: plan.policy as unknown as ResolvedPolicy,
      background,
    };
    const plans = this.#plans.get(pattern);
    // A list of one takes less memory if it is not pushed to.
    if (plans === undefined) this.#plans.set(pattern, [declared]);
    else plans.push(declared);
    this.observed(pattern, plan.policy);
    this.#apply(declared, this.#changes.get(pattern)?.change);
  }

  /** Records that a key of the pattern is loaded under this policy. */
  observed(pattern: string, { automaticTtl }: Pick<ResolvedPolicy<never>, 'automaticTtl'>): void {
    if (automaticTtl === undefined || this.#automatic.has(pattern) || COLLECTIVE.has(pattern)) return;
    if (this.#automatic.size >= MAX_AUTOMATIC) return;
    this.#automatic.set(pattern, automaticTtl);
    if (this.#automatic.size === 1) this.onAutomatic?.();
  }

  /** The patterns with an automatic TTL. */
  get automatic(): ReadonlyMap<string, AutomaticTtlBounds> {
    return this.#automatic;
  }

  /** Replaces a pattern's override; undefined ends it. @throws CacheError for an invalid policy. */
  set(pattern: string, change: PolicyChange | undefined): void {
    const plans = this.#plans.get(pattern) ?? [];
    // Compute all policies first: if one is invalid, none is replaced.
    const policies = plans.map((plan) => this.#policyOf(plan, change));
    if (change === undefined) this.#changes.delete(pattern);
    else this.#changes.set(pattern, { change, fits: globMatcher(pattern) });
    plans.forEach(({ plan }, at) => (plan.policy = policies[at]!));
    this.#policies.hitsRefresh =
      this.#policies.defaults.refreshesAhead ||
      [...this.#changes.values()].some(({ change: { refreshAhead } }) => refreshAhead !== undefined);
  }

  /** The override for an access without a declared plan. */
  changeOf(key: string, { pattern }: Series): PolicyChange | undefined {
    const own = this.#changes.get(pattern);
    if (own !== undefined || !COLLECTIVE.has(pattern)) return own?.change;
    let best: string | undefined;
    for (const [each, { fits }] of this.#changes) {
      if (fits(key) && (best === undefined || each.length > best.length)) best = each;
    }
    return best === undefined ? undefined : this.#changes.get(best)!.change;
  }

  /** The defaults of the cache with an override. */
  ofCache(change: PolicyChange): ResolvedPolicy {
    return this.#policies.changed({}, change);
  }

  /** Every pattern with a declared plan. */
  get declaredPatterns(): IterableIterator<string> {
    return this.#plans.keys();
  }

  /** The policies that handlers and methods of a pattern declare; the defaults of the cache if there are none. */
  declared(pattern: string): readonly ResolvedPolicy[] {
    return this.#plans.get(pattern)?.map(({ declared }) => declared) ?? [this.#policies.defaults];
  }

  /** The policies in force for a pattern. */
  effective(pattern: string): readonly ResolvedPolicy[] {
    const plans = this.#plans.get(pattern);
    if (plans !== undefined) return plans.map(({ plan }) => plan.policy);
    const change = this.#changes.get(pattern)?.change;
    return [change === undefined ? this.#policies.defaults : this.#policies.changed({}, change)];
  }

  #apply(declared: DeclaredPlan, change: PolicyChange | undefined): void {
    declared.plan.policy = this.#policyOf(declared, change);
  }

  #policyOf({ source, declared, background }: DeclaredPlan, change: PolicyChange | undefined): ResolvedPolicy {
    if (change === undefined) return declared;
    const allowed = background ? change : withoutBackground(change);
    return this.#policies.changed(source, allowed) as unknown as ResolvedPolicy;
  }
}

function withoutBackground(change: PolicyChange): PolicyChange {
  return Object.fromEntries(Object.entries(change).filter(([name]) => !BACKGROUND.has(name)));
}
