import type { WarmingTarget } from './warming-target.js';

/** The limit of watched keys over all passes: the oldest watches end first. */
const MAX_WATCHED_KEYS = 10_000;

/** Measures which warmed entries were hit before they expired; bounded, and a sample above {@link MAX_WATCHED_KEYS}. */
export class EfficiencyLedger {
  readonly #totals = new Map<string, { watched: number; hit: number }>();
  readonly #watches = new Set<{ size: number; stop: () => void }>();
  #watching = 0;

  constructor(private readonly target: WarmingTarget) {}

  /** Opens the watch of one pass of a strategy. */
  open(strategy: string): HitWatch {
    let total = this.#totals.get(strategy);
    if (total === undefined) this.#totals.set(strategy, (total = { watched: 0, hit: 0 }));
    return new HitWatch(total, (keys, onHit) => this.#watch(keys, onHit));
  }

  /** Share of hit entries over all passes of a strategy, 0–1; null before anything was warmed. */
  ofStrategy(strategy: string): number | null {
    return share(this.#totals.get(strategy));
  }

  /** Ends every watch. */
  close(): void {
    for (const { stop } of this.#watches) stop();
    this.#watches.clear();
    this.#watching = 0;
  }

  #watch(keys: readonly string[], onHit: () => void): number {
    const watched = keys.slice(0, MAX_WATCHED_KEYS);
    const stop = this.target.watchFirstHit?.(watched, onHit);
    if (stop === undefined || watched.length === 0) return 0;
    for (const oldest of this.#watches) {
      if (this.#watching + watched.length <= MAX_WATCHED_KEYS) break;
      oldest.stop();
      this.#watches.delete(oldest);
      this.#watching -= oldest.size;
    }
    this.#watches.add({ size: watched.length, stop });
    this.#watching += watched.length;
    return watched.length;
  }
}

/** The hits on the entries of one pass. */
export class HitWatch {
  #watched = 0;
  #hit = 0;

  constructor(
    private readonly total: { watched: number; hit: number },
    private readonly begin: (keys: readonly string[], onHit: () => void) => number,
  ) {}

  get watched(): number {
    return this.#watched;
  }

  get hit(): number {
    return this.#hit;
  }

  /** Share of the watched entries that were hit, 0–1; null before any was watched. */
  get efficiency(): number | null {
    return share({ watched: this.#watched, hit: this.#hit });
  }

  watch(keys: readonly string[]): void {
    if (keys.length === 0) return;
    const watched = this.begin(keys, () => {
      this.#hit++;
      this.total.hit++;
    });
    this.#watched += watched;
    this.total.watched += watched;
  }
}

function share(counts: { readonly watched: number; readonly hit: number } | undefined): number | null {
  return counts === undefined || counts.watched === 0 ? null : counts.hit / counts.watched;
}
