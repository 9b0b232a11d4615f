import { channel, type Channel } from 'node:diagnostics_channel';

/** What is published of an access. Durations are milliseconds. */
export interface AccessMessage {
  readonly pattern: string;
  /** `GET /feeds/discover`: a route template, where an endpoint asked. */
  readonly endpoint: string | undefined;
  readonly outcome: 'hit' | 'stale' | 'miss' | 'coalesced' | 'error' | 'bypass';
  /** The layer that answered. */
  readonly layer: string | undefined;
  /** Why nothing fresh was found, or why the cache was not asked. */
  readonly reason: string | undefined;
  readonly responseTimeMs: number;
  readonly totalTimeMs: number;
}

export interface LoadMessage {
  readonly pattern: string;
  readonly endpoint: string | undefined;
  readonly operation: 'load' | 'refresh';
  readonly result: string;
  readonly durationMs: number;
}

export interface InvalidationMessage {
  /** One key, of a known pattern, or what a tag, a glob or everything stands for. */
  readonly kind: 'key' | 'group';
  readonly pattern: string | undefined;
  readonly result: string;
  /** How many entries were removed, where that is known. */
  readonly removed: number | undefined;
  readonly durationMs: number;
}

export interface CircuitMessage {
  readonly layer: string;
  readonly state: 'closed' | 'open' | 'half_open';
}

/** The channels of node:diagnostics_channel; a message is made only where somebody listens. Never a key or a value. */
export interface CacheChannels {
  readonly access: Channel<unknown, AccessMessage>;
  readonly load: Channel<unknown, LoadMessage>;
  readonly invalidation: Channel<unknown, InvalidationMessage>;
  readonly circuit: Channel<unknown, CircuitMessage>;
}

/** What the channels' names begin with: `nestjs-cache-observability:access` … */
export const CHANNEL_PREFIX = 'nestjs-cache-observability:';

const named = <T>(name: string): Channel<unknown, T> => channel(`${CHANNEL_PREFIX}${name}`) as Channel<unknown, T>;

/**
 * Held for as long as the process: Node 20 forgets a channel that was collected even where one of the same name has come after
 * it, and whoever subscribes then hears nothing.
 */
const CHANNELS: CacheChannels = {
  access: named('access'),
  load: named('load'),
  invalidation: named('invalidation'),
  circuit: named('circuit'),
};

export function cacheChannels(): CacheChannels {
  return CHANNELS;
}
