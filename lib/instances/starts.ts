import { TIMED_OUT, within } from '../cache/base/bounded-wait.js';
import type { Clock } from '../cache/base/clock.js';
import type { SharedMap } from '../cache/layers/layer.js';
import { type ProcessFacts, readFacts } from './process-facts.js';

/** A start of an instance, in this run or an earlier one; charts mark it on the time axis. */
export interface Start {
  /** ISO 8601. */
  readonly at: string;
  readonly version: string | null;
  readonly libraryVersion: string;
  readonly host: string;
  /** True for the start of the instance that answers the request. */
  readonly own: boolean;
}

/** Stores starts. Every method may reject. */
export interface StartStore {
  addStart(start: ProcessFacts): Promise<void>;
  readStarts(): Promise<readonly ProcessFacts[]>;
}

/** How long starts are stored: the longest window of charts, milliseconds. */
const KEEP_MS = 86_400_000;
/** The maximum number of starts in the list; the latest are listed. */
const MOST = 100;
const WITHIN_MS = 1_500;
/** The pause before storing a start is tried again, milliseconds. */
const AGAIN_MS = 30_000;

/** Stores the starts of the last day over restarts, and lists them. Never rejects, and does not keep the process running. */
export class Starts {
  #cancel: (() => void) | undefined;
  #stopped = false;

  /** @param store undefined if nothing is kept over a restart: then only this start is listed. */
  constructor(
    private readonly own: ProcessFacts,
    private readonly store: StartStore | undefined,
    private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    this.#add();
  }

  onApplicationShutdown(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  /** Lists the starts of the last day, oldest first. */
  async list(): Promise<readonly Start[]> {
    const { own, store, clock } = this;
    const read = store === undefined ? [] : await within(store.readStarts(), WITHIN_MS, clock).catch(() => TIMED_OUT);
    const others = Array.isArray(read) ? (read as ProcessFacts[]).filter(({ id }) => id !== own.id) : [];
    return recent([...others, own], clock.now()).map(({ id, startedAt, version, libraryVersion, host }) => ({
      at: new Date(startedAt).toISOString(),
      version,
      libraryVersion,
      host,
      own: id === own.id,
    }));
  }

  #add(): void {
    const added = this.store?.addStart(this.own);
    added?.catch(() => {
      if (!this.#stopped) this.#cancel = this.clock.after(AGAIN_MS, () => this.#add());
    });
  }
}

/** Stores starts in a shared layer, each as a note that expires. */
export class SharedStarts implements StartStore {
  constructor(
    private readonly sharedMap: SharedMap,
    private readonly clock: Clock,
  ) {}

  addStart(start: ProcessFacts): Promise<void> {
    // One note per minute, host and version: an application that fails and restarts in a loop must not write more.
    const slot = `${start.host}:${start.version ?? ''}:${Math.floor(start.startedAt / 60_000)}`;
    return this.sharedMap.publish(slot, Buffer.from(JSON.stringify(start)), KEEP_MS);
  }

  async readStarts(): Promise<readonly ProcessFacts[]> {
    const notes = await this.sharedMap.readAll();
    return [...notes.values()].flatMap((bytes) => readFacts(bytes, this.clock.now()) ?? []);
  }
}

/** Returns the starts of the last day, oldest first. */
export function recent(starts: readonly ProcessFacts[], now: number): ProcessFacts[] {
  return starts
    .filter(({ startedAt }) => startedAt >= now - KEEP_MS)
    .toSorted((one, other) => one.startedAt - other.startedAt)
    .slice(-MOST);
}
