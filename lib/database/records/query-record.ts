import { Histogram, timesOf } from '../../metrics/windows/histogram.js';
import type { QuerySnapshot } from './database-snapshot.js';
import type { QueryType } from '../statements/query-type.js';

/** The counts of the queries of one type on one table. */
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
    const { avg, p50, p95, p99, max } = timesOf([this.duration]);
    return Object.freeze({
      queryType: this.type,
      table: this.table,
      count: this.ok + this.errors,
      errors: this.errors,
      slow: this.slow,
      avgTimeMs: avg,
      p50TimeMs: p50,
      p95TimeMs: p95,
      p99TimeMs: p99,
      maxTimeMs: max,
    });
  }
}
