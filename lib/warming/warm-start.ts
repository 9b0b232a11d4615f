import { TIMED_OUT, within } from '../cache/base/bounded-wait.js';
import { parseBoundedJson } from '../cache/base/bounded-json.js';
import type { CacheLog } from '../cache/base/cache-log.js';
import type { Clock } from '../cache/base/clock.js';
import { checkKey } from '../cache/base/keys.js';
import { redactedMessage } from '../cache/base/redacted-error.js';
import { isReported } from '../cache/base/reported-errors.js';
import type { Layer, SharedMap } from '../cache/layers/layer.js';

/*
 * After a restart, memory is empty, and the first minute is slow: every instance reads each hot key from Redis, often at the busiest
 * time. So instances store lists of their most requested keys. An instance that starts reads the entries of these keys into
 * memory before it is ready. It already receives invalidations then, and reads like any other caller: an entry that is invalidated
 * during the read is not stored.
 *
 * Instances behind one load balancer get the same traffic, so a few lists are enough for any number of instances. Each instance
 * writes to one of four slots and replaces the list there.
 */

/** The part of a cache that a warm start needs; `ObservedCache` implements it. */
export interface WarmStartTarget {
  readonly layers: readonly Layer[];
  /** Returns the keys that are fresh in any layer, and loads their entries into memory. */
  freshKeys(keys: readonly string[]): Promise<ReadonlySet<string>>;
}

export interface WarmStartOptions {
  readonly cache: WarmStartTarget;
  /** The maximum number of keys in a list. */
  readonly maxKeys: number;
  readonly clock: Clock;
  readonly log: CacheLog;
  /** Returns a number from 0 to 1. @default Math.random */
  readonly random?: () => number;
}

const SLOTS = ['0', '1', '2', '3'] as const;
/** The maximum size of a list, bytes. */
const MAX_NOTE_BYTES = 1024 * 1024;
const KEEP_MS = 86_400_000;
const FIRST_WRITE_MS = 15_000;
const WRITE_EVERY_MS = 60_000;
const LAST_WRITE_WITHIN_MS = 500;
/** The time limit for reading all lists and entries, milliseconds. */
const READ_WITHIN_MS = 500;
const KEYS_AT_ONCE = 250;
/** The maximum share of a memory bound that a warm start fills, so that there is room for the first requests. */
const LARGEST_SHARE = 0.8;

export class WarmStart {
  readonly #options: WarmStartOptions;
  readonly #memory: Layer | undefined;
  readonly #map: SharedMap | undefined;
  readonly #slot: string;
  #cancel: (() => void) | undefined;
  #closed = false;

  constructor(options: WarmStartOptions) {
    this.#options = options;
    const [first, ...others] = options.cache.layers;
    if (first?.hottestKeys !== undefined && !first.shared) {
      this.#memory = first;
      this.#map = others.find((layer) => layer.shared && layer.sharedMap !== undefined)?.sharedMap?.('hot-keys');
    }
    this.#slot = SLOTS[Math.floor((options.random ?? Math.random)() * SLOTS.length)] ?? SLOTS[0];
  }

  /** Reads the entries of the hottest keys into memory, then writes the list of this instance regularly. Never rejects. */
  async start(): Promise<void> {
    const { clock, log } = this.#options;
    if (this.#map === undefined) return;
    const startedAt = clock.now();
    const progress = { keys: 0, stopped: false };
    try {
      await within(this.#read(this.#map, progress), READ_WITHIN_MS, clock);
    } catch (cause) {
      if (!isReported(cause)) {
        const why = redactedMessage(cause);
        log('warn', 'WARM_START_FAILED', `Memory starts empty, because the hottest keys cannot be read. ${why}`);
      }
    }
    progress.stopped = true;
    if (progress.keys > 0) {
      const tookMs = Math.round(clock.now() - startedAt);
      log(
        'log',
        'WARM_STARTED',
        `${progress.keys === 1 ? '1 entry was' : `${progress.keys} entries were`} read from Redis into memory in ${tookMs} ms.`,
      );
    }
    this.#plan(FIRST_WRITE_MS);
  }

  /** Writes the hottest keys a last time. Never rejects. */
  async stop(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancel?.();
    // If it was not started, the memory layer contains no sample of the traffic.
    if (this.#cancel === undefined) return;
    await within(this.#write(), LAST_WRITE_WITHIN_MS, this.#options.clock);
  }

  #plan(afterMs: number): void {
    this.#cancel = this.#options.clock.after(afterMs, () => {
      void this.#write().then(() => {
        if (!this.#closed) this.#plan(WRITE_EVERY_MS);
      });
    });
  }

