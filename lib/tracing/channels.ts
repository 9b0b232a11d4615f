import { channel, type Channel } from 'node:diagnostics_channel';

/** The message of an access. Durations are milliseconds. */
export interface AccessMessage {
  readonly pattern: string;
  /** The route template if an endpoint caused the access: `GET /feeds/discover`. */
  readonly endpoint: string | undefined;
  readonly outcome: 'hit' | 'stale' | 'miss' | 'coalesced' | 'error' | 'bypass';
  /** The layer that answered. */
  readonly layer: string | undefined;
  /** Why no fresh entry was found, or why the cache was bypassed. */
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
  /** `key`: one key of a known pattern. `group`: a tag, a glob or everything. */
  readonly kind: 'key' | 'group';
  readonly pattern: string | undefined;
  readonly result: string;
  /** The number of removed entries, if known. */
  readonly removed: number | undefined;
  readonly durationMs: number;
}

export interface CircuitMessage {
  readonly layer: string;
  readonly state: 'closed' | 'open' | 'half_open';
}

/** The channels of node:diagnostics_channel. Messages are created only for subscribers and never contain a key or a value. */
export interface CacheChannels {
  readonly access: Channel<unknown, AccessMessage>;
  readonly load: Channel<unknown, LoadMessage>;
  readonly invalidation: Channel<unknown, InvalidationMessage>;
  readonly circuit: Channel<unknown, CircuitMessage>;
}

/** Prefix of the channels' names: `nestjs-cache-observability:access` … */
export const CHANNEL_PREFIX = 'nestjs-cache-observability:';

const named = <T>(name: string): Channel<unknown, T> => channel(`${CHANNEL_PREFIX}${name}`) as Channel<unknown, T>;

/**
 * The channels are kept for the life of the process. When Node 20 garbage-collects a channel, it also unregisters a newer
 * channel of the same name, whose subscribers then receive nothing.
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
