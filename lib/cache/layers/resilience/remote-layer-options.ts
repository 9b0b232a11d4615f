import type { Duration } from '../../base/duration.js';
import type { Serializer } from '../encoding/serializer.js';

export const DEFAULT_DEADLINE_MS = 500;

/** The options of every layer outside this process. */
export interface RemoteLayerOptions {
  /** The layer's name in statistics, metrics and logs. @default the kind of layer: 'redis', 'keyv', 'store' */
  name?: string;
  /** Fail the boot if the layer cannot be reached. @default false */
  required?: boolean;
  /** The time limit of one operation. Later results are ignored. @default 500 ms */
  deadline?: Duration;
  /** When the circuit breaker opens, so that a failing layer is not used. `false` uses the layer at every access. */
  breaker?: CircuitBreakerOptions | false;
  /** `'through'`: a write ends when the layer has stored it. `'behind'`: writes are queued and sent in batches. @default 'through' */
  writes?: 'through' | 'behind' | WriteBehindOptions;
  /**
   * How values are converted to bytes. `'json'` writes JSON if that gives the same value, otherwise structured clone. `'structured-clone'`
   * writes all values as structured clone. Or give your own serializer. You may change it on a live cache. @default 'json'
   */
  serializer?: 'json' | 'structured-clone' | Serializer;
  /** Compresses values of at least `threshold` bytes (Brotli, quality 1). `false` never compresses. @default { threshold: 16_384 } */
  compression?: false | { threshold: number };
}

/**
 * When a circuit breaker opens: if the share of failed and slow calls in a rolling window reaches `threshold`, or if every call fails for a
 * tenth of the window.
 */
export interface CircuitBreakerOptions {
  /** Length of the rolling window. @default '10s' */
  window?: Duration;
  /** The share of failed calls that opens the circuit, 0–1. @default 0.5 */
  threshold?: number;
  /** With fewer calls in the window, the circuit opens only if probes get no answer either. @default 5 */
  minimumCalls?: number;
  /** A call that takes longer counts as failed, although its answer is used. @default half the deadline */
  slowCall?: Duration;
  /**
   * How long the circuit stays open before one probe is sent. With the default, a recovered layer serves again within five seconds.
   * @default '1s'
   */
  halfOpenAfter?: Duration;
}

/** Queues writes by key in a queue of limited size. The last write of a key replaces earlier ones. */
export interface WriteBehindOptions {
  /** The most keys in the queue. If it is full, the oldest write is dropped and counted. @default 10_000 */
  maxQueue?: number;
  /** The most bytes in the queue, estimated. @default 64 MiB */
  maxQueueBytes?: number;
  /** Keys written in one batch. @default 500 */
  batchSize?: number;
  /** How long a write waits for others, milliseconds or a duration string. @default 5 */
  flushEvery?: Duration;
  /** How long `disconnect()` continues to write the queue. @default '2s' */
  drainWithin?: Duration;
}
