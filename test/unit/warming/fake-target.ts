import { milliseconds } from '../../../lib/cache/base/duration.js';
import type { Coordination, Layer } from '../../../lib/cache/layers/layer.js';
import type { WarmableEntry, WarmedBatch, WarmingTarget } from '../../../lib/warming/warming-target.js';

/** A cache in a Map that counts its calls. */
export class FakeTarget implements WarmingTarget {
  readonly values = new Map<string, WarmableEntry>();
  readonly batches: string[][] = [];
  readonly freshnessQuestions: string[][] = [];
  readonly watched = new Map<string, (key: string) => void>();
  readonly rejecting = new Set<string>();
  layers: readonly Layer[] = [];

  constructor(coordination?: Coordination) {
    if (coordination !== undefined) this.layers = [{ coordination } as Layer];
  }

  setMany(entries: Iterable<WarmableEntry>): Promise<WarmedBatch> {
    const batch = [...entries];
    this.batches.push(batch.map(({ key }) => key));
    const kept = batch.filter(({ key }) => !this.rejecting.has(key));
    for (const entry of kept) {
      if (entry.ttl !== undefined) milliseconds(entry.ttl);
      this.values.set(entry.key, entry);
    }
    const rejected = batch.filter(({ key }) => this.rejecting.has(key));
    return Promise.resolve({
      written: kept.length,
      rejected: rejected.map(({ key }) => ({ key, code: 'VALUE_NOT_SERIALIZABLE' })),
      bytes: kept.length * 10,
    });
  }

  freshKeys(keys: readonly string[]): Promise<Set<string>> {
    this.freshnessQuestions.push([...keys]);
    return Promise.resolve(new Set(keys.filter((key) => this.values.has(key))));
  }

  watchFirstHit(keys: readonly string[], onFirstHit: (key: string) => void): () => void {
    for (const key of keys) this.watched.set(key, onFirstHit);
    return () => {
      for (const key of keys) this.watched.delete(key);
    };
  }

  hit(key: string): void {
    const watch = this.watched.get(key);
    this.watched.delete(key);
    watch?.(key);
  }
}
