import type { Duration } from '../cache/duration.js';
import type { WarmingProgress, WarmingReport, WarmingRunHandle } from './warming-report.js';
import type { WarmingStrategy, WarmingStrategyOptions } from './strategy.js';
import type { WarmedBatch } from './warming-target.js';

/** What `CacheWarmer` offers; the class follows. */
export interface CacheWarming {
  readonly strategies: readonly Readonly<WarmingStrategyOptions>[];
  register(strategy: WarmingStrategy, options?: WarmingStrategyOptions): void;
  start(names?: string | readonly string[]): WarmingRunHandle;
  warmAll(): Promise<WarmingReport>;
  warm(names: string | readonly string[]): Promise<WarmingReport>;
  warmSpecificKey(key: string, data: unknown, ttl?: Duration): Promise<void>;
  warmBatch(data: Readonly<Record<string, unknown>>, ttl?: Duration): Promise<WarmedBatch>;
  getReport(id: string): WarmingReport | undefined;
  onProgress(listener: (progress: WarmingProgress) => void): () => void;
}
