import { CircuitState } from '../base/observer.js';
import type { Entry } from '../entries/entry.js';
import type { Coordination, Layer, LayerStatus, LayerWrite, ServerInfo, SharedMap } from './layer.js';
import type { LoadTicket } from './load-ticket.js';

/** The facts about a layer that are known before its code is loaded. */
export interface LateLayerFacts {
  readonly name: string;
  readonly encodes?: boolean;
  readonly spread?: boolean;
  /** True if the layer has coordination and shared maps. */
  readonly coordinates?: boolean;
  /** True if the layer's server reports figures. */
  readonly serverInfo: boolean;
  server(): unknown;
}

/**
 * A shared layer whose code is loaded at its first use, so that it takes no memory in an application that does not use it. Calls that wait
 * for the code keep their order.
 */
export class LateLayer implements Layer {
  readonly shared = true;
  readonly name: string;
  readonly encodes: boolean | undefined;
  readonly spread: boolean | undefined;
  readonly coordination?: Coordination;
  readonly serverInfo?: () => Promise<ServerInfo | null>;
  readonly sharedMap?: (name: string, everyVersion?: boolean) => SharedMap;
  #layer: Layer | undefined;
  #loading: Promise<Layer> | undefined;

  constructor(
    private readonly facts: LateLayerFacts,
    private readonly load: () => Promise<Layer>,
  ) {
    this.name = facts.name;
    this.encodes = facts.encodes;
    this.spread = facts.spread;
    if (facts.serverInfo) this.serverInfo = () => this.#loaded((layer) => layer.serverInfo!());
    if (facts.coordinates !== true) return;
    this.coordination = {
      acquire: (name, leaseMs) => this.#loaded((layer) => layer.coordination!.acquire(name, leaseMs)),
      publish: (message) => this.#loaded((layer) => layer.coordination!.publish(message)),
      subscribe: (listener) => this.#loaded((layer) => layer.coordination!.subscribe(listener)),
    };
    this.sharedMap = (name, everyVersion) => {
      const map = (layer: Layer) => layer.sharedMap!(name, everyVersion);
      return {
        publish: (slot, bytes, keepMs) => this.#loaded((layer) => map(layer).publish(slot, bytes, keepMs)),
        read: (slot) => this.#loaded((layer) => map(layer).read(slot)),
        readAll: () => this.#loaded((layer) => map(layer).readAll()),
        withdraw: (slot) => this.#loaded((layer) => map(layer).withdraw(slot)),
      };
    };
  }

  get server(): unknown {
    return this.#layer === undefined ? this.facts.server() : this.#layer.server;
  }

  get announces(): boolean {
    return this.#layer?.announces === true;
  }

  get(key: string, ticket?: LoadTicket): Entry | undefined | Promise<Entry | undefined> {
    return this.#layer === undefined ? this.#loaded((layer) => layer.get(key, ticket)) : this.#layer.get(key, ticket);
  }

  getMany(
    keys: readonly string[],
    tickets?: readonly LoadTicket[],
    unanswered?: Set<string>,
    calls?: number,
  ): (Entry | undefined)[] | Promise<(Entry | undefined)[]> {
    return this.#loaded((layer) => layer.getMany(keys, tickets, unanswered, calls));
  }

  set(key: string, entry: Entry, ticket?: LoadTicket): void | Promise<void> {
    return this.#layer === undefined
      ? this.#loaded((layer) => layer.set(key, entry, ticket))
      : this.#layer.set(key, entry, ticket);
  }

  setMany(entries: readonly LayerWrite[], calls?: number): void | Promise<void> {
    return this.#loaded((layer) => layer.setMany(entries, calls));
  }

  delete(key: string): boolean | Promise<boolean> {
    return this.#loaded((layer) => layer.delete(key));
  }

  deleteMany(keys: readonly string[]): number | Promise<number> {
    return this.#loaded((layer) => layer.deleteMany(keys));
  }

  deleteByPattern(glob: string, madeUntil?: number): number | Promise<number> {
    return this.#loaded((layer) => layer.deleteByPattern(glob, madeUntil));
  }

  clear(madeUntil?: number): void | Promise<void> {
    return this.#loaded((layer) => layer.clear(madeUntil));
  }

  invalidateTags(tags: readonly string[]): void | Promise<void> {
    return this.#loaded((layer) => layer.invalidateTags(tags));
  }

  async *keys(glob: string): AsyncGenerator<readonly string[]> {
    yield* await this.#loaded((layer) => layer.keys(glob));
  }

  connect(): Promise<void> {
    return this.#loaded(async (layer) => layer.connect?.());
  }

  disconnect(): void | Promise<void> {
    return this.#loaded((layer) => layer.disconnect());
  }

  status(): LayerStatus {
    return (
      this.#layer?.status() ?? {
        entries: null,
        bytes: null,
        connected: false,
        circuitState: CircuitState.closed,
        queueDepth: 0,
        writesDropped: 0,
      }
    );
  }

  /** Calls the layer, after its code is loaded. If the code could not be loaded, the next call tries again. */
  #loaded<T>(call: (layer: Layer) => T | Promise<T>): Promise<T> {
    if (this.#layer !== undefined) return call(this.#layer) as Promise<T>;
    if (this.#loading === undefined) {
      this.#loading = this.load();
      // Register this reaction first, so that calls from here on run after those that wait.
      this.#loading.then(
        (layer) => (this.#layer = layer),
        () => (this.#loading = undefined),
      );
    }
    return this.#loading.then(call);
  }
}
