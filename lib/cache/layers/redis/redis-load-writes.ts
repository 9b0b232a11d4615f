import type { Entry } from '../../entries/entry.js';
import { CacheError } from '../../base/errors.js';
import { expiriesOf, inBatches } from '../encoding/record-batches.js';
import { epochDigits } from '../encoding/record-head.js';
import { KeysFailed } from '../keys-failed.js';
import type { LayerWrite } from '../layer.js';
import { AsOf, type LoadTicket } from '../load-ticket.js';
import { checkOutcomes, eachWithin } from './each-within.js';
import { expiryOf } from './redis-expiry.js';
import { stateIn } from './redis-invalidation-log.js';
import type { RedisParts } from './redis-parts.js';
import { ReadMoment } from './redis-reads.js';
import { FENCE_TTL_MS, scripts } from './redis-scripts.js';

const ATTEMPTS = 20;

/** The expected state of the key at the write; see `scripts.store`. */
type Mode = '0' | '1' | 'r';

/** A write of a value from an earlier time: the time of its load, or of its call. */
interface Late {
  readonly key: string;
  readonly entry: Entry;
  readonly px: string;
  readonly epoch: number;
  readonly generation: number | undefined;
  readonly mode: Mode;
  /** The epoch of the entry that it replaces. */
  readonly replaced: string;
  /** True if the other processes are notified after the write. */
  readonly explicit: boolean;
  readonly record: Buffer;
}

interface Waiting {
  readonly late: Late;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes values that were loaded after a read, or that waited after their call. It overwrites no newer entry. On one server, a script
 * compares and writes, for all writes of one turn of the event loop together. In a cluster, the order of invalidations is on another node,
 * so the comparison follows the write.
 */
export class RedisLoadWrites {
  readonly #redis: RedisParts;
  #waiting: Waiting[] = [];
  #stateSoon: Promise<unknown> | undefined;

  constructor(redis: RedisParts) {
    this.#redis = redis;
  }

