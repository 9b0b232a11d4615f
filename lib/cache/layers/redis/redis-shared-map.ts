import type { SharedMap } from '../layer.js';
import type { RedisConnection } from './redis-connection.js';

/** The most slots in one read. */
const MAX_SLOTS = 1_000;
/** The most bytes of a note. This library writes no longer notes, so a longer one is not fetched. */
const MAX_NOTE_BYTES = 16 * 1024 * 1024;
/** The most bytes of notes fetched in one read. The shortest notes are fetched first. */
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Notes of processes in Redis. Each note is a separate key that expires if it is not renewed, and a set holds the names of the slots. All
 * of them are in one hash slot, so that a cluster can read them together.
 */
export class RedisSharedMap implements SharedMap {
  readonly #connection: RedisConnection;
  readonly #names: string;

  /** @param key determines the hash slot and the prefix of the keys. */
  constructor(connection: RedisConnection, key: string, name: string) {
    this.#connection = connection;
    this.#names = `${key}:sharedMap:${name}`;
  }

  async publish(slot: string, bytes: Uint8Array, keepMs: number): Promise<void> {
    const kept = String(Math.max(1, Math.ceil(keepMs)));
    await this.#send(['SET', this.#at(slot), Buffer.from(bytes), 'PX', kept]);
    await this.#send(['SADD', this.#names, slot]).catch(async (error: unknown) => {
      if (!isOfAnotherType(error)) throw error;
      // A foreign value under our name would prevent all instances from sharing notes.
      await this.#send(['DEL', this.#names]);
      await this.#send(['SADD', this.#names, slot]);
    });
    // The set must live longer than the notes, and other notes may live longer than this one.
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

  /** The slots that can be fetched within {@link MAX_BYTES}; slots without a known note come in addition. */
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

/** A foreign value counts as absent. */
function ifOfAnotherType<T>(absent: T): (error: unknown) => T {
  return (error) => {
    if (isOfAnotherType(error)) return absent;
    throw error;
  };
}

function listOf(reply: unknown): readonly unknown[] {
  return Array.isArray(reply) || reply instanceof Set ? [...(reply as Iterable<unknown>)] : [];
}
