const SMALLEST = 256;
/** Marks a place whose track was removed: a search must continue after it. */
const REMOVED = -1;

/** Finds tracks by the hash of their key: open addressing over one array of integers, at most 8 bytes per track. */
export class TrackTable {
  #tracks = new Int32Array(SMALLEST);
  /** The number of places that are or were used. */
  #taken = 0;
  #size = 0;

  /** @param hashOf returns the hash of a track in the table. */
  constructor(private readonly hashOf: (track: number) => number) {}

  /** Returns the track of a hash; 0 if there is none. */
  find(hash: number): number {
    const mask = this.#tracks.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const track = this.#tracks[at]!;
      if (track === 0) return 0;
      if (track !== REMOVED && this.hashOf(track) === hash) return track;
    }
  }

  /** @param hash must not be in the table. */
  add(hash: number, track: number): void {
    if ((this.#taken + 1) * 4 > this.#tracks.length * 3) this.#rebuild();
    this.#place(hash, track);
    this.#size++;
  }

  /** @param hash of the track; `hashOf` must still know it. */
  remove(hash: number, track: number): void {
    const mask = this.#tracks.length - 1;
    for (let at = hash & mask; this.#tracks[at] !== 0; at = (at + 1) & mask) {
      if (this.#tracks[at] !== track) continue;
      this.#tracks[at] = REMOVED;
      this.#size--;
      return;
    }
  }

  #place(hash: number, track: number): void {
    const mask = this.#tracks.length - 1;
    let at = hash & mask;
    while (this.#tracks[at] !== 0) at = (at + 1) & mask;
    this.#tracks[at] = track;
    this.#taken++;
  }

  #rebuild(): void {
    const old = this.#tracks;
    let length = SMALLEST;
    while (length * 5 < (this.#size + 1) * 8) length *= 2;
    this.#tracks = new Int32Array(length);
    this.#taken = 0;
    for (const track of old) if (track > 0) this.#place(this.hashOf(track), track);
  }
}
