import type { Answer } from './browser.js';

/** What visitors saw of one endpoint. */
export interface EndpointTally {
  readonly endpoint: string;
  readonly requests: number;
  /** Requests by what `X-Cache` said. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Answers of 400 and more. */
  readonly refused: number;
  /** Latencies in milliseconds; null without any. */
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly hitP50: number | null;
  readonly missP50: number | null;
}

/** The latencies of visitors and the cache headers they got, by endpoint. */
export class Tally {
  readonly #endpoints = new Map<string, { byOutcome: Map<string, number[]>; refused: number }>();
  #requests = 0;
  #answered = 0;
  #failures = new Map<string, number>();

  get requests(): number {
    return this.#requests;
  }

  /** How many requests got no answer at all, by reason. */
  get failures(): ReadonlyMap<string, number> {
    return this.#failures;
  }

  /** Share of the answers that came from the cache, 0–1. */
  get fromCache(): number {
    return this.#requests === 0 ? 0 : this.#answered / this.#requests;
  }

  add(endpoint: string, { status, cache, milliseconds }: Answer): void {
    let seen = this.#endpoints.get(endpoint);
    if (seen === undefined) this.#endpoints.set(endpoint, (seen = { byOutcome: new Map(), refused: 0 }));
    const latencies = seen.byOutcome.get(cache) ?? [];
    seen.byOutcome.set(cache, latencies);
    latencies.push(milliseconds);
    if (status >= 400) seen.refused++;
    if (fromCache(cache)) this.#answered++;
    this.#requests++;
  }

  fail(error: unknown): void {
    const reason = error instanceof Error ? ('code' in error ? String(error.code) : error.message) : String(error);
    this.#failures.set(reason, (this.#failures.get(reason) ?? 0) + 1);
  }

  endpoints(): EndpointTally[] {
    return [...this.#endpoints]
      .map(([endpoint, { byOutcome, refused }]) => {
        const all = sorted([...byOutcome.values()].flat());
        const hits = sorted([...byOutcome].flatMap(([cache, list]) => (fromCache(cache) ? list : [])));
        return {
          endpoint,
          requests: all.length,
          outcomes: Object.fromEntries([...byOutcome].map(([cache, list]) => [cache, list.length])),
          refused,
          p50: quantile(all, 0.5),
          p95: quantile(all, 0.95),
          p99: quantile(all, 0.99),
          hitP50: quantile(hits, 0.5),
          missP50: quantile(sorted(byOutcome.get('MISS') ?? []), 0.5),
        };
      })
      .sort((a, b) => b.requests - a.requests);
  }
}

const fromCache = (cache: string): boolean => cache === 'HIT' || cache === 'STALE';

const sorted = (values: readonly number[]): Float64Array => Float64Array.from(values).sort();

/** Nearest rank. */
function quantile(values: Float64Array, share: number): number | null {
  return values[Math.max(0, Math.ceil(values.length * share) - 1)] ?? null;
}