  /** Writes the list. Never rejects: after a failure, the list before stays. */
  async #write(): Promise<void> {
    const { maxKeys, clock } = this.#options;
    try {
      const keys = await this.#memory!.hottestKeys!(maxKeys);
      if (keys.length > 0) await this.#map!.publish(this.#slot, noteOf(clock.now(), keys), KEEP_MS);
    } catch {
      // The layer itself reports that Redis does not answer.
    }
  }

  async #read(map: SharedMap, progress: { keys: number; stopped: boolean }): Promise<void> {
    const { cache, maxKeys } = this.#options;
    const notes = await Promise.all(SLOTS.map((slot) => map.read(slot)));
    const keys = together(
      notes.flatMap((bytes) => keysIn(bytes) ?? []),
      maxKeys,
    );
    for (let from = 0; from < keys.length && !progress.stopped;) {
      const count = Math.min(KEYS_AT_ONCE, this.#room());
      if (count === 0) return;
      const fresh = await within(cache.freshKeys(keys.slice(from, from + count)), READ_WITHIN_MS, this.#options.clock);
      if (fresh === TIMED_OUT) return;
      progress.keys += fresh.size;
      from += count;
    }
  }

  /** Returns how many more entries of the mean size fit into memory. */
  #room(): number {
    const { entries, bytes, bounds = {} } = this.#memory!.status();
    const left = (used: number | null, bound = Infinity) => bound * LARGEST_SHARE - (used ?? 0);
    const meanBytes = Math.max(1, (bytes ?? 0) / Math.max(1, entries ?? 0));
    return Math.max(0, Math.floor(Math.min(left(entries, bounds.entries), left(bytes, bounds.bytes) / meanBytes)));
  }
}

interface Note {
  readonly at: number;
  readonly keys: readonly string[];
}

/** Encodes a list with as many keys as fit. */
function noteOf(at: number, keys: readonly string[]): Uint8Array {
  let bytes = 64;
  const fitting = keys.findIndex((key) => (bytes += JSON.stringify(key).length * 3 + 1) > MAX_NOTE_BYTES);
  return Buffer.from(JSON.stringify({ at, keys: fitting === -1 ? keys : keys.slice(0, fitting) } satisfies Note));
}

/** Reads a list of keys from untrusted bytes; undefined if they are invalid. */
function keysIn(bytes: Uint8Array | undefined): Note | undefined {
  if (bytes === undefined || bytes.length > MAX_NOTE_BYTES) return undefined;
  try {
    const { at, keys } = parseBoundedJson(Buffer.from(bytes)) as Partial<Record<keyof Note, unknown>>;
    if (typeof at !== 'number' || !Array.isArray(keys)) return undefined;
    return { at, keys: (keys as unknown[]).filter(isKey) };
  } catch {
    return undefined;
  }
}

function isKey(key: unknown): key is string {
  try {
    checkKey(key);
    return true;
  } catch {
    return false;
  }
}

/** Merges all lists: the first key of each, then the second of each, and so on; the latest list first. */
function together(notes: readonly Note[], limit: number): string[] {
  const keys = new Set<string>();
  const latest = notes.toSorted((one, other) => other.at - one.at);
  const longest = Math.max(0, ...latest.map((note) => note.keys.length));
  for (let rank = 0; rank < longest; rank++) {
    for (const note of latest) {
      const key = note.keys[rank];
      if (key !== undefined) keys.add(key);
      if (keys.size >= limit) return [...keys];
    }
  }
  return [...keys];
}
