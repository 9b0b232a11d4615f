import { checkKey } from '../../cache/base/keys.js';
import { DumpFault, DumpReader, DumpWriter } from '../../metrics/dumps/dump-bytes.js';
import { SpaceSaving } from '../../metrics/space-saving.js';

/*
 * Predicts which keys are requested in a quarter of an hour.
 *
 * Each key has two bit sets. For every quarter of the day, bits show whether the key was requested on the last four days; for
 * every quarter of the week, whether it was in the last two weeks. Each bit is a day or week that was observed; while the process
 * does not run, no bits are added. A key is predicted by the share of its bits that are set. Bits of the same weekday count
 * five times, so that Saturdays are distinguished from Fridays after one week.
 *
 * Space: 216 bytes per key plus its text, at most 4,096 keys. If there are more, the keys that are requested in the fewest
 * quarters of a week are dropped.
 */

/** A quarter of an hour. */
export const QUARTER_MS = 900_000;
const DAY = 96;
const WEEK = 7 * DAY;
const DAYS = 4;
const WEEKS = 2;
const DAY_BYTES = DAY / 2;
const WEEK_BYTES = WEEK / 4;
/** The maximum number of followed keys. */
export const MOST_KEYS = 4_096;
const FIRST_KEYS = 256;
/** Weight of the same quarter of the week, relative to the same quarter of another day. */
const SAME_DAY = 5;
/** A key is predicted from this share of set bits on. */
const LIKELY = 0.5;
/** Weight of the newest quarter in the mean share of quarters with requests: the mean covers about a week. */
const NEWEST = 1 / WEEK;
const MARK = 0x4143_4b31;
const MAX_KEY_BYTES = 1_024;
const ASKS_SCALE = 1_000;

export class AskedKeys {
  readonly #rows = new Map<string, number>();
  readonly #keys: string[] = [];
  #days = new Uint8Array(FIRST_KEYS * DAY_BYTES);
  #weeks = new Uint8Array(FIRST_KEYS * WEEK_BYTES);
  /** For each key the mean number of quarters per week in which it is requested. */
  #asks = new Float32Array(FIRST_KEYS);
  #askedNow = new Uint8Array(FIRST_KEYS);
  /** The number of days and weeks that were observed, by quarter. */
  readonly #seenDays = new Uint8Array(DAY);
  readonly #seenWeeks = new Uint8Array(WEEK);
  /** The last prediction; it is valid until the quarter ends. */
  #likely: { readonly quarter: number; readonly keys: readonly string[] } | undefined;
  /** Keys that are not followed yet and were requested in this quarter. */
  #others = new SpaceSaving(MOST_KEYS);

  get keys(): readonly string[] {
    return this.#keys;
  }

  has(key: string): boolean {
    return this.#rows.has(key);
  }

  /** Records that a key was requested in this quarter. */
  asked(key: string): void {
    const row = this.#rows.get(key);
    if (row !== undefined) this.#askedNow[row] = 1;
    else if (key.length <= MAX_KEY_BYTES / 3) this.#others.add(key);
  }

  /** True if a key was requested in this quarter. */
  isAsked(key: string): boolean {
    const row = this.#rows.get(key);
    return row !== undefined && this.#askedNow[row] === 1;
  }

