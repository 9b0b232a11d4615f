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
  length: number;
}

/** No request takes an older one, whatever it asks for. */
const MAX_AGE_MS = 30_000;
/** What a single route gives at most, as a request asks for it. */
const MAX_ASKED_MS = 10_000;
/** Addresses whose last answer is kept, and their characters together. */
const MAX_ADDRESSES = 64;
const MAX_LENGTH = 8_000_000;
const MAX_ADDRESS_LENGTH = 1_024;

/**
 * Gives one answer to all who ask the same at the same time and take one that is a few seconds old, as `Cache-Control: max-age=3` in a
 * request says (RFC 9111, section 5.2.1.1). A hundred open dashboards then cost what one does. Requests without it get a new one.
 */
@Injectable()
export class SharedAnswers {
  /** Oldest first. */
  readonly #kept = new Map<string, Kept>();
  #length = 0;

  /** @param address what is asked. @param maxAgeMs how old it may be; 0 for a new one. @param make makes a new answer. */
  async answer(address: string, maxAgeMs: number, make: () => Promise<SharedAnswer>): Promise<SharedAnswer> {
    if (maxAgeMs <= 0 || address.length > MAX_ADDRESS_LENGTH) return make();
    const now = performance.now();
    const known = this.#kept.get(address);
    if (known !== undefined && now - known.at <= Math.min(MAX_AGE_MS, maxAgeMs)) return known.answer;
    const kept = { at: now, answer: make(), length: 0 };
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

  /** Lets nobody have what was answered before now. */
  clear(): void {
    this.#kept.clear();
    this.#length = 0;
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

/** How old an answer may be by a request's `Cache-Control: max-age`, milliseconds; undefined where it does not say. */
export function maxAgeOf({ 'cache-control': directives = '' }: IncomingHttpHeaders): number | undefined {
  const seconds = /(?:^|,)\s*max-age=(\d{1,9})\s*(?:,|$)/i.exec(directives)?.[1];
  return seconds === undefined ? undefined : Math.min(MAX_ASKED_MS, Number(seconds) * 1_000);
}
