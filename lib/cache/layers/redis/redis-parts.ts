import type { RedisBus } from './redis-bus.js';
import type { Clock } from '../../base/clock.js';
import type { EntryCodec } from '../encoding/codec.js';
import type { RedisAnnouncer } from './redis-announcer.js';
import type { RedisConnection } from './redis-connection.js';
import type { RedisInvalidationLog } from './redis-invalidation-log.js';
import type { RedisKeys } from './redis-keys.js';
import type { ServerClock } from './server-clock.js';

/** The parts that reads, writes and deletions of one Redis layer share. */
export interface RedisParts {
  /** The name of the layer. */
  readonly name: string;
  readonly connection: RedisConnection;
  readonly keys: RedisKeys;
  readonly log: RedisInvalidationLog;
  readonly codec: EntryCodec;
  readonly serverClock: ServerClock;
  readonly clock: Clock;
  readonly bus: RedisBus;
  readonly announcer: RedisAnnouncer;
  /** The time limit of an operation, milliseconds. */
  readonly deadlineMs: number;
}
