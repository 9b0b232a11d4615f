import type { CallbackErrors } from '../cache/base/callback-errors.js';
import type { Clock } from '../cache/base/clock.js';
import { type Duration, milliseconds } from '../cache/base/duration.js';
import { CacheError } from '../cache/base/errors.js';
import type { OnceLog } from '../cache/base/once-log.js';
import { shown } from '../cache/base/shown.js';
import type { SharedMap } from '../cache/layers/layer.js';
import { faultsError } from '../cache/options/option-rules.js';
import type { PolicyChange, PolicyOverrides } from '../cache/policies/policy-overrides.js';
import {
  MAX_PATTERN_LENGTH,
  nameIn,
  type OverrideKind,
  type OverrideRecord,
  type Prediction,
} from './override-record.js';
import type { TtlLadder, TtlRung } from '../insight/ladder-report.js';
import { AutomaticTtls, type TtlStep } from './automatic-ttls.js';
import { changeFaults, checkFits, plainChange } from './policy-change.js';
import { decidedBy, durationText, type PolicyValues, valuesOf, valuesText, variesIn } from './policy-values.js';
import { SharedOverrides } from './shared-overrides.js';
import type { TuningBounds } from './tuning-bounds.js';

/** An override as reports show it. */
export interface PolicyOverride {
  /** The overridden values in force. Durations are milliseconds. */
  readonly values: Partial<PolicyValues>;
  readonly setBy: string;
  readonly setAt: string;
  /** Null for an override without an end. */
  readonly expiresAt: string | null;
  /** `fleet` once every instance can read it; `process` if no layer is shared, or it could not be published yet. */
  readonly reached: 'fleet' | 'process';
}

/** The policy of a pattern: declared, overridden, and in force. */
export interface PolicyReport {
  readonly pattern: string;
  /** The policy that handlers and methods declare; the defaults of the cache if none does. */
  readonly declared: PolicyValues;
  /** The values that handlers declare differently; `declared` contains those of the first. */
  readonly varies: readonly (keyof PolicyValues)[];
  readonly override: PolicyOverride | null;
  /** The last decision of the automatic TTL. */
  readonly automatic: PolicyOverride | null;
  readonly effective: PolicyValues;
  /** The predicted and the observed effect of the last change of the TTL; null if it never changed, or there are no figures yet. */
  readonly outcome: PolicyOutcome | null;
}

/** The effect of a change of the TTL: the prediction of the ladder, and the figures since then in this process. */
export interface PolicyOutcome {
  readonly predicted: Prediction;
  readonly realised: Prediction;
}

/** Why a policy changed. */
export type PolicyChangeReason = 'set' | 'reverted' | 'expired' | 'declared_changed' | 'out_of_bounds' | 'adjusted';

/** A change of a pattern's policy, in this process or another. */
export interface PolicyEvent {
  readonly pattern: string;
  readonly change: PolicyChangeReason;
  readonly automatic: boolean;
  /** The new values of the fields that changed. */
  readonly values: Partial<PolicyValues>;
  readonly setBy: string;
  readonly expiresAt: string | null;
}

export interface OverrideTerms {
  /** How long the override lasts. @default until it is reverted, or a deploy changes the declared values */
  for?: Duration;
  /** Who overrides, as text for people. At most 100 characters. @default 'code' */
  by?: string;
  /** Keeps the other values of an earlier override, and its end unless `for` is given. @default false */
  keep?: boolean;
}

export interface PolicyTuningOptions {
  readonly overrides: PolicyOverrides;
  readonly bounds: TuningBounds;
  readonly map: SharedMap | undefined;
  readonly announce: () => void;
  readonly clock: Clock;
  readonly log: OnceLog;
  readonly callbacks: CallbackErrors;
  /** Called after the policy in force of a declared pattern has changed. @param ttlMs null if handlers differ, or entries do not expire. */
  readonly onTtl: (pattern: string, ttlMs: number | null) => void;
  /** The evidence about a pattern. */
  readonly evidence: {
    readonly ladder: (pattern: string, maxStaleShare?: number) => TtlLadder;
    /** The number of accesses so far, and of hits among them. */
    readonly counts: (pattern: string) => AccessCounts;
    /** Called after the TTL in force has changed. */
    readonly ttlChanged: (pattern: string, ttlMs: number) => void;
  };
}

export interface AccessCounts {
  readonly hits: number;
  readonly total: number;
}

