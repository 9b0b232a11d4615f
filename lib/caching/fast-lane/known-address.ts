import type { EncodedAnswer } from '../http/encoded-answer.js';
import type { HeaderList, TimedHeaders } from './header-list.js';
import type { LaneRoute } from './lane-route.js';

/** How long a header list is valid. After that, one request takes the full path and its response is compared. */
const TRUSTED_MS = 30_000;
/** How long to wait for that comparison before another request takes the full path. */
const COMPARING_MS = 1_000;

/** The learned response to one form of request for one URL. */
export class LearnedResponse {
  #confirmed: HeaderList | undefined;
  #candidate: HeaderList | undefined;
  #until = 0;
  /** True if other URLs share the list. */
  #shared = false;
  /** The entity tag of the response for which `#pairs` was created. The response itself would keep its text in memory. */
  #tag: string | undefined;
  #pairs: string[] = [];

  /** Returns the list for responses; undefined until two responses were equal, and when a comparison is due. */
  list(now: number): HeaderList | undefined {
    if (this.#confirmed === undefined) return undefined;
    if (now < this.#until) return this.#confirmed;
    this.#until = now + COMPARING_MS;
    return undefined;
  }

  /** True if the lane should learn the next response of the full path. */
  wanted(now: number): boolean {
    return this.#confirmed === undefined || now >= this.#until - COMPARING_MS;
  }

  /** Returns names and values, alternating: the same array as long as the response is the same. */
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

  /** The estimated size of the lists that no other URL shares. */
  get bytes(): number {
    return this.#shared ? 0 : (this.#confirmed?.bytes ?? 0) + (this.#candidate?.bytes ?? 0);
  }
}

function nothing(): undefined {
  return undefined;
}

const MAX_FORMS = 8;
/** The bytes of a URL without texts and lists, measured and rounded up. `FORM_BYTES` is the same for each form of request. */
const ADDRESS_BYTES = 300;
const FORM_BYTES = 900;

/** One URL of one method: its handler, and what the lane learned for each form of request. */
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

  /** The estimated size without the text of the URL. */
  get bytes(): number {
    let bytes = ADDRESS_BYTES;
    for (const [form, { key, whole, notModified }] of this.#forms)
      bytes += FORM_BYTES + form.length + key.length + whole.bytes + notModified.bytes;
    return bytes;
  }
}

/** The key and the responses that the lane learned for one form of request. */
export interface LearnedForm {
  readonly key: string;
  readonly whole: LearnedResponse;
  readonly notModified: LearnedResponse;
  /** The entity tag of the last response, if hits skip middleware. */
  tag: string | undefined;
}
