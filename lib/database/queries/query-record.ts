import { Histogram, mean, quantiles } from '../../metrics/windows/histogram.js';
import type { QuerySnapshot } from '../database-snapshot.js';
import type { QueryType } from '../statements/query-type.js';

/** What is counted of the queries of one type on one table. */
export class QueryRecord {
  readonly duration = new Histogram();
  ok = 0;
  errors = 0;
  slow = 0;

  constructor(
    readonly type: QueryType,
    readonly table: string,
  ) {}

  add(ok: boolean, durationMs: number): void {
    if (ok) this.ok++;
    else this.errors++;
    this.duration.record(durationMs, 1);
  }

  clear(): void {
    this.ok = 0;
    this.errors = 0;
    this.slow = 0;
    this.duration.clear();
  }

  snapshot(): QuerySnapshot {
    const [p50TimeMs, p95TimeMs, p99TimeMs] = quantiles(this.duration, [0.5, 0.95, 0.99]) as (number | null)[];
    return Object.freeze({
      queryType: this.type,
      table: this.table,
      count: this.ok + this.errors,
      errors: this.errors,
      slow: this.slow,
      avgTimeMs: mean(this.duration),
      p50TimeMs: p50TimeMs!,
      p95TimeMs: p95TimeMs!,
      p99TimeMs: p99TimeMs!,
      maxTimeMs: this.duration.count === 0 ? null : this.duration.maxMs,
    });
  }
}
