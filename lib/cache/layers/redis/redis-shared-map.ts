import type { SharedMap } from '../layer.js';
import type { RedisConnection } from './redis-connection.js';

/** Slots that are asked for in one read. */
const MAX_SLOTS = 1_000;
/** A note that is longer, bytes, was not written here and is not fetched. */
const MAX_NOTE_BYTES = 16 * 1024 * 1024;
/** Notes fetched in one read, bytes: the shortest come first. */
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Notes of processes in Redis: each a key of its own that ends by itself when nobody renews it, and a set of their names. All
 * in one hash slot, so that a cluster answers for them together.
 */
export class RedisSharedMap implements SharedMap {
  readonly #connection: RedisConnection;
  readonly #names: string;

  /** @param key decides the hash slot and what the keys begin with. */
  constructor(connection: RedisConnection, key: string, name: string) {
    this.#connection = connection;
    this.#names = `${key}:sharedMap:${name}`;
  }

  async publish(slot: string, bytes: Uint8Array, keepMs: number): Promise<void> {
    const kept = String(Math.max(1, Math.ceil(keepMs)));
    await this.#send(['SET', this.#at(slot), Buffer.from(bytes), 'PX', kept]);
    await this.#send(['SADD', this.#names, slot]).catch(async (error: unknown) => {
      if (!isOfAnotherType(error)) throw error;
      // Somebody else's value under our name: it would keep all instances apart.
      await this.#send(['DEL', this.#names]);
      await this.#send(['SADD', this.#names, slot]);
    });
    // Well after its notes, some of which may be kept longer than this one.
    await this.#send(['PEXPIRE', this.#names, String(Number(kept) * 10)]);
  }

  async read(slot: string): Promise<Uint8Array | undefined> {
    if ((await this.#lengthOf(slot)) > MAX_NOTE_BYTES) throw new RangeError('The note is too long to be read.');
    const bytes = await this.#send(['GET', this.#at(slot)]).catch(ifOfAnotherType(undefined));
    return bytes instanceof Uint8Array ? bytes : undefined;
  }

  async readAll(): Promise<ReadonlyMap<string, Uint8Array>> {
    const found = new Map<string, Uint8Array>();
    const members = await this.#send(['SRANDMEMBER', this.#names, String(MAX_SLOTS)]).catch(ifOfAnotherType([]));
    const slots = await this.#affordable(listOf(members).map(String));
    if (slots.length === 0) return found;
    const notes = listOf(await this.#send(['MGET', ...slots.map((slot) => this.#at(slot))]));
    const gone: string[] = [];
    slots.forEach((slot, at) => {
      const bytes = notes[at];
      if (bytes instanceof Uint8Array) found.set(slot, bytes);
      else gone.push(slot);
    });
    if (gone.length > 0) await this.#send(['SREM', this.#names, ...gone]);
    return found;
  }

  async withdraw(slot: string): Promise<void> {
    await this.#send(['DEL', this.#at(slot)]);
    await this.#send(['SREM', this.#names, slot]);
  }

  /** What can be fetched within {@link MAX_BYTES}; of a slot without a note nothing is known yet. */
  async #affordable(slots: readonly string[]): Promise<string[]> {
    const lengths = await Promise.all(slots.map(async (slot) => [slot, await this.#lengthOf(slot)] as const));
    let bytes = 0;
    return lengths
      .toSorted(([, one], [, other]) => one - other)
      .filter(([, length]) => length <= MAX_NOTE_BYTES && (bytes += length) <= MAX_BYTES)
      .map(([slot]) => slot);
  }

  async #lengthOf(slot: string): Promise<number> {
    return Number(await this.#send(['STRLEN', this.#at(slot)]).catch(ifOfAnotherType(0)));
  }

  #at(slot: string): string {
    return `${this.#names}:${slot}`;
  }

  #send(args: readonly (string | Buffer)[]): Promise<unknown> {
    return this.#connection.send(this.#names, args);
  }
}

function isOfAnotherType(error: unknown): boolean {
  return error instanceof Error && error.message.includes('WRONGTYPE');
}

/** What somebody else has put there counts as absent. */
function ifOfAnotherType<T>(absent: T): (error: unknown) => T {
  return (error) => {
    if (isOfAnotherType(error)) return absent;
    throw error;
  };
}

function listOf(reply: unknown): readonly unknown[] {
  return Array.isArray(reply) || reply instanceof Set ? [...(reply as Iterable<unknown>)] : [];
}
