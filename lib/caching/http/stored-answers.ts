import type { Entry } from '../../cache/entries/entry.js';
import { JsonText } from '../../cache/entries/json-text.js';
import type { LayeredCache } from '../../cache/layered-cache.js';
import type { ReadPlan } from '../../cache/policies/read-plan.js';
import type { EarlyHandler } from './early-hits.js';
import type { AnswerHeaders } from './answer-headers.js';
import { encode, encodedAnswer, type EncodedAnswer, isJson } from './encoded-answer.js';
import { noneMatch } from './entity-tag.js';
import type { HttpRequest } from '../gate/http-request.js';
import { isStreaming } from './streaming.js';
import { isStorable, restore } from './response-capture.js';
import type { ResponseAdapter } from './response-adapter.js';

/** Turns entries into the values that one handler's adapter sends. */
export class StoredAnswers {
  #plainJson: ((response: object) => boolean) | undefined;

  /**
   * @param innermostOnly true if no other interceptor is outside ours and needs the value.
   * @param tagged true if entity tags are sent; false with `http.headers: false`.
   * @param early learns from hits, to answer later ones before the framework.
   */
  constructor(
    private readonly cache: LayeredCache,
    private readonly plan: ReadPlan,
    private readonly responses: ResponseAdapter,
    private readonly headers: AnswerHeaders,
    private readonly innermostOnly: boolean,
    private readonly tagged: boolean,
    private readonly early: EarlyHandler | undefined,
  ) {}

  /** Returns the response of a hit and sets its headers. */
  hit(request: HttpRequest, response: object, key: string, entry: Entry): unknown {
    const { headers, early, responses } = this;
    headers.hit(response, entry, false);
    if (early !== undefined) early.watch(request, responses.raw(response), key, entry);
    return this.stored(request, response, entry);
  }

  /** Returns an entry's response and restores the handler's status and headers. */
  stored(request: HttpRequest, response: object, entry: Entry): unknown {
    if (entry.meta !== undefined) restore(this.responses, response, entry.meta);
    return this.encoded(request, response, entry.value, entry);
  }

  /** Returns the stored text if it can be sent, undefined after a 304, otherwise the value. */
  encoded(request: HttpRequest, response: object, value: unknown, entry: Entry | undefined): unknown {
    const { responses, tagged } = this;
    if (!this.innermostOnly) return this.#handedOut(value, entry);
    const json = isJson(value) && !(entry === undefined && isStreaming(value));
    if (!json && typeof value !== 'string') return this.#handedOut(value, entry);
    if (json && !this.sendsJson(request, response)) return this.#handedOut(value, entry);
    const answer = entry === undefined ? encode(value) : encodedAnswer(entry, value);
    if (answer === undefined) return this.#handedOut(value, entry);
    if (tagged && this.#notModified(request, response, answer)) return undefined;
    if (json) responses.setHeader(response, 'content-type', responses.jsonType);
    return answer.text;
  }

  /** True if this response sends an object as `JSON.stringify` writes it. */
  sendsJson(request: HttpRequest, response: object): boolean {
    const { responses } = this;
    if (!this.innermostOnly) return false;
    this.#plainJson ??= responses.plainJson(request, response);
    return this.#plainJson(response) && responses.header(response, 'content-type') === undefined;
  }

  #handedOut(value: unknown, entry: Entry | undefined): unknown {
    // A value other than the stored one is already a copy for the caller.
    if (entry !== undefined && value === entry.value) return this.cache.valueOf(entry, this.plan);
    return value instanceof JsonText ? value.copy() : value;
  }

  #notModified(request: HttpRequest, response: object, answer: EncodedAnswer): boolean {
    const { responses } = this;
    if (request.method !== 'GET' && request.method !== 'HEAD') return false;
    let tag = responses.header(response, 'etag');
    if (tag === undefined) {
      tag = answer.tag;
      responses.setHeader(response, 'etag', tag);
    }
    const asked = request.headers['if-none-match'];
    if (typeof asked !== 'string' || !noneMatch(asked, String(tag)) || !isStorable(responses.status(response)))
      return false;
    responses.setStatus(response, 304);
    return true;
  }
}
