import type { Entry } from '../../lib/cache/entries/entry.js';
import { globMatcher } from '../../lib/cache/base/glob.js';
import { CircuitState } from '../../lib/cache/base/observer.js';
import type {
  BusMessage,
  Coordination,
  Layer,
  LayerFactory,
  LayerStatus,
  LayerWrite,
} from '../../lib/cache/layers/layer.js';

type Gate = { readonly passed: Promise<void>; open(): void };

/** The shared server of a test's processes: entries, locks and messages. */
export class SharedServer {
  readonly entries = new Map<string, Entry>();
  readonly locks = new Set<string>();
  readonly listeners = new Set<{ onMessage(message: BusMessage): void; onGap(): void }>();
  /** Messages published, in their order. */
  readonly messages: BusMessage[] = [];
}

/** A remote layer that the test controls: it can respond, wait at a gate, reject, or refuse to connect. */
export class ScriptedLayer implements Layer {
  readonly shared = true;
  /** Its calls, as `getMany a,b`. */
  readonly calls: string[] = [];
  failing: unknown;
  unreachable = false;
  closed = false;
  readonly coordination: Coordination;
  readonly #gates = new Map<string, Gate>();

  constructor(
    readonly name = 'remote',
    readonly server = new SharedServer(),
  ) {
    let own: { onMessage(message: BusMessage): void; onGap(): void } | undefined;
    this.coordination = {
      acquire: async (name) => {
        await this.#ask(`acquire ${name}`);
        if (server.locks.has(name)) return undefined;
        server.locks.add(name);
        return {
          renew: async () => server.locks.has(name),
          release: async () => {
            await this.#gates.get('release')?.passed;
            server.locks.delete(name);
          },
        };
      },
      publish: async (message) => {
        server.messages.push(message);
        for (const listener of server.listeners) if (listener !== own) listener.onMessage(message);
      },
      subscribe: async (listener) => {
        own = listener;
        server.listeners.add(listener);
        return async () => void server.listeners.delete(listener);
      },
    };
  }

  /** The factory to give to a cache. */
  factory(required = false): LayerFactory {
    return { name: this.name, required, create: () => this };
  }

  /** From now on this operation waits until the returned function is called. */
  hold(operation: string): () => void {
    let open!: () => void;
    const passed = new Promise<void>((resolve) => (open = resolve));
    this.#gates.set(operation, { passed, open });
    return () => {
      this.#gates.delete(operation);
      open();
    };
  }

  async get(key: string): Promise<Entry | undefined> {
    // A server responds with the state at the time of the call.
    const entry = this.server.entries.get(key);
    await this.#ask(`get ${key}`);
    return entry;
  }

  async getMany(keys: readonly string[]): Promise<(Entry | undefined)[]> {
    const entries = keys.map((key) => this.server.entries.get(key));
    await this.#ask(`getMany ${keys.join(',')}`);
    return entries;
  }

  async set(key: string, entry: Entry): Promise<void> {
    await this.#ask(`set ${key}`);
    this.server.entries.set(key, entry);
  }

  async setMany(entries: readonly LayerWrite[]): Promise<void> {
    await this.#ask(`setMany ${entries.map(([key]) => key).join(',')}`);
    for (const [key, entry] of entries) this.server.entries.set(key, entry);
  }

  async delete(key: string): Promise<boolean> {
    await this.#ask(`delete ${key}`);
    return this.server.entries.delete(key);
  }

  async deleteMany(keys: readonly string[]): Promise<number> {
    await this.#ask(`deleteMany ${keys.join(',')}`);
    return keys.filter((key) => this.server.entries.delete(key)).length;
  }

  async deleteByPattern(glob: string): Promise<number> {
    await this.#ask(`deleteByPattern ${glob}`);
    return [...this.server.entries.keys()].filter(globMatcher(glob)).filter((key) => this.server.entries.delete(key))
      .length;
  }

  async invalidateTags(tags: readonly string[]): Promise<void> {
    await this.#ask(`invalidateTags ${tags.join(',')}`);
    for (const [key, entry] of this.server.entries) {
      if (entry.tags.some((tag) => tags.includes(tag))) this.server.entries.delete(key);
    }
  }

  async *keys(glob: string): AsyncGenerator<readonly string[]> {
    yield [...this.server.entries.keys()].filter(globMatcher(glob));
  }

  async clear(): Promise<void> {
    await this.#ask('clear');
    this.server.entries.clear();
  }

  async connect(): Promise<void> {
    if (this.unreachable) throw new Error('connection refused');
  }

  async disconnect(): Promise<void> {
    await this.#ask('disconnect');
    this.closed = true;
  }

  status(): LayerStatus {
    const circuitState = CircuitState.closed;
    return { entries: null, bytes: null, connected: !this.closed, circuitState, queueDepth: 0, writesDropped: 0 };
  }

  /** Returns the calls since the last time and removes them. */
  take(): string[] {
    return this.calls.splice(0);
  }

  async #ask(call: string): Promise<void> {
    this.calls.push(call);
    await this.#gates.get(call.split(' ')[0]!)?.passed;
    if (this.failing !== undefined) throw this.failing;
  }
}
