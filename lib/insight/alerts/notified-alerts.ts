import { TIMED_OUT, within } from '../../cache/base/bounded-wait.js';
import type { Clock } from '../../cache/base/clock.js';
import type { SharedMap } from '../../cache/layers/layer.js';
import type { Alert } from './alert.js';

/** How long a note is kept without renewal, milliseconds. An instance that has ended no longer renews its notes. */
const KEPT_MS = 24 * 60 * 60_000;
/** How often the note of an alert that is still open is renewed, milliseconds. */
const RENEWED_MS = 60 * 60_000;
/** Deadline of a request, milliseconds. */
const ANSWER_MS = 1_000;
/** The maximum number of closings that wait until an instance may send them. */
const MOST_WAITING = 200;
/** The maximum length of a note that is read, bytes. */
const MOST_BYTES = 128;
const NOTE = /^([0-9a-f-]{36}) (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)$/;

/** The parts of the opening that the closing repeats. */
type Note = Pick<Alert, 'id' | 'openedAt'>;

/**
 * Notes in the shared layer which alerts this fleet has notified of; the name of a note is that of the alert's lease. If an instance ends
 * before its alert closes, another one finds the note when its own alert closes, and sends `closed` for it. While the layer is away,
 * notes are delayed, but no alert is.
 */
export class NotifiedAlerts {
  readonly #map: () => SharedMap | undefined;
  readonly #clock: Clock;
  /** Alerts that this instance has notified of, by name, with the time of their last note; -Infinity if it failed. */
  readonly #open = new Map<string, { readonly note: Note; notedAt: number }>();
  /** Names whose note could not be removed yet. */
  readonly #leftover = new Set<string>();
  /** Closings of alerts that another instance notified of, by name. */
  readonly #waiting = new Map<string, { readonly alert: Alert; readonly since: number }>();

  constructor(map: () => SharedMap | undefined, clock: Clock) {
    this.#map = map;
    this.#clock = clock;
  }

  /** Call it when this instance notifies of an opening. */
  async opened(name: string, { id, openedAt }: Alert): Promise<void> {
    this.#leftover.delete(name);
    const open = { note: { id, openedAt }, notedAt: -Infinity };
    this.#open.set(name, open);
    await this.#note(name, open);
  }

  /** Call it when this instance notifies of a closing. */
  async closed(name: string): Promise<void> {
    this.#open.delete(name);
    this.#leftover.add(name);
    await this.#remove(name);
  }

  /** Call it when an alert opens again: its closing no longer waits. */
  reopened(name: string): void {
    this.#waiting.delete(name);
  }

  /** Call it when an alert closes that another instance notified of. */
  left(name: string, alert: Alert): void {
    if (this.#map() === undefined) return;
    this.#waiting.set(name, { alert, since: this.#clock.now() });
    if (this.#waiting.size > MOST_WAITING) this.#waiting.delete(this.#waiting.keys().next().value!);
  }

  /**
   * Repeats failed requests, and closes alerts whose instance has ended. Call it once a minute.
   * @param claim takes the right to notify; false while another instance holds it: then that instance sends `closed`.
   * @returns the alerts whose closing must be sent, with the id and time of their opening.
   */
  async settle(claim: (name: string) => Promise<boolean>): Promise<readonly Alert[]> {
    const now = this.#clock.now();
    const over: Alert[] = [];
    // If the layer does not answer, stop here and try again a minute later.
    for (const name of this.#leftover) if (!(await this.#remove(name))) return over;
    for (const [name, open] of this.#open) {
      if (now - open.notedAt >= RENEWED_MS && !(await this.#note(name, open))) return over;
    }
    for (const [name, { alert, since }] of this.#waiting) {
      const found = await this.#read(name);
      if (found === TIMED_OUT) return over;
      if (found === undefined || now - since > KEPT_MS) this.#waiting.delete(name);
      else if (await claim(name)) {
        this.#waiting.delete(name);
        // Another instance may have closed it before the claim.
        const note = await this.#read(name);
        if (note === undefined || note === TIMED_OUT) continue;
        await this.closed(name);
        over.push({ ...alert, ...note });
      }
    }
    return over;
  }

  /** @returns false if the layer did not answer. */
  async #note(name: string, open: { readonly note: Note; notedAt: number }): Promise<boolean> {
    const { id, openedAt } = open.note;
    const done = await this.#asked((map) => map.publish(name, Buffer.from(`${id} ${openedAt}`), KEPT_MS));
    if (done === TIMED_OUT) return false;
    open.notedAt = this.#clock.now();
    return true;
  }

  /** @returns false if the layer did not answer. */
  async #remove(name: string): Promise<boolean> {
    if ((await this.#asked((map) => map.withdraw(name))) === TIMED_OUT) return false;
    this.#leftover.delete(name);
    return true;
  }

  /** Returns the note of a name; undefined if there is none or the bytes are invalid. */
  async #read(name: string): Promise<Note | undefined | typeof TIMED_OUT> {
    const bytes = await this.#asked((map) => map.read(name));
    if (bytes === TIMED_OUT) return TIMED_OUT;
    if (bytes === undefined || bytes.length > MOST_BYTES) return undefined;
    const [, id, openedAt] = NOTE.exec(Buffer.from(bytes).toString('latin1')) ?? [];
    return id === undefined || !Number.isFinite(Date.parse(openedAt!)) ? undefined : { id, openedAt: openedAt! };
  }

  /** Limits the time of a request. An error counts as a timeout. */
  async #asked<T>(ask: (map: SharedMap) => Promise<T>): Promise<T | undefined | typeof TIMED_OUT> {
    const map = this.#map();
    if (map === undefined) return undefined;
    return within(ask(map), ANSWER_MS, this.#clock).catch((): typeof TIMED_OUT => TIMED_OUT);
  }
}
