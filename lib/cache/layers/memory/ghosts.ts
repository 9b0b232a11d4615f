/** Places per set. A new key replaces the oldest. */
const WAYS = 4;
const LEAST_SLOTS = 64;
/** The numbers in one place: a fingerprint and a note. */
const PLACE = 2;
const NOTE = 1;
/** The low bits of a note hold the stored number, the other bits the time when it was written. A note of 0 is an empty place. */
const NOTE_BITS = 5;
const NOTE_MASK = (1 << NOTE_BITS) - 1;
const TIME_MASK = (1 << 27) - 1;

/**
 * Stores a number from 1 to 31 for each evicted key. Keys are identified by 32-bit fingerprints, in sets of four places; keys with the same
 * fingerprint are not distinguished. A place takes 8 bytes, and there are at most twice as many places as entries. Only the table is
 * allocated.
 */
export class Ghosts {
  #table = new Table(LEAST_SLOTS);
  /** The table before the last growth. It is searched until its contents are too old. */
  #former: Table | undefined;
  /** The number of evicted keys, modulo 2²⁷. */
  #time = 0;
  /** A key is forgotten after this many later evictions. */
  #lifetime = 0;

  /** The bytes of the tables. */
  get bytes(): number {
    return this.#table.bytes + (this.#former?.bytes ?? 0);
  }

  /** @param entries the number of stored entries. The same number of evicted keys is remembered. */
  put(print: number, note: number, entries: number): void {
    this.#lifetime = entries;
    if (entries > this.#table.slots) this.#grow(entries);
    this.#time = (this.#time + 1) & TIME_MASK;
    this.#table.put(print, (this.#time << NOTE_BITS) | note, this.#time);
  }

  /** Returns and forgets the number of a key; 0 if none is stored. */
  take(print: number): number {
    const note = this.#table.take(print) || (this.#former?.take(print) ?? 0);
    return note !== 0 && age(note, this.#time) <= this.#lifetime ? note & NOTE_MASK : 0;
  }

  /** Copies nothing, because to copy a million places would delay a caller. */
  #grow(entries: number): void {
    this.#former = this.#table;
    let slots = this.#table.slots;
    while (slots < entries) slots *= 2;
    this.#table = new Table(slots);
  }
}

function age(note: number, time: number): number {
  return (time - (note >>> NOTE_BITS)) & TIME_MASK;
}

/** A table with fingerprints and notes side by side, so that a set of four places is half a cache line. */
class Table {
  readonly #places: Int32Array;

  /** @param slots a power of two. */
  constructor(readonly slots: number) {
    this.#places = new Int32Array(slots * PLACE);
  }

  get bytes(): number {
    return this.#places.byteLength;
  }

  put(print: number, note: number, time: number): void {
    const places = this.#places;
    const set = this.#setOf(print);
    let place = set;
    let oldest = -1;
    for (let at = set; at < set + WAYS * PLACE; at += PLACE) {
      const other = places[at + NOTE]!;
      if (other === 0 || places[at] === print) {
        place = at;
        break;
      }
      const aged = age(other, time);
      if (aged <= oldest) continue;
      oldest = aged;
      place = at;
    }
    places[place] = print;
    places[place + NOTE] = note;
  }

  take(print: number): number {
    const places = this.#places;
    const set = this.#setOf(print);
    for (let at = set; at < set + WAYS * PLACE; at += PLACE) {
      const note = places[at + NOTE]!;
      if (note === 0 || places[at] !== print) continue;
      places[at + NOTE] = 0;
      return note;
    }
    return 0;
  }

  #setOf(print: number): number {
    return (print & (this.slots / WAYS - 1)) * WAYS * PLACE;
  }
}
