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
 * pattern holds the policy that is in force, and an override exchanges it there: reads find it where they find every policy, so
 * that a hit pays nothing. Keys that no handler declares are looked up on misses and writes, and only while there are overrides.
 */

/** What an override sets; what it leaves out stays as it is declared. */
export type PolicyChange = Omit<Pick<CachePolicy, (typeof TUNABLE_FIELDS)[number]>, 'ttl'> & { ttl?: Duration };

/** Fields that make a load run without a caller that waits for it. */
const BACKGROUND: ReadonlySet<string> = new Set(['staleWhileRevalidate', 'softTimeout', 'refreshAhead']);

/** A plan whose policy an override may replace. */
interface DeclaredPlan {
  readonly plan: { policy: ResolvedPolicy };
  readonly source: PolicySource<never>;
  readonly declared: ResolvedPolicy;
  readonly background: boolean;
}

/** Patterns with an automatic TTL, at most. */
const MAX_AUTOMATIC = 100;

/** Patterns of series that stand for keys of several patterns, or of none that is known. */
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

  /** True if overrides exist: what has no plan of its own asks this before it looks for one. */
  get any(): boolean {
    return this.#changes.size > 0;
  }

  /** @param background false if loads need a caller: overrides start none then. */
  declare<V>(pattern: string, plan: ReadPlan<V>, source: PolicySource<V>, background: boolean): void {
    const declared = {
      plan: plan as unknown as DeclaredPlan['plan'],
      source: source as PolicySource<never>,
      declared: plan.policy as unknown as ResolvedPolicy,
      background,
    };
    const plans = this.#plans.get(pattern) ?? [];
    this.#plans.set(pattern, plans);
    plans.push(declared);
    this.observed(pattern, plan.policy);
    this.#apply(declared, this.#changes.get(pattern)?.change);
  }

  /** A key of the pattern is loaded under this policy. */
  observed(pattern: string, { automaticTtl }: Pick<ResolvedPolicy<never>, 'automaticTtl'>): void {
    if (automaticTtl === undefined || this.#automatic.has(pattern) || COLLECTIVE.has(pattern)) return;
    if (this.#automatic.size >= MAX_AUTOMATIC) return;
    this.#automatic.set(pattern, automaticTtl);
    if (this.#automatic.size === 1) this.onAutomatic?.();
  }

  /** The patterns whose TTL follows what is observed. */
  get automatic(): ReadonlyMap<string, AutomaticTtlBounds> {
    return this.#automatic;
  }

  /** Replaces a pattern's override; undefined ends it. @throws CacheError for a policy that cannot be. */
  set(pattern: string, change: PolicyChange | undefined): void {
    const plans = this.#plans.get(pattern) ?? [];
    // All of them, before any is exchanged.
    const policies = plans.map((plan) => this.#policyOf(plan, change));
    if (change === undefined) this.#changes.delete(pattern);
    else this.#changes.set(pattern, { change, fits: globMatcher(pattern) });
    plans.forEach(({ plan }, at) => (plan.policy = policies[at]!));
    this.#policies.hitsRefresh =
      this.#policies.defaults.refreshesAhead ||
      [...this.#changes.values()].some(({ change: { refreshAhead } }) => refreshAhead !== undefined);
  }

  /** What is overridden for an access that no plan was made for. */
  changeOf(key: string, { pattern }: Series): PolicyChange | undefined {
    const own = this.#changes.get(pattern);
    if (own !== undefined || !COLLECTIVE.has(pattern)) return own?.change;
    let best: string | undefined;
    for (const [each, { fits }] of this.#changes) {
      if (fits(key) && (best === undefined || each.length > best.length)) best = each;
    }
    return best === undefined ? undefined : this.#changes.get(best)!.change;
  }

  /** The defaults of the cache with what is overridden. */
  ofCache(change: PolicyChange): ResolvedPolicy {
    return this.#policies.changed({}, change);
  }

  /** Every pattern that a plan was made for. */
  get declaredPatterns(): IterableIterator<string> {
    return this.#plans.keys();
  }

  /** The policies that handlers and methods of a pattern declare; those of the whole cache where there are none. */
  declared(pattern: string): readonly ResolvedPolicy[] {
    return this.#plans.get(pattern)?.map(({ declared }) => declared) ?? [this.#policies.defaults];
  }

  /** The policies that are in force for a pattern. */
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
