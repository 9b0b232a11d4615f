import type { EncodedAnswer } from '../http/encoded-answer.js';
import type { HeaderList, TimedHeaders } from './header-list.js';
import type { LaneRoute } from './lane-route.js';

/** Header lists are valid for this long; then one request takes the full path for a comparison. */
const TRUSTED_MS = 30_000;
/** Time limit of that request before another one is sent. */
const COMPARING_MS = 1_000;

/** The learned response to one form of request for one address. */
export class LearnedResponse {
  #confirmed: HeaderList | undefined;
  #candidate: HeaderList | undefined;
  #until = 0;
  /** True if the list is shared with other URLs. */
  #shared = false;
  /** Entity tag of the response for which the pairs were created; keeping the response itself would keep its text in memory. */
  #tag: string | undefined;
  #pairs: string[] = [];

  /** The list for responses; undefined until two responses were equal, and when a comparison is due. */
  list(now: number): HeaderList | undefined {
    if (this.#confirmed === undefined) return undefined;
    if (now < this.#until) return this.#confirmed;
    this.#until = now + COMPARING_MS;
    return undefined;
  }

  /** True if the full path's next response should be learned. */
  wanted(now: number): boolean {
    return this.#confirmed === undefined || now >= this.#until - COMPARING_MS;
  }

  /** Names and values alternating; the same array while the response is the same. */
  pairs(list: HeaderList, answer: EncodedAnswer, timed: TimedHeaders | undefined): string[] {
    if (this.#tag !== answer.tag || timed !== undefined) {
      this.#pairs = list.of(answer, timed ?? nothing);
      this.#tag = answer.tag;
    }
    return this.#pairs;
  }

  /** Compares a response of the full path with earlier ones. Returns the names of headers that differ. */
  compare(list: HeaderList, now: number, known: HeaderList | undefined): readonly string[] {
    const before = known ?? this.#confirmed ?? this.#candidate;
    const differences = before === undefined ? [] : before.differences(list);
    const agreed = before !== undefined && differences.length === 0;
    this.#confirmed = agreed ? before : undefined;
    this.#candidate = agreed ? undefined : list;
    this.#shared = agreed && before === known;
    this.#until = agreed ? now + TRUSTED_MS : 0;
    this.#tag = undefined;
    return differences;
  }

  get confirmed(): HeaderList | undefined {
    return this.#confirmed;
  }

  /** The estimated size of its own lists. */
  get bytes(): number {
    return this.#shared ? 0 : (this.#confirmed?.bytes ?? 0) + (this.#candidate?.bytes ?? 0);
  }
}

function nothing(): undefined {
  return undefined;
}

const MAX_FORMS = 8;
/** The size of a URL and of each form of request without texts and lists: measured, rounded up. */
const ADDRESS_BYTES = 300;
const FORM_BYTES = 900;

/** One URL of one method: its handler and key, and the learned responses by request headers. */
export class KnownAddress {
  readonly #forms = new Map<string, LearnedForm>();

  constructor(readonly route: LaneRoute) {}

  learned(form: string): LearnedForm | undefined {
    return this.#forms.get(form);
  }

  /** Learns a request that the handler answered under this key. */
  learn(form: string, key: string): LearnedForm {
    let learned = this.#forms.get(form);
    if (learned === undefined || learned.key !== key) {
      if (this.#forms.size >= MAX_FORMS) this.#forms.clear();
      learned = { key, whole: new LearnedResponse(), notModified: new LearnedResponse(), tag: undefined };
      this.#forms.set(form, learned);
    }
    return learned;
  }

  /** Its estimated size without its text. */
  get bytes(): number {
    let bytes = ADDRESS_BYTES;
    for (const [form, { key, whole, notModified }] of this.#forms)
      bytes += FORM_BYTES + form.length + key.length + whole.bytes + notModified.bytes;
    return bytes;
  }
}

/** One form of request for a URL. */
export interface LearnedForm {
  readonly key: string;
  readonly whole: LearnedResponse;
  readonly notModified: LearnedResponse;
  /** The entity tag of the last response, if hits skip middleware. */
  tag: string | undefined;
}
