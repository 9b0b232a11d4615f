import type { Duration } from '../../base/duration.js';
import type { Serializer } from '../encoding/serializer.js';

export const DEFAULT_DEADLINE_MS = 500;

/** The options of every layer outside this process. */
export interface RemoteLayerOptions {
  /** The layer's name in statistics, metrics and logs. @default the kind of layer: 'redis', 'keyv', 'store' */
  name?: string;
  /** Fail the boot if the layer cannot be reached. @default false */
  required?: boolean;
  /** How long one operation may take. Later results are ignored. @default 500 ms */
  deadline?: Duration;
  /** When to stop asking a failing layer for a while. `false`: always ask it. */
  breaker?: CircuitBreakerOptions | false;
  /** `'through'`: a write ends when the layer has it. `'behind'`: it is queued and written in batches. @default 'through' */
  writes?: 'through' | 'behind' | WriteBehindOptions;
  /**
   * How values are turned into bytes: `'json'` writes JSON if that gives the same value and structured clone otherwise;
   * `'structured-clone'` for all values; or your own. May be changed on a live cache. @default 'json'
   */
  serializer?: 'json' | 'structured-clone' | Serializer;
  /** Compress values of at least `threshold` bytes (Brotli, quality 1). `false`: never compress. @default { threshold: 16_384 } */
  compression?: false | { threshold: number };
}

/**
 * When a circuit breaker opens: if the share of failed and slow calls in a rolling window reaches `threshold`, or if every call fails
 * for a tenth of the window.
 */
export interface CircuitBreakerOptions {
  /** Length of the rolling window. @default '10s' */
  window?: Duration;
  /** Open at this share of failed calls, 0–1. @default 0.5 */
  threshold?: number;
  /** Fewer calls than this in the window open it only if probes are not answered either. @default 5 */
  minimumCalls?: number;
  /** A call that takes longer counts as failed, though its answer is used. @default half the deadline */
  slowCall?: Duration;
  /** How long the circuit stays open before one probe is sent. By default, a recovered layer serves again within five seconds. @default '1s' */
  halfOpenAfter?: Duration;
}

/** Queues writes in a bounded queue, by key: the last write of a key wins. */
export interface WriteBehindOptions {
  /** The most keys that may wait. If the queue is full, the oldest write is dropped and counted. @default 10_000 */
  maxQueue?: number;
  /** The most waiting bytes, estimated. @default 64 MiB */
  maxQueueBytes?: number;
  /** Keys written in one batch. @default 500 */
  batchSize?: number;
  /** How long a write may wait for others. @default 5 */
  flushEvery?: Duration;
  /** How long `disconnect()` continues to write the queue. @default '2s' */
  drainWithin?: Duration;
}
