import type { EncodedAnswer } from '../http/encoded-answer.js';

/**
 * Creates the value of a header that changes with the entry or with time, for each response. It takes the name in lower case.
 */
export type TimedHeaders = (name: string) => string | undefined;

/** Headers that Node writes itself for each response. */
const NODES_OWN = new Set(['date', 'connection', 'keep-alive']);
/** Headers that belong to one caller, or to a transformed body. */
const NEVER_REPLAYED = new Set(['set-cookie', 'transfer-encoding', 'trailer', 'content-encoding']);
/** Headers that depend on the entry alone. */
const OURS = new Set(['etag', 'content-length', 'content-type', 'x-cache']);
/** The limit of a learned head, characters, to bound memory. */
const LONGEST_HEAD = 8_192;
/** The shortest text that is searched for, characters: shorter texts occur by chance. */
const SHORTEST_PART = 6;
const TIMED = new Set(['age', 'cache-status', 'cache-control']);

/** The headers of one kind of response, in the order and spelling that the full path sent. */
export class HeaderList {
  readonly status: number;
  /** The estimated size of this list. */
  readonly bytes: number;
  /** Names and values alternating, as for `writeHead`. */
  readonly #pairs: readonly string[];
  readonly #tagAt: number;
  readonly #lengthAt: number;
  readonly #timedAt: readonly number[];

  private constructor(
    status: number,
    bytes: number,
    pairs: readonly string[],
    tagAt: number,
    lengthAt: number,
    timedAt: number[],
  ) {
    this.status = status;
    this.bytes = bytes;
    this.#pairs = pairs;
    this.#tagAt = tagAt;
    this.#lengthAt = lengthAt;
    this.#timedAt = timedAt;
  }

  /**
   * Reads the head of a sent response; undefined if the lane cannot repeat that response.
   * @param head the status line and headers, as Node wrote them.
   */
  static read(head: string, status: number, answer: EncodedAnswer, timed: TimedHeaders): HeaderList | undefined {
    if (head.length > LONGEST_HEAD) return undefined;
    const pairs: string[] = [];
    const timedAt: number[] = [];
    let tagAt = -1;
    let lengthAt = -1;
    let hit = false;
    for (const line of head.split('\r\n').slice(1)) {
      const colon = line.indexOf(': ');
      if (colon === -1) continue;
      const name = line.slice(0, colon);
      const value = line.slice(colon + 2);
      const lower = name.toLowerCase();
      if (NODES_OWN.has(lower)) continue;
      if (NEVER_REPLAYED.has(lower) || (lower === 'vary' && value.includes('*'))) return undefined;
      if (lower === 'etag') {
        if (value !== answer.tag) return undefined;
        tagAt = pairs.length + 1;
      } else if (lower === 'content-length' && status === 200) {
        if (value !== String(answer.length)) return undefined;
        lengthAt = pairs.length + 1;
      } else if (TIMED.has(lower) && sameButNumbers(value, timed(lower))) timedAt.push(pairs.length);
      if (lower === 'x-cache') hit = value === 'HIT';
      pairs.push(name, value);
    }
    if (!hit || tagAt === -1 || (status === 200 && lengthAt === -1)) return undefined;
    return new HeaderList(status, head.length + 48 * pairs.length, pairs, tagAt, lengthAt, timedAt);
  }

  /** Returns the names of the headers that differ, without headers that depend on the entry or on time. */
  differences(other: HeaderList): string[] {
    if (this.status !== other.status) return ['status'];
    if (this.#pairs.length !== other.#pairs.length) return ['their number'];
    const varying = new Set([this.#tagAt, this.#lengthAt, ...this.#timedAt.map((at) => at + 1)]);
    return this.#pairs.flatMap((text, at) =>
      text === other.#pairs[at] || varying.has(at) ? [] : [this.#pairs[at - (at % 2)]!],
    );
  }

  /** True if no header changes with time. */
  get lasting(): boolean {
    return this.#timedAt.length === 0;
  }

  /** The names of the request headers on which the response depends, from `Vary`. */
  get vary(): string[] {
    return this.#pairs.flatMap((text, at) =>
      at % 2 === 1 && this.#pairs[at - 1]!.toLowerCase() === 'vary' ? text.toLowerCase().split(/\s*,\s*/) : [],
    );
  }

  /** True if a header repeats this text of a request. Such a header must not be sent to other callers. */
  repeats(said: string): boolean {
    return this.#pairs.some(
      (text, at) =>
        at % 2 === 1 &&
        !OURS.has(this.#pairs[at - 1]!.toLowerCase()) &&
        (text === said || (said.length >= SHORTEST_PART && text.includes(said))),
    );
  }

  /** Returns names and values, alternating, for a response sent now. */
  of(answer: EncodedAnswer, timed: TimedHeaders): string[] {
    const pairs = [...this.#pairs];
    pairs[this.#tagAt] = answer.tag;
    if (this.#lengthAt !== -1) pairs[this.#lengthAt] = String(answer.length);
    for (const at of this.#timedAt) pairs[at + 1] = timed(pairs[at]!.toLowerCase()) ?? pairs[at + 1]!;
    return pairs;
  }
}

function sameButNumbers(one: string, other: string | undefined): boolean {
  return other !== undefined && one.replace(/\d+/g, '#') === other.replace(/\d+/g, '#');
}
