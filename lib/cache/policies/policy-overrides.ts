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
 * Policies that replace declared ones while the application runs. An override belongs to a key pattern. It replaces the policy in each plan
 * of a declared pattern, so that hits cost nothing more. For keys that no handler declares, misses and writes look for an override, and
 * only while there are overrides.
 */

/** The fields that an override sets. All other fields stay as declared. */
export type PolicyChange = Omit<Pick<CachePolicy, (typeof TUNABLE_FIELDS)[number]>, 'ttl'> & { ttl?: Duration };

/** Fields that start loads for which no caller waits. */
const BACKGROUND: ReadonlySet<string> = new Set(['staleWhileRevalidate', 'softTimeout', 'refreshAhead']);

/** A plan with its declared policy, so that overrides can change and restore it. */
interface DeclaredPlan {
  readonly plan: { policy: ResolvedPolicy };
  readonly source: PolicySource<never>;
  readonly declared: ResolvedPolicy;
  readonly background: boolean;
}

/** The most patterns with an automatic TTL. */
const MAX_AUTOMATIC = 100;

/** Patterns of series that count keys of several or unknown patterns. */
const COLLECTIVE: ReadonlySet<string> = new Set(['', '__other__']);

export class PolicyOverrides {
  readonly #policies: PolicyCache;
  readonly #plans = new Map<string, DeclaredPlan[]>();
  readonly #automatic = new Map<string, AutomaticTtlBounds>();
  readonly #changes = new Map<string, { readonly change: PolicyChange; readonly fits: GlobMatcher }>();

  /** Called when the first pattern with an automatic TTL is recorded. */
  onAutomatic: (() => void) | undefined;

  constructor(policies: PolicyCache) {
    this.#policies = policies;
  }

  /** True if there are overrides. Accesses without a declared plan check this before they look for one. */
  get any(): boolean {
    return this.#changes.size > 0;
  }

  /** @param background false if a load needs its caller. Then no override may start a background load. */
  declare<V>(pattern: string, plan: ReadPlan<V>, source: PolicySource<V>, background: boolean): void {
    const declared = {
      plan: plan as unknown as DeclaredPlan['plan'],
      source: source as PolicySource<never>,
      declared: plan.policy as unknown as ResolvedPolicy,
      background,
    };
    const plans = this.#plans.get(pattern);
    // A list that is created with its one item takes less memory than one that is pushed to.
    if (plans === undefined) this.#plans.set(pattern, [declared]);
    else plans.push(declared);
    this.observed(pattern, plan.policy);
    this.#apply(declared, this.#changes.get(pattern)?.change);
  }

  /** Records that keys of the pattern are loaded under this policy. */
  observed(pattern: string, { automaticTtl }: Pick<ResolvedPolicy<never>, 'automaticTtl'>): void {
    if (automaticTtl === undefined || this.#automatic.has(pattern) || COLLECTIVE.has(pattern)) return;
    if (this.#automatic.size >= MAX_AUTOMATIC) return;
    this.#automatic.set(pattern, automaticTtl);
    if (this.#automatic.size === 1) this.onAutomatic?.();
  }

  /** The automatic TTLs by pattern. */
  get automatic(): ReadonlyMap<string, AutomaticTtlBounds> {
    return this.#automatic;
  }

  /** Replaces the override of a pattern; undefined ends it. @throws CacheError for an invalid policy. */
  set(pattern: string, change: PolicyChange | undefined): void {
    const plans = this.#plans.get(pattern) ?? [];
    // Compute all policies first, so that an invalid one replaces nothing.
    const policies = plans.map((plan) => this.#policyOf(plan, change));
    if (change === undefined) this.#changes.delete(pattern);
    else this.#changes.set(pattern, { change, fits: globMatcher(pattern) });
    plans.forEach(({ plan }, at) => (plan.policy = policies[at]!));
    this.#policies.hitsRefresh =
      this.#policies.defaults.refreshesAhead ||
      [...this.#changes.values()].some(({ change: { refreshAhead } }) => refreshAhead !== undefined);
  }

  /** Returns the override for an access without a declared plan. */
  changeOf(key: string, { pattern }: Series): PolicyChange | undefined {
    const own = this.#changes.get(pattern);
    if (own !== undefined || !COLLECTIVE.has(pattern)) return own?.change;
    let best: string | undefined;
    for (const [each, { fits }] of this.#changes) {
      if (fits(key) && (best === undefined || each.length > best.length)) best = each;
    }
    return best === undefined ? undefined : this.#changes.get(best)!.change;
  }

  /** Returns the defaults of the cache with an override applied. */
  ofCache(change: PolicyChange): ResolvedPolicy {
    return this.#policies.changed({}, change);
  }

  /** The patterns with a declared plan. */
  get declaredPatterns(): IterableIterator<string> {
    return this.#plans.keys();
  }

  /** Returns the policies that handlers and methods declare for a pattern, or the defaults of the cache if there are none. */
  declared(pattern: string): readonly ResolvedPolicy[] {
    return this.#plans.get(pattern)?.map(({ declared }) => declared) ?? [this.#policies.defaults];
  }

  /** Returns the policies that now apply to a pattern. */
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