  /** Ends a quarter. @param observed false if the process ran for too little of it: then nothing is learned. */
  end(quarter: number, observed: boolean): void {
    this.#likely = undefined;
    if (observed) {
      const day = quarter % DAY;
      const week = quarter % WEEK;
      this.#seenDays[day] = Math.min(DAYS, this.#seenDays[day]! + 1);
      this.#seenWeeks[week] = Math.min(WEEKS, this.#seenWeeks[week]! + 1);
      for (let row = 0; row < this.#keys.length; row++) this.#shift(row, day, week, this.#askedNow[row]!);
      this.#admit(day, week);
    }
    this.#askedNow.fill(0);
    this.#others = new SpaceSaving(MOST_KEYS);
  }

  /** Returns the keys that will probably be requested in a quarter, the most probable first. */
  likely(quarter: number): readonly string[] {
    if (this.#likely?.quarter !== quarter) this.#likely = { quarter, keys: this.#found(quarter) };
    return this.#likely.keys;
  }

  #found(quarter: number): string[] {
    const day = quarter % DAY;
    const week = quarter % WEEK;
    const weeks = this.#seenWeeks[week]!;
    const days = this.#seenDays[day]!;
    if (weeks === 0 && days < 2) return [];
    const all = SAME_DAY * weeks + days;
    const found: { readonly key: string; readonly likelihood: number; readonly asks: number }[] = [];
    for (const [row, key] of this.#keys.entries()) {
      const asked = SAME_DAY * BITS[this.#weekBits(row, week)]! + BITS[this.#dayBits(row, day)]!;
      if (asked >= all * LIKELY) found.push({ key, likelihood: asked / all, asks: this.#asks[row]! });
    }
    return found.sort((one, other) => other.likelihood - one.likelihood || other.asks - one.asks).map(({ key }) => key);
  }

  /** Encodes the state for {@link restore}. */
  bytes(): Uint8Array {
    const dump = new DumpWriter();
    dump.number(MARK);
    dump.bytes(this.#seenDays);
    dump.bytes(this.#seenWeeks);
    dump.number(this.#keys.length);
    for (const [row, key] of this.#keys.entries()) {
      dump.text(key);
      dump.number(this.#asks[row]! * ASKS_SCALE);
      dump.bytes(this.#days.subarray(row * DAY_BYTES, (row + 1) * DAY_BYTES));
      dump.bytes(this.#weeks.subarray(row * WEEK_BYTES, (row + 1) * WEEK_BYTES));
    }
    return dump.take();
  }

  /**
   * Restores the state from {@link bytes}. The bytes are untrusted.
   * @throws DumpFault for invalid bytes; nothing is changed then.
   */
  restore(bytes: Uint8Array): void {
    const copy = Uint8Array.from(bytes);
    const dump = new DumpReader(copy, 0, copy.length);
    if (dump.number() !== MARK) throw new DumpFault('The data is not a dump of requested keys.');
    const seenDays = counts(dump.bytes(), DAY, DAYS);
    const seenWeeks = counts(dump.bytes(), WEEK, WEEKS);
    const rows = Array.from({ length: dump.count(MOST_KEYS) }, () => {
      const key = dump.text();
      checkKey(key);
      const asks = dump.count(WEEK * ASKS_SCALE) / ASKS_SCALE;
      return { key, asks, days: exactly(dump.bytes(), DAY_BYTES), weeks: exactly(dump.bytes(), WEEK_BYTES) };
    });
    if (!dump.done) throw new DumpFault('The dump has bytes after its end.');
    this.#likely = undefined;
    this.#rows.clear();
    this.#keys.length = 0;
    this.#seenDays.set(seenDays);
    this.#seenWeeks.set(seenWeeks);
    for (const { key, asks, days, weeks } of rows) {
      if (this.#rows.has(key)) continue;
      const row = this.#add(key);
      this.#asks[row] = asks;
      this.#days.set(days, row * DAY_BYTES);
      this.#weeks.set(weeks, row * WEEK_BYTES);
    }
  }

  /** Follows keys that were requested, in place of the keys with the fewest requests. */
  #admit(day: number, week: number): void {
    const found = this.#others.top(MOST_KEYS);
    const rare =
      this.#keys.length + found.length <= MOST_KEYS
        ? []
        : [...this.#keys.keys()].filter((row) => this.#asks[row]! < 1).sort((a, b) => this.#asks[a]! - this.#asks[b]!);
    for (const key of found) {
      const row = this.#keys.length < MOST_KEYS ? this.#add(key) : this.#replace(rare.shift(), key);
      if (row === undefined) return;
      this.#asks[row] = 1;
      this.#shift(row, day, week, 1);
    }
  }

  #add(key: string): number {
    const row = this.#keys.push(key) - 1;
    this.#rows.set(key, row);
    if (row >= this.#asks.length) this.#grow();
    return row;
  }

  #replace(row: number | undefined, key: string): number | undefined {
    if (row === undefined) return undefined;
    this.#rows.delete(this.#keys[row]!);
    this.#rows.set(key, row);
    this.#keys[row] = key;
    this.#days.fill(0, row * DAY_BYTES, (row + 1) * DAY_BYTES);
    this.#weeks.fill(0, row * WEEK_BYTES, (row + 1) * WEEK_BYTES);
    return row;
  }

  #shift(row: number, day: number, week: number, asked: number): void {
    this.#asks[row]! += asked - NEWEST * this.#asks[row]!;
    const days = ((this.#dayBits(row, day) << 1) | asked) & 0b1111;
    const atDay = row * DAY_BYTES + (day >> 1);
    const dayShift = (day & 1) * 4;
    this.#days[atDay] = (this.#days[atDay]! & ~(0b1111 << dayShift)) | (days << dayShift);
    const weeks = ((this.#weekBits(row, week) << 1) | asked) & 0b11;
    const atWeek = row * WEEK_BYTES + (week >> 2);
    const weekShift = (week & 3) * 2;
    this.#weeks[atWeek] = (this.#weeks[atWeek]! & ~(0b11 << weekShift)) | (weeks << weekShift);
  }

  #dayBits(row: number, day: number): number {
    return (this.#days[row * DAY_BYTES + (day >> 1)]! >> ((day & 1) * 4)) & 0b1111;
  }

  #weekBits(row: number, week: number): number {
    return (this.#weeks[row * WEEK_BYTES + (week >> 2)]! >> ((week & 3) * 2)) & 0b11;
  }

  #grow(): void {
    const length = Math.min(MOST_KEYS, this.#asks.length * 2);
    this.#days = longer(this.#days, new Uint8Array(length * DAY_BYTES));
    this.#weeks = longer(this.#weeks, new Uint8Array(length * WEEK_BYTES));
    this.#asks = longer(this.#asks, new Float32Array(length));
    this.#askedNow = longer(this.#askedNow, new Uint8Array(length));
  }
}

/** The number of set bits of a 4-bit number. */
const BITS = Array.from({ length: 16 }, (_, bits) => [1, 2, 4, 8].filter((bit) => (bits & bit) !== 0).length);

function longer<A extends { set(from: A): void }>(from: A, to: A): A {
  to.set(from);
  return to;
}

function exactly(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length !== length) throw new DumpFault(`It holds ${bytes.length} bytes instead of ${length}.`);
  return bytes;
}

function counts(bytes: Uint8Array, length: number, most: number): Uint8Array {
  return exactly(bytes, length).map((count) => Math.min(most, count));
}
