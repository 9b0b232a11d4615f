import type { IncomingHttpHeaders } from 'node:http';
import { Injectable } from '@nestjs/common';

/** An answer as it is sent. */
export interface SharedAnswer {
  readonly text: string;
  /** How many instances it covers; undefined for this one alone. */
  readonly instances?: number | undefined;
}

interface Kept {
  readonly at: number;
  readonly answer: Promise<SharedAnswer>;
}

/** No request takes an older one, whatever it asks for. */
const MAX_AGE_MS = 10_000;
/** Addresses whose last answer is kept. */
const MAX_ADDRESSES = 32;
/** Longer answers are made anew for each request, characters. */
const MAX_LENGTH = 2_000_000;
const MAX_ADDRESS_LENGTH = 1_024;

/**
 * Gives one answer to all who ask the same at the same time and take one that is a few seconds old, as `Cache-Control: max-age=3` in a
 * request says (RFC 9111, section 5.2.1.1). A hundred open dashboards then cost what one does. Requests without it get a new one.
 */
@Injectable()
export class SharedAnswers {
  readonly #kept = new Map<string, Kept>();

  /** @param address of the request, with its query. @param make makes a new answer. */
  async answer(
    address: string,
    headers: IncomingHttpHeaders,
    make: () => Promise<SharedAnswer>,
  ): Promise<SharedAnswer> {
    const maxAgeMs = maxAgeOf(headers);
    if (maxAgeMs === 0 || address.length > MAX_ADDRESS_LENGTH) return make();
    const now = performance.now();
    const known = this.#kept.get(address);
    if (known !== undefined && now - known.at <= maxAgeMs) return known.answer;
    const answer = make();
    this.#keep(address, { at: now, answer }, now);
    return answer;
  }

  #keep(address: string, kept: Kept, now: number): void {
    this.#kept.delete(address);
    for (const [other, { at }] of this.#kept) {
      if (now - at <= MAX_AGE_MS && this.#kept.size < MAX_ADDRESSES) break;
      this.#kept.delete(other);
    }
    this.#kept.set(address, kept);
    const forget = () => {
      if (this.#kept.get(address) === kept) this.#kept.delete(address);
    };
    kept.answer.then(({ text }) => text.length > MAX_LENGTH && forget(), forget);
  }
}

/** 0 where a new answer is wanted. */
function maxAgeOf({ 'cache-control': directives }: IncomingHttpHeaders): number {
  const seconds = /(?:^|,)\s*max-age=(\d{1,9})\s*(?:,|$)/i.exec(directives ?? '')?.[1];
  return Math.min(MAX_AGE_MS, Number(seconds ?? 0) * 1_000);
}
