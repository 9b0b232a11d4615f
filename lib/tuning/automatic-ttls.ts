import type { Clock } from '../cache/base/clock.js';
import { runInSlices } from '../cache/base/slices.js';
import type { AutomaticTtlBounds } from '../cache/policies/automatic-ttl.js';
import type { TtlLadder, TtlRung } from '../insight/ladder-report.js';
import type { TuningBounds } from './tuning-bounds.js';

/*
 * A TTL that follows the TTL ladder, which replays the real accesses of a pattern with other TTLs. A step multiplies or divides the TTL
 * by two or by √2. The ladder is most accurate for the next rung, and begins again after a step, so that each step is based on accesses
 * with the current TTL. A longer TTL must bring hits, and the stale share, including its error, must stay below the limit. If the share
 * is above the limit, a shorter TTL follows. A TTL that was too long is not tried again for hours: otherwise the TTL would oscillate with
 * the noise of the estimate.
 */

/** A change of a TTL, with its evidence. */
export interface TtlStep {
  readonly ttlMs: number;
  /** The ladder's figures for today's TTL and for the new one. */
  readonly today: TtlRung;
  readonly next: TtlRung;
  readonly accesses: number;
  readonly observedMs: number;
}

/** The dependencies of {@link AutomaticTtls}. */
export interface AutomaticTtlsOptions {
  /** The patterns with an automatic TTL. */
  readonly patterns: () => ReadonlyMap<string, AutomaticTtlBounds>;
  readonly ladder: (pattern: string, maxStaleShare: number) => TtlLadder;
  /** The TTL in force, and when it last changed, milliseconds; undefined while a manual override decides it. */
  readonly state: (pattern: string) => { readonly ttlMs: number; readonly changedAt: number | undefined } | undefined;
  readonly change: (pattern: string, step: TtlStep) => void;
  readonly bounds: TuningBounds;
  readonly clock: Clock;
}

const LOOK_EVERY_MS = 60_000;
/** How often a pattern is checked after the first hours, milliseconds; reading a ladder takes about one. */
const SETTLED_LOOK_EVERY_MS = 300_000;
/** Within this time after the first check, a TTL may change as soon as there is evidence, milliseconds. */
const SETTLING_MS = 2 * 3_600_000;
const LEAST_BETWEEN_MS = 3_600_000;
/** How long a TTL that was too long is not tried again, milliseconds: doubled each time, up to the second value. */
const TOO_LONG_FOR_MS = 4 * 3_600_000;
const TOO_LONG_AT_MOST_MS = 86_400_000;
/** With a shorter observation, the few changes of values may be chance, milliseconds. */
const LEAST_OBSERVED_MS = 15 * 60_000;
/** The smallest gain in hit rate for which a TTL becomes longer. */
const LEAST_GAIN = 0.005;
/** The factors of one step: a rung, or half of one if that is enough. */
const STEPS = [2, Math.SQRT2] as const;
/** By how much the upper end of the stale share may exceed its limit. */
const LEEWAY = 0.01;
/** A smaller factor is no step. */
const LEAST_FACTOR = 1.1;

interface Followed {
  readonly since: number;
  lookedAt: number;
  /** How long the next TTL that is too long is not tried again, milliseconds. */
  tooLongForMs: number;
  /** A TTL that was too long, and until when it is not tried again. */
  ceiling: { readonly ttlMs: number; readonly until: number } | undefined;
}

export class AutomaticTtls {
  readonly #followed = new Map<string, Followed>();
  #cancel: (() => void) | undefined;
  #closed = false;
  #looking = false;

  constructor(private readonly options: AutomaticTtlsOptions) {}

  start(): void {
    if (this.#cancel === undefined && !this.#closed) this.#plan();
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
  }

  #plan(): void {
    this.#cancel = this.options.clock.after(LOOK_EVERY_MS, () => {
      if (this.#closed) return;
      this.#plan();
      if (this.#looking) return;
      this.#looking = true;
      void runInSlices(this.#looks()).finally(() => (this.#looking = false));
    });
  }

  *#looks(): Generator<void, void> {
    for (const [pattern, automatic] of this.options.patterns()) {
      this.#look(pattern, automatic);
      yield;
    }
  }

