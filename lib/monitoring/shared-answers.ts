import type { IncomingHttpHeaders } from 'node:http';

/** An answer before it is sent. */
export interface MadeAnswer {
  readonly text: string;
  /** The number of instances that it covers; undefined if it covers only this instance. */
  readonly instances?: number | undefined;
}

/** An answer as it is sent. */
export interface SharedAnswer extends MadeAnswer {
  /** When its computation began, milliseconds of `performance.now()`. */
  readonly at: number;
}

interface Kept {
  readonly at: number;
  readonly answer: Promise<SharedAnswer>;
  length: number;
}

/** The highest age of any answer, milliseconds. */
export const MAX_AGE_MS = 30_000;
/** The highest `max-age` of a request that takes effect, milliseconds. */
const MAX_ASKED_MS = 10_000;
/** The most addresses whose last answer is kept, and the most characters of all kept answers together. */
const MAX_ADDRESSES = 64;
const MAX_LENGTH = 8_000_000;
const MAX_ADDRESS_LENGTH = 1_024;

/**
 * Sends the same answer to all requests for one address that accept an age of a few seconds with `Cache-Control: max-age=3`
 * (RFC 9111, section 5.2.1.1). A hundred open dashboards then cost as much as one. Requests without it get a new answer.
 */
export class SharedAnswers {
  /** Oldest first. */
  readonly #kept = new Map<string, Kept>();
  #length = 0;
  #clearings = 0;

  /** Changes when all answers are dropped: anything derived from earlier answers is then outdated. */
  get clearings(): number {
    return this.#clearings;
  }

  /** @param address route and query. @param maxAgeMs the highest age; 0 for a new answer. @param make creates a new answer. */
  async answer(address: string, maxAgeMs: number, make: () => Promise<MadeAnswer>): Promise<SharedAnswer> {
    const now = performance.now();
    if (maxAgeMs <= 0 || address.length > MAX_ADDRESS_LENGTH) return { ...(await make()), at: now };
    const known = this.#kept.get(address);
    if (known !== undefined && now - known.at <= Math.min(MAX_AGE_MS, maxAgeMs)) return known.answer;
    const answer = make().then((made) => ({ ...made, at: now }));
    const kept = { at: now, answer, length: 0 };
    this.#forget(address, known);
    this.#kept.set(address, kept);
    this.#makeRoom(now);
    kept.answer.then(
      ({ text }) => {
        if (this.#kept.get(address) !== kept) return;
        kept.length = text.length;
        this.#length += text.length;
        this.#makeRoom(now);
      },
      () => this.#forget(address, kept),
    );
    return kept.answer;
  }

  /** Drops all answers: later requests get new ones. */
  clear(): void {
    this.#kept.clear();
    this.#length = 0;
    this.#clearings++;
  }

  #makeRoom(now: number): void {
    for (const [address, kept] of this.#kept) {
      if (now - kept.at <= MAX_AGE_MS && this.#kept.size <= MAX_ADDRESSES && this.#length <= MAX_LENGTH) break;
      this.#forget(address, kept);
    }
  }

  #forget(address: string, kept: Kept | undefined): void {
    if (kept === undefined || this.#kept.get(address) !== kept) return;
    this.#kept.delete(address);
    this.#length -= kept.length;
  }
}

/** Returns the `max-age` of a request's `Cache-Control`, milliseconds; undefined without it. */
export function maxAgeOf({ 'cache-control': directives = '' }: IncomingHttpHeaders): number | undefined {
  const seconds = /(?:^|,)\s*max-age=(\d{1,9})\s*(?:,|$)/i.exec(directives)?.[1];
  return seconds === undefined ? undefined : Math.min(MAX_ASKED_MS, Number(seconds) * 1_000);
}