  put(key: string, entry: Entry, ticket: LoadTicket): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = this.#late(key, entry, ticket, this.#redis.clock.now(), this.#redis.serverClock.offset);
      if (late === undefined) return resolve();
      this.#waiting.push({ late, resolve, reject });
      if (this.#waiting.length === 1) queueMicrotask(() => this.#flush());
    });
  }

  async putMany(writes: readonly LayerWrite[]): Promise<void> {
    const names = writes.map(([key]) => key);
    if (this.#redis.connection.cluster) {
      const writing = writes.map(([key, entry, ticket]) => this.put(key, entry, ticket!));
      return checkOutcomes(names, await eachWithin(writing, this.#redis));
    }
    const failed: string[] = [];
    let failure: unknown;
    const fail = (keys: readonly string[], error: unknown) => {
      failed.push(...keys);
      failure ??= error;
    };
    const prepared: Late[] = [];
    const now = this.#redis.clock.now();
    const { offset } = this.#redis.serverClock;
    for (const [key, entry, ticket] of writes) {
      try {
        const late = this.#late(key, entry, ticket!, now, offset);
        if (late !== undefined) prepared.push(late);
      } catch (error) {
        fail([key], error);
      }
    }
    const sending = Array.from(
      inBatches(prepared),
      (batch) =>
      this.#putTogether(batch).catch((error: unknown) => fail(batch.map(({ key }) => key), error)), // prettier-ignore
    );
    await Promise.all(sending);
    if (failed.length === 0) return;
    throw failed.length === writes.length ? failure : new KeysFailed(failed, failure);
  }

  /**
   * Prepares a write. Returns undefined if the value cannot be stored: it has expired, is too old to be compared, or replaces an entry that
   * is gone.
   * @param offset is added to this process's times to get the server's times.
   */
  #late(key: string, entry: Entry, ticket: LoadTicket, now: number, offset: number): Late | undefined {
    const { name, codec } = this.#redis;
    const px = expiryOf(entry, now);
    const moment = ticket.momentOf(name);
    // If the read failed, the load counts from its beginning.
    const asOf = moment instanceof AsOf ? moment.at : entry.createdAt;
    const read = moment instanceof ReadMoment ? moment : undefined;
    const at = read === undefined ? asOf + offset : read.at;
    // Fences expire after this time, so an older value cannot be compared with them.
    if (px === undefined || now + offset - at > FENCE_TTL_MS) return undefined;
    if (ticket.replaces && read?.found === undefined) return undefined;
    const epoch = read === undefined ? Math.floor(at * 1_000) : read.epoch;
    return {
      key,
      entry,
      px,
      epoch,
      generation: read?.generation,
      mode: ticket.replaces ? 'r' : read?.present === true ? '1' : '0',
      replaced: ticket.replaces ? epochDigits(read!.found!) : '',
      explicit: moment instanceof AsOf && moment.explicit,
      record: codec.encode(entry, offset, epoch),
    };
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    if (this.#redis.connection.cluster) {
      for (const { late, resolve, reject } of waiting) this.#putApart(late).then(resolve, reject);
      return;
    }
    let at = 0;
    for (const batch of inBatches(waiting.map(({ late }) => late))) {
      const callers = waiting.slice(at, (at += batch.length));
      this.#putTogether(batch).then(
        () => callers.forEach(({ resolve }) => resolve()),
        (error: unknown) => callers.forEach(({ reject }) => reject(error)),
      );
    }
  }

  async #putTogether(batch: readonly Late[]): Promise<void> {
    const { log } = this.#redis;
    if (log.known === undefined || !log.covers(log.known)) await log.current(undefined);
    let open = this.#current(batch);
    for (let attempt = 0; open.length > 0; attempt++) {
      const news = await this.#store(open);
      if (news === undefined) return;
      if (attempt === ATTEMPTS) throw outpaced();
      log.apply(news);
      open = this.#current(open);
    }
  }

  /** The writes for which no newer invalidation is known. */
  #current(batch: readonly Late[]): readonly Late[] {
    const { log } = this.#redis;
    const current = ({ key, entry, epoch, generation }: Late) =>
      (generation === undefined || generation === log.known?.generation) &&
      log.remembers(epoch) &&
      log.valid(key, entry.tags, epoch);
    return batch.every(current) ? batch : batch.filter(current);
  }

  /** @returns invalidations by glob, if there are any that must be judged first. */
  async #store(batch: readonly Late[]): Promise<readonly unknown[] | undefined> {
    const { connection, keys, log, announcer } = this.#redis;
    const names = batch.map(({ key }) => keys.entry(key));
    const explicit = batch.filter((late) => late.explicit).map(({ key }) => key);
    const reply = await scripts.store.run(
      connection,
      [keys.state, keys.tags, keys.globs, ...names, ...names.map((name) => keys.fence(name))],
      [
        String(log.known!.generation),
        String(log.version),
        ...announcer.argumentsOf(explicit.length > 0 ? { keys: explicit } : undefined),
        batch.map(({ mode }) => mode).join('') + batch.map(({ replaced }) => replaced).join(''),
        batch.some(({ entry }) => entry.tags.length > 0) ? JSON.stringify(batch.map(({ entry }) => entry.tags)) : '',
        log.known!.tail,
        ...batch.map(({ record }) => record),
        ...expiriesOf(batch),
      ],
    );
    if (Array.isArray(reply)) return reply as readonly unknown[];
    announcer.sent(reply);
    if (explicit.length > 0 && !announcer.active) this.#announce(explicit);
    return undefined;
  }

  async #putApart({ key, entry, epoch, generation, mode, replaced, explicit, record, px }: Late): Promise<void> {
    const { connection, keys, log } = this.#redis;
    const name = keys.entry(key);
    const known = log.known ?? (await log.current(undefined));
    const kept = () =>
      (generation ?? known.generation) === log.known?.generation &&
      log.remembers(epoch) &&
      log.valid(key, entry.tags, epoch);
    if (!kept()) return;
    const written = await scripts.storeApart.run(connection, [name, keys.fence(name)], [mode + replaced, record, px]);
    if (Number(written) !== 1) return;
    // Send this after the write has arrived.
    await log.current(await this.#stateNow());
    // The key was invalidated after the write, so remove the entry.
    if (!kept()) await scripts.removeOlder.run(connection, [name], [epochDigits(epoch + 1)]);
    else if (explicit) this.#announce([key]);
  }

  /** Notifies the other processes. A message that cannot be sent now is sent later. */
  #announce(keys: readonly string[]): void {
    this.#redis.bus.publish({ keys }).catch(() => undefined);
  }

  /** Returns the state of the namespace, with one request for all calls of a turn. */
  #stateNow(): Promise<unknown> {
    const { connection, keys } = this.#redis;
    return (this.#stateSoon ??= Promise.resolve().then(() => {
      this.#stateSoon = undefined;
      return stateIn(connection, keys);
    }));
  }
}

function outpaced(): CacheError {
  return new CacheError(
    'LAYER_UNAVAILABLE',
    'redisLayer: globs are invalidated faster than an entry can be compared with them. It was not written.',
  );
}
