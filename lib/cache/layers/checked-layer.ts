import type { Entry } from '../entries/entry.js';
import { checkGlob, checkKey, checkKeys, checkTags } from '../base/keys.js';
import type { SharedMap, Coordination, Layer, LayerStatus, LayerWrite, ServerInfo } from './layer.js';
import type { LoadTicket } from './load-ticket.js';

/**
 * A layer that refuses invalid keys, globs and tags. It does so before they are queued, retried or counted as failures of the store,
 * because the store could confuse them with valid ones.
 */
export class CheckedLayer implements Layer {
  readonly name: string;
  readonly shared: boolean;
  readonly encodes?: boolean | undefined;
  readonly spread?: boolean | undefined;
  readonly coordination?: Coordination;
  readonly connect?: () => Promise<void>;
  readonly serverInfo?: () => Promise<ServerInfo | null>;
  readonly sharedMap?: (name: string, everyVersion?: boolean) => SharedMap;
  readonly #inner: Layer;

  constructor(inner: Layer) {
    this.#inner = inner;
    this.name = inner.name;
    this.shared = inner.shared;
    this.encodes = inner.encodes;
    this.spread = inner.spread;
    if (inner.coordination !== undefined) this.coordination = inner.coordination;
    if (inner.connect !== undefined) this.connect = () => inner.connect!();
    if (inner.serverInfo !== undefined) this.serverInfo = () => inner.serverInfo!();
    if (inner.sharedMap !== undefined) this.sharedMap = (name, everyVersion) => inner.sharedMap!(name, everyVersion);
  }

  get server(): unknown {
    return this.#inner.server;
  }

  get announces(): boolean {
    return this.#inner.announces === true;
  }

  get(key: string, ticket?: LoadTicket): Entry | undefined | Promise<Entry | undefined> {
    return refusal(checkKey, key) ?? this.#inner.get(key, ticket);
  }

  getMany(
    keys: readonly string[],
    tickets?: readonly LoadTicket[],
    unanswered?: Set<string>,
    calls?: number,
  ): (Entry | undefined)[] | Promise<(Entry | undefined)[]> {
    return refusal(checkKeys, keys) ?? this.#inner.getMany(keys, tickets, unanswered, calls);
  }

  set(key: string, entry: Entry, ticket?: LoadTicket): void | Promise<void> {
    return refusal(checkKey, key) ?? refusal(checkTags, entry.tags) ?? this.#inner.set(key, entry, ticket);
  }

  setMany(entries: readonly LayerWrite[], calls?: number): void | Promise<void> {
    return refusal(checkWrites, entries) ?? this.#inner.setMany(entries, calls);
  }

  delete(key: string): boolean | Promise<boolean> {
    return refusal(checkKey, key) ?? this.#inner.delete(key);
  }

  deleteMany(keys: readonly string[]): number | Promise<number> {
    return refusal(checkKeys, keys) ?? this.#inner.deleteMany(keys);
  }

  deleteByPattern(glob: string, madeUntil?: number): number | Promise<number> {
    return refusal(checkGlob, glob) ?? this.#inner.deleteByPattern(glob, madeUntil);
  }

  invalidateTags(tags: readonly string[]): void | Promise<void> {
    return refusal(checkTags, tags) ?? this.#inner.invalidateTags(tags);
  }

  async *keys(glob: string): AsyncGenerator<readonly string[]> {
    checkGlob(glob);
    yield* this.#inner.keys(glob);
  }

  clear(madeUntil?: number): void | Promise<void> {
    return this.#inner.clear(madeUntil);
  }

  disconnect(): void | Promise<void> {
    return this.#inner.disconnect();
  }

  status(): LayerStatus {
    return this.#inner.status();
  }
}

function checkWrites(entries: readonly LayerWrite[]): void {
  for (const [key, { tags }] of entries) {
    checkKey(key);
    checkTags(tags);
  }
}

/** Returns a rejection with the error of a check; undefined if the check passes. */
function refusal<T>(check: (subject: T) => void, subject: T): Promise<never> | undefined {
  try {
    check(subject);
    return undefined;
  } catch (error) {
    return Promise.reject(error as Error);
  }
}
