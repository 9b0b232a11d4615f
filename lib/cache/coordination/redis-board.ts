import type { Board } from '../layers/layer.js';
import type { RedisConnection } from '../layers/redis/redis-connection.js';

/** Slots that are asked for in one read. */
const MAX_SLOTS = 1_000;

/**
 * Notes of processes in Redis: each a key of its own that ends by itself when nobody renews it, and a set of their names. All
 * in one hash slot, so that a cluster answers for them together.
 */
export class RedisBoard implements Board {
  readonly #connection: RedisConnection;
  readonly #names: string;

  /** @param key decides the hash slot and what the keys begin with. */
  constructor(connection: RedisConnection, key: string, name: string) {
    this.#connection = connection;
    this.#names = `${key}:board:${name}`;
  }

  async publish(slot: string, bytes: Uint8Array, keepMs: number): Promise<void> {
    const kept = String(Math.max(1, Math.ceil(keepMs)));
    await this.#send(['SET', this.#at(slot), Buffer.from(bytes), 'PX', kept]);
    await this.#send(['SADD', this.#names, slot]);
    // Well after its notes, some of which may be kept longer than this one.
    await this.#send(['PEXPIRE', this.#names, String(Number(kept) * 10)]);
  }

  async read(slot: string): Promise<Uint8Array | undefined> {
    const bytes = await this.#send(['GET', this.#at(slot)]);
    return bytes instanceof Uint8Array ? bytes : undefined;
  }

  async readAll(): Promise<ReadonlyMap<string, Uint8Array>> {
    const found = new Map<string, Uint8Array>();
    const slots = listOf(await this.#send(['SMEMBERS', this.#names]))
      .map(String)
      .slice(0, MAX_SLOTS);
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

  #at(slot: string): string {
    return `${this.#names}:${slot}`;
  }

  #send(args: readonly (string | Buffer)[]): Promise<unknown> {
    return this.#connection.send(this.#names, args);
  }
}

function listOf(reply: unknown): readonly unknown[] {
  return Array.isArray(reply) || reply instanceof Set ? [...(reply as Iterable<unknown>)] : [];
}