  #look(pattern: string, automatic: AutomaticTtlBounds): void {
    const { clock, bounds, ladder, state, change } = this.options;
    const now = clock.now();
    const followed = this.#followed.get(pattern) ?? {
      since: now,
      lookedAt: 0,
      ceiling: undefined,
      tooLongForMs: TOO_LONG_FOR_MS,
    };
    this.#followed.set(pattern, followed);
    const current = state(pattern);
    if (current === undefined) return;
    const { ttlMs, changedAt } = current;
    const isSettled = now - followed.since > SETTLING_MS;
    const leastMs = isSettled ? LEAST_BETWEEN_MS : LEAST_OBSERVED_MS;
    if (changedAt !== undefined && now - changedAt < leastMs) return;
    if (isSettled && now - followed.lookedAt < SETTLED_LOOK_EVERY_MS) return;
    followed.lookedAt = now;
    if (followed.ceiling !== undefined && followed.ceiling.until <= now) followed.ceiling = undefined;
    const { minMs, maxMs } = bounds.of(pattern);
    const within = {
      ...automatic,
      minMs: Math.max(minMs, automatic.minMs),
      maxMs: Math.min(maxMs, automatic.maxMs),
    };
    const step = stepOf(ladder(pattern, automatic.maxStaleShare), ttlMs, within, {
      ceilingMs: followed.ceiling?.ttlMs,
    });
    if (step === undefined) return;
    if (step.ttlMs < ttlMs) {
      followed.ceiling = { ttlMs, until: now + followed.tooLongForMs };
      followed.tooLongForMs = Math.min(TOO_LONG_AT_MOST_MS, followed.tooLongForMs * 2);
    }
    change(pattern, step);
  }
}

/** Returns the next step by the evidence; undefined if there is none or its figures are withheld. */
export function stepOf(
  { ttlMs: observed, ladder, accesses, observedMs, outdated }: TtlLadder,
  ttlMs: number,
  { minMs, maxMs, maxStaleShare }: Omit<AutomaticTtlBounds, 'startMs'>,
  { ceilingMs = Infinity }: { readonly ceilingMs?: number | undefined } = {},
): TtlStep | undefined {
  // The ladder still belongs to another TTL.
  if (observed === null || !isAbout(observed, ttlMs)) return undefined;
  const at = ladder.findIndex((rung) => isAbout(rung.ttlMs, ttlMs));
  const [shorter, today, longer] = [ladder[at - 1], ladder[at], ladder[at + 1]];
  if (today === undefined || observedMs < LEAST_OBSERVED_MS) return undefined;
  const evidence = { today, accesses, observedMs };
  if (!isKnown(today)) {
    // Values change much faster than they expire, so no figures are certain; the TTL is still too long.
    const next = Math.max(minMs, ttlMs / STEPS[0]);
    if (outdated !== true || shorter === undefined || ttlMs / next < LEAST_FACTOR) return undefined;
    return { ...evidence, ttlMs: Math.round(next), next: shorter };
  }
  // Outdated values are rare and their share is noisy: if it is uncertain, wait for more evidence.
  const isCertain = today.staleShare - today.staleShareError > maxStaleShare;
  if (isCertain || (today.staleShare > maxStaleShare + LEEWAY / 2 && today.staleShareError < LEEWAY / 2)) {
    // The number of outdated values is proportional to the TTL.
    const factor = STEPS.findLast((by) => today.staleShare / by <= maxStaleShare) ?? STEPS[0];
    const next = Math.max(minMs, ttlMs / factor);
    if (shorter === undefined || !isKnown(shorter) || ttlMs / next < LEAST_FACTOR) return undefined;
    return { ...evidence, ttlMs: Math.round(next), next: partOf(shorter, today, (2 * next) / ttlMs - 1) };
  }
  if (longer === undefined || !isKnown(longer)) return undefined;
  const factor = STEPS.find((by) => {
    const part = by - 1;
    const stale = between(today.staleShare, longer.staleShare, part);
    const error = between(today.staleShareError, longer.staleShareError, part);
    const isSafe = stale <= maxStaleShare && stale + error / 2 <= maxStaleShare + LEEWAY;
    return isSafe && Math.min(maxMs, ttlMs * by) <= ceilingMs / LEAST_FACTOR;
  });
  if (factor === undefined) return undefined;
  const next = Math.min(maxMs, ttlMs * factor);
  if (next / ttlMs < LEAST_FACTOR) return undefined;
  // A step with a small gain may lead to one with a larger gain.
  const best = Math.max(...ladder.slice(at + 1).map(({ hitRate }) => hitRate ?? 0));
  if (best - today.hitRate < LEAST_GAIN) return undefined;
  return { ...evidence, ttlMs: Math.round(next), next: partOf(today, longer, next / ttlMs - 1) };
}

type KnownRung = TtlRung & { readonly hitRate: number; readonly staleShare: number; readonly staleShareError: number };

/** Interpolates between two rungs; the longer one has twice the TTL. */
function partOf(shorter: KnownRung, longer: KnownRung, part: number): TtlRung {
  return {
    ...longer,
    ttlMs: shorter.ttlMs * (1 + part),
    // Hit rates grow with the logarithm of the TTL, stale shares with the TTL itself.
    hitRate: between(shorter.hitRate, longer.hitRate, Math.log2(1 + part)),
    staleShare: between(shorter.staleShare, longer.staleShare, part),
  };
}

function between(one: number, other: number, part: number): number {
  return one + (other - one) * part;
}

function isKnown(rung: TtlRung): rung is KnownRung {
  return rung.hitRate !== null && rung.staleShare !== null && rung.staleShareError !== null;
}

function isAbout(one: number, other: number): boolean {
  return Math.abs(one - other) <= other / 100;
}
