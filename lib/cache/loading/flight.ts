import type { Entry } from '../entry.js';
import { valueOf } from '../entries/value-of.js';
import { copyOf } from '../entries/values.js';
import type { Located } from '../layers/layer-chain.js';
import type { Outcome } from '../observer.js';
import type { ReadPlan } from '../read-plan.js';
import type { SpanLink } from '../tracer.js';

/** What a flight came home with. */
export interface Landed {
  readonly value: unknown;
  readonly entry: Entry | undefined;
  /** False where those who waited must not get one and the same object. Asked only without an entry. */
  readonly shareable: boolean;
  /** Of the value, kept or not. */
  readonly tags: readonly string[];
  /** `hit`: a far layer had it; `miss`: it was loaded; `stale`: its origin failed, or failed just now. */
  readonly outcome: Outcome;
  /** Index of the layer that had it, or -1. */
  readonly layer: number;
}

/** One search of the far layers and, where they have nothing fresh, one load, shared by all who ask for the key meanwhile. */
export class Flight {
  /** Settles when the far layers have answered; undefined where there are none. */
  located: Promise<Located> | undefined;
  landed!: Promise<Landed>;
  /** For spans of those who wait. */
  link: SpanLink;

  constructor(
    /** Where it began in the order of invalidations. */
    readonly epoch: number,
    /** Tags known before the load. */
    readonly tags: readonly string[],
  ) {}
}

/** Landed with an entry that was there already. */
export function landedWith(entry: Entry, outcome: typeof Outcome.hit | typeof Outcome.stale, layer: number): Landed {
  return { value: entry.value, entry, shareable: true, tags: entry.tags, outcome, layer };
}

/** What a caller may have of a flight's value. */
export function valueLanded({ entry, value, shareable }: Landed, plan: Pick<ReadPlan<never>, 'policy'>): unknown {
  if (entry !== undefined) return valueOf(entry, plan.policy);
  return shareable ? value : copyOf(value);
}