/** The minimum number of accesses for a realised hit rate. */
const LEAST_ACCESSES = 100;
/** The maximum number of overrides in force. */
const MAX_OVERRIDES = 200;

/** Changes policies while the application runs: `cache.tuning`. @publicApi */
export class PolicyTuning {
  readonly #options: PolicyTuningOptions;
  readonly #shared: SharedOverrides;
  readonly #listeners = new Set<(event: PolicyEvent) => void>();
  /** The records in force, by pattern and kind. */
  readonly #active = new Map<string, OverrideRecord>();
  /** The counts when the TTL was last changed, by pattern. */
  readonly #countedBefore = new Map<string, AccessCounts>();
  readonly #automatic: AutomaticTtls;
  #settled = false;
  #cancelExpiry: (() => void) | undefined;

  constructor(options: PolicyTuningOptions) {
    this.#options = options;
    this.#shared = new SharedOverrides({ ...options, received: (record) => this.#received(record) });
    this.#automatic = new AutomaticTtls({
      patterns: () => options.overrides.automatic,
      ladder: (pattern, maxStaleShare) => options.evidence.ladder(pattern, maxStaleShare),
      state: (pattern) => this.#automaticState(pattern),
      change: (pattern, step) => this.#adjust(pattern, step),
      bounds: options.bounds,
      clock: options.clock,
    });
    options.overrides.onAutomatic = () => this.#automatic.start();
  }

  /**
   * Overrides the policy of a pattern, for entries that are stored from now on. Replaces an earlier override, or adds to it. Resolves once
   * other processes can read it, or publishing has failed; `override.reached` of the result shows which.
   * @param pattern as in statistics and {@link policies}: `'feed:*'`.
   * @throws CacheError `INVALID_OPTIONS`, `INVALID_DURATION`, `POLICY_OUT_OF_BOUNDS`, `TOO_MANY_OVERRIDES`
   */
  async override(
    pattern: string,
    change: PolicyChange,
    { for: lasting, by = 'code', keep = false }: OverrideTerms = {},
  ): Promise<PolicyReport> {
    checkPattern(pattern);
    const faults = changeFaults(change);
    const lastsMs = lasting === undefined ? undefined : milliseconds(lasting, 'for');
    if (lastsMs === 0) faults.push('for: must be longer than 0');
    if (faults.length > 0)
      throw faultsError(
        'Policy override',
        faults.map((text) => ({ code: 'INVALID_OPTIONS', text })),
      );
    const now = this.#options.clock.now();
    const kept = keep ? this.#active.get(idOf(pattern, 'manual')) : undefined;
    const keptPrediction = kept?.predicted ?? null;
    await this.#decide({
      pattern,
      kind: 'manual',
      change: { ...kept?.change, ...plainChange(change) },
      setBy: nameIn(by),
      expiresAt: lastsMs === undefined ? (kept?.expiresAt ?? null) : Math.min(now + lastsMs, MAX_DATE),
      predicted:
        change.ttl === undefined ? keptPrediction : this.#predicted(pattern, milliseconds(change.ttl) || Infinity),
    });
    return this.report(pattern);
  }

  /**
   * Ends the override of a pattern: the declared policy is in force again.
   * @throws CacheError `NOT_OVERRIDDEN` if there is none.
   */
  async revert(pattern: string, { by = 'code' }: Pick<OverrideTerms, 'by'> = {}): Promise<PolicyReport> {
    checkPattern(pattern);
    if (!this.#active.has(idOf(pattern, 'manual'))) {
      throw new CacheError(
        'NOT_OVERRIDDEN',
        `The policy of ${shown(pattern)} is not overridden. GET policies lists the overridden ones.`,
      );
    }
    await this.#end(pattern, 'manual', 'reverted', by);
    return this.report(pattern);
  }

  /** Lists the policies of all declared patterns, of patterns with an automatic TTL, and of overridden ones. */
  policies(): PolicyReport[] {
    const { overrides } = this.#options;
    const overridden = [...this.#active.values()].map(({ pattern }) => pattern);
    const patterns = [...overrides.declaredPatterns, ...overrides.automatic.keys(), ...overridden];
    return [...new Set(patterns)].toSorted().map((pattern) => this.report(pattern));
  }

  report(pattern: string): PolicyReport {
    const { overrides } = this.#options;
    const declared = overrides.declared(pattern).map(valuesOf);
    const effective = valuesOf(overrides.effective(pattern)[0]!);
    return {
      pattern,
      declared: declared[0]!,
      varies: variesIn(declared),
      override: this.#shownOverride(pattern, 'manual', effective),
      automatic: this.#shownOverride(pattern, 'auto', effective),
      effective,
      outcome: this.#outcome(pattern, effective.ttlMs),
    };
  }

  /** True if a handler or method declares the pattern. */
  isDeclared(pattern: string): boolean {
    return [...this.#options.overrides.declaredPatterns].includes(pattern);
  }

  /** Calls `listener` when a policy changes, in this process or another. @returns a function that stops it. */
  watch(listener: (event: PolicyEvent) => void): () => void {
    const own = (event: PolicyEvent) => listener(event);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Reads the overrides of other processes, or of an earlier run. Never rejects. */
  start(): Promise<void> {
    return this.#shared.start();
  }

  /** Reads the overrides of other processes again. Never rejects. */
  refresh(): Promise<void> {
    return this.#shared.refresh();
  }

  /** Call it when all patterns are declared: ends overrides whose declared values have changed. */
  settle(): void {
    this.#settled = true;
    for (const record of [...this.#active.values()]) this.#verify(record);
  }

  close(): void {
    this.#automatic.close();
    this.#cancelExpiry?.();
    this.#shared.close();
  }

  /** Checks a decision, applies it in this process and publishes it. */
  async #decide(decision: Omit<OverrideRecord, 'setAt' | 'declared'>): Promise<void> {
    const { pattern, kind, change } = decision;
    const { overrides, bounds } = this.#options;
    if (change !== null) checkFits(pattern, change, overrides.declared(pattern), bounds);
    if (!this.#active.has(idOf(pattern, kind)) && this.#active.size >= MAX_OVERRIDES) {
      throw new CacheError(
        'TOO_MANY_OVERRIDES',
        `${MAX_OVERRIDES} policies are already overridden, which is the limit. Revert some of them, or change the declared policies.`,
      );
    }
    const record = { ...decision, setAt: this.#nextMoment(decision), declared: this.#declaredText(pattern, change) };
    this.#apply(record, kind === 'auto' ? 'adjusted' : 'set');
    await this.#shared.put(record);
  }

  /** Returns a time after all records of the pattern, even if this machine's clock is behind: the latest record takes precedence. */
  #nextMoment(subject: Pick<OverrideRecord, 'pattern' | 'kind'>): number {
    const now = Math.floor(this.#options.clock.now());
    return Math.max(now, (this.#shared.of(subject)?.setAt ?? 0) + 1);
  }

  async #end(pattern: string, kind: OverrideKind, why: PolicyChangeReason, by: string): Promise<void> {
    const record: OverrideRecord = {
      pattern,
      kind,
      change: null,
      setBy: nameIn(by),
      setAt: this.#nextMoment({ pattern, kind }),
      expiresAt: null,
      declared: '',
      predicted: null,
    };
    this.#apply(record, why);
    await this.#shared.put(record);
  }

  #received(record: OverrideRecord): void {
    const isOver = record.expiresAt !== null && record.expiresAt <= this.#options.clock.now();
    const active = this.#active.get(idOf(record.pattern, record.kind));
    if (isOver || record.change === null) {
      if (active !== undefined) this.#apply({ ...record, change: null }, isOver ? 'expired' : 'reverted');
      return;
    }
    if (active === undefined && this.#active.size >= MAX_OVERRIDES) return;
    if (this.#settled && !this.#verify(record)) return;
    try {
      this.#apply(record, record.kind === 'auto' ? 'adjusted' : 'set');
    } catch (cause) {
      const message = `An override of the policy of ${record.pattern} is invalid and is ignored.`;
      this.#options.log.once('warn', 'POLICY_REFUSED', record.pattern, message, cause);
    }
  }

  /** Ends an override whose declared values have changed, or that is outside the bounds. @returns false if it ended. */
  #verify(record: OverrideRecord): boolean {
    const { pattern, kind, change, declared } = record;
    if (change === null) return true;
    const { overrides, bounds } = this.#options;
    let why: PolicyChangeReason | undefined;
    if (this.#declaredText(pattern, change) !== declared) why = 'declared_changed';
    else {
      try {
        checkFits(pattern, change, overrides.declared(pattern), bounds);
      } catch {
        why = 'out_of_bounds';
      }
    }
    if (why !== undefined) void this.#end(pattern, kind, why, why === 'declared_changed' ? 'deploy' : 'tuning.bounds');
    return why === undefined;
  }

  /** Puts a record or its end in force, and reports the change. */
  #apply(record: OverrideRecord, why: PolicyChangeReason): void {
    const { pattern, kind, change, setBy, expiresAt } = record;
    const { overrides } = this.#options;
    const id = idOf(pattern, kind);
    const before = this.#active.get(id);
    if (change === null) this.#active.delete(id);
    else this.#active.set(id, record);
    try {
      overrides.set(pattern, this.#together(pattern));
    } catch (error) {
      if (before === undefined) this.#active.delete(id);
      else this.#active.set(id, before);
      throw error;
    }
    this.#planExpiry();
    if (change?.ttl !== undefined || before?.change?.ttl !== undefined) {
      this.#countedBefore.set(pattern, this.#options.evidence.counts(pattern));
    }
    const effective = overrides.effective(pattern).map(valuesOf);
    const isDeclared = this.isDeclared(pattern);
    const ttlMs = effective.every((values) => values.ttlMs === effective[0]!.ttlMs) ? effective[0]!.ttlMs : null;
    if (isDeclared) this.#options.onTtl(pattern, ttlMs);
    // Values without a declaration may be stored with another TTL than the default once there is no override.
    if (ttlMs !== null && (isDeclared || change?.ttl !== undefined)) this.#options.evidence.ttlChanged(pattern, ttlMs);
    this.#report({
      pattern,
      change: why,
      automatic: kind === 'auto',
      values: decidedBy(change ?? before?.change ?? {}, effective[0]!),
      setBy,
      expiresAt: isoOf(expiresAt),
    });
  }

  /** Changes the TTL by one step. */
  #adjust(pattern: string, step: TtlStep): void {
    const { ttlMs, today, next, accesses, observedMs } = step;
    const decision = {
      pattern,
      kind: 'auto' as const,
      change: { ttl: ttlMs },
      setBy: 'automatic TTL',
      expiresAt: null,
      predicted: { hitRate: next.hitRate, staleShare: next.staleShare },
    };
    const evidence = `hit rate ${percent(today.hitRate)} → ${percent(next.hitRate)}, stale share ${today.staleShare === null ? 'above its limit' : percent(today.staleShare)} → ${percent(next.staleShare)}`;
    const basis = `from ${accesses} accesses in ${Math.round(observedMs / 60_000)} minutes`;
    this.#decide(decision).then(
      () => {
        const message = `The TTL of ${pattern} is ${durationText(ttlMs)} now, before ${durationText(today.ttlMs)}: ${evidence}, ${basis}.`;
        this.#options.log.write('log', 'TTL_ADJUSTED', message);
      },
      (cause: unknown) => {
        const message = `The automatic TTL of ${pattern} cannot be changed and stays as it is.`;
        this.#options.log.once('warn', 'TTL_NOT_ADJUSTED', pattern, message, cause);
      },
    );
  }

  /** Returns undefined while a manual override decides the TTL. */
  #automaticState(pattern: string): { ttlMs: number; changedAt: number | undefined } | undefined {
    if (this.#active.get(idOf(pattern, 'manual'))?.change?.ttl !== undefined) return undefined;
    const automatic = this.#active.get(idOf(pattern, 'auto'));
    const ttlMs = automatic?.change?.ttl ?? this.#options.overrides.automatic.get(pattern)?.startMs;
    if (ttlMs === undefined) return undefined;
    return { ttlMs: milliseconds(ttlMs), changedAt: automatic?.setAt };
  }

  /** Returns the ladder's prediction for a TTL, from the nearest rung. */
  #predicted(pattern: string, ttlMs: number): Prediction | null {
    const distance = (rung: TtlRung) => Math.abs(Math.log(rung.ttlMs / ttlMs));
    const rungs = this.#options.evidence.ladder(pattern).ladder;
    const [nearest] = rungs.toSorted((one, other) => distance(one) - distance(other));
    if (nearest?.hitRate == null || distance(nearest) > Math.LN2 / 2) return null;
    return { hitRate: nearest.hitRate, staleShare: nearest.staleShare };
  }

  #outcome(pattern: string, ttlMs: number | null): PolicyOutcome | null {
    const kinds = ['manual', 'auto'] as const;
    const record = kinds
      .map((kind) => this.#active.get(idOf(pattern, kind)))
      .find((one) => one?.change?.ttl !== undefined);
    const before = this.#countedBefore.get(pattern);
    if (record?.predicted == null || before === undefined || ttlMs === null) return null;
    const { ladder, counts } = this.#options.evidence;
    const now = counts(pattern);
    const total = now.total - before.total;
    const report = ladder(pattern);
    // Until the ladder has begun again, it belongs to the TTL before.
    const isOfThis = report.ttlMs !== null && Math.abs(report.ttlMs - ttlMs) <= ttlMs / 100;
    const rung = isOfThis ? report.ladder.find((one) => Math.abs(one.ttlMs - ttlMs) <= ttlMs / 100) : undefined;
    return {
      predicted: record.predicted,
      realised: {
        hitRate: total < LEAST_ACCESSES ? null : Math.max(0, now.hits - before.hits) / total,
        staleShare: rung?.staleShare ?? null,
      },
    };
  }

  /** Returns the override of a pattern; the manual one takes precedence over the automatic TTL. */
  #together(pattern: string): PolicyChange | undefined {
    const auto = this.#active.get(idOf(pattern, 'auto'))?.change;
    const manual = this.#active.get(idOf(pattern, 'manual'))?.change;
    return auto === undefined && manual === undefined ? undefined : { ...auto, ...manual };
  }

  #report(event: PolicyEvent): void {
    const { log, callbacks } = this.#options;
    const { pattern, change, values, setBy, expiresAt } = event;
    const now = valuesText(values);
    const until = expiresAt === null ? '' : ` until ${expiresAt}`;
    if (change === 'set')
      log.write('log', 'POLICY_OVERRIDDEN', `The policy of ${pattern} is overridden by ${setBy}${until}: ${now}.`);
    else if (change !== 'adjusted') {
      log.write(
        change === 'reverted' ? 'log' : 'warn',
        'POLICY_RESTORED',
        `The override of the policy of ${pattern} has ended (${WHY[change]}): ${now}.`,
      );
    }
    for (const listener of this.#listeners) callbacks.call('listener', 'A listener of policies', () => listener(event));
  }

  #shownOverride(pattern: string, kind: OverrideKind, effective: PolicyValues): PolicyOverride | null {
    const record = this.#active.get(idOf(pattern, kind));
    if (record?.change == null) return null;
    const { setBy, setAt, expiresAt } = record;
    return {
      values: decidedBy(record.change, effective),
      setBy,
      setAt: new Date(setAt).toISOString(),
      expiresAt: isoOf(expiresAt),
      reached: this.#shared.reached(record) ? 'fleet' : 'process',
    };
  }

  /** Returns the declared values that a change replaces, as text. */
  #declaredText(pattern: string, change: PolicyChange | null): string {
    if (change === null) return '';
    const declared = this.#options.overrides.declared(pattern).map((policy) => decidedBy(change, valuesOf(policy)));
    return JSON.stringify(declared).slice(0, 2_000);
  }

  #planExpiry(): void {
    this.#cancelExpiry?.();
    const { clock } = this.#options;
    const next = Math.min(...[...this.#active.values()].map(({ expiresAt }) => expiresAt ?? Infinity));
    if (next === Infinity) return;
    const delay = Math.max(next - clock.now(), 0);
    this.#cancelExpiry = clock.after(Math.ceil(delay), () => {
      const now = clock.now();
      const over = [...this.#active.values()].filter(({ expiresAt }) => expiresAt !== null && expiresAt <= now);
      for (const record of over) this.#apply({ ...record, change: null, expiresAt: null }, 'expired');
      this.#planExpiry();
    });
  }
}

const MAX_DATE = 8.64e15;

function percent(share: number | null): string {
  return share === null ? 'unknown' : `${(share * 100).toFixed(1)} %`;
}

const WHY: Readonly<Record<Exclude<PolicyChangeReason, 'set' | 'adjusted'>, string>> = {
  reverted: 'it was reverted',
  expired: 'its time is over',
  declared_changed: 'the declared values have changed',
  out_of_bounds: 'it is outside tuning.bounds',
};

function checkPattern(pattern: unknown): void {
  if (typeof pattern === 'string' && pattern !== '' && pattern.length <= MAX_PATTERN_LENGTH) return;
  throw new CacheError(
    'INVALID_OPTIONS',
    `pattern: ${shown(pattern)} must be a text of 1 to ${MAX_PATTERN_LENGTH} characters, such as 'feed:*'.`,
  );
}

function idOf(pattern: string, kind: OverrideKind): string {
  return `${kind}\n${pattern}`;
}

function isoOf(moment: number | null): string | null {
  return moment === null ? null : new Date(moment).toISOString();
}

export type { Prediction };
