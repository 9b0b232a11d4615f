import type { Entry } from '../../cache/entry.js';
import type { LayeredCache } from '../../cache/layered-cache.js';
import type { ReadPlan } from '../../cache/read-plan.js';
import type { FastLane, LaneRequest } from '../fast-lane/fast-lane.js';
import type { LaneRoute } from '../fast-lane/lane-route.js';
import type { AnswerHeaders } from './answer-headers.js';
import { encode, encodedAnswer, type EncodedAnswer, isJson } from './encoded-answer.js';
import { noneMatch } from './entity-tag.js';
import type { HttpRequest } from './http-request.js';
import { isStorable, restore } from './response-capture.js';
import type { ResponseFace } from './response-face.js';

/** What was decided of how one handler's answers are sent. */
export interface AnswerParts {
  readonly cache: LayeredCache;
  readonly plan: ReadPlan;
  readonly face: ResponseFace;
  readonly headers: AnswerHeaders;
  /** True where no other interceptor stands outside and wants the value. */
  readonly innermostOnly: boolean;
  /** With `http.headers: false` there are no entity tags of ours. */
  readonly tagged: boolean;
  /** Where its hits may leave before the framework. */
  readonly lane: { readonly lane: FastLane; readonly route: LaneRoute } | undefined;
}

/** Turns what is stored into what one handler's adapter is given to send. */
export class StoredAnswers {
  readonly #parts: AnswerParts;
  #plainJson: ((response: object) => boolean) | undefined;

  constructor(parts: AnswerParts) {
    this.#parts = parts;
  }

  /** The answer to a hit, its headers set. */
  hit(request: HttpRequest, response: object, key: string, entry: Entry): unknown {
    const { headers, lane, face } = this.#parts;
    headers.hit(response, entry, false);
    if (lane !== undefined) lane.lane.watch(lane.route, request as LaneRequest, face.raw(response), key, entry);
    return this.stored(request, response, entry);
  }

  /** An entry's answer, with what its handler had set on the response. */
  stored(request: HttpRequest, response: object, entry: Entry): unknown {
    if (entry.meta !== undefined) restore(this.#parts.face, response, entry.meta);
    return this.encoded(request, response, entry.value, entry);
  }

  /** The stored text where that is what is sent, nothing with a 304, else the value. */
  encoded(request: HttpRequest, response: object, value: unknown, entry: Entry | undefined): unknown {
    const { face, innermostOnly, tagged } = this.#parts;
    if (!innermostOnly) return this.#handedOut(value, entry);
    const json = isJson(value);
    if (!json && typeof value !== 'string') return this.#handedOut(value, entry);
    this.#plainJson ??= face.plainJson(request, response);
    if (json && !this.#plainJson(response)) return this.#handedOut(value, entry);
    const typed = face.header(response, 'content-type') !== undefined;
    if (json && typed) return this.#handedOut(value, entry);
    const answer = entry === undefined ? encode(value) : encodedAnswer(entry);
    if (tagged && this.#notModified(request, response, answer)) return undefined;
    if (json) face.setHeader(response, 'content-type', face.jsonType);
    return answer.text;
  }

  #handedOut(value: unknown, entry: Entry | undefined): unknown {
    return entry === undefined ? value : this.#parts.cache.valueOf(entry, this.#parts.plan);
  }

  #notModified(request: HttpRequest, response: object, answer: EncodedAnswer): boolean {
    const { face } = this.#parts;
    if (request.method !== 'GET' && request.method !== 'HEAD') return false;
    let tag = face.header(response, 'etag');
    if (tag === undefined) {
      tag = answer.tag;
      face.setHeader(response, 'etag', tag);
    }
    const asked = request.headers['if-none-match'];
    if (typeof asked !== 'string' || !noneMatch(asked, String(tag)) || !isStorable(face.status(response))) return false;
    face.setStatus(response, 304);
    return true;
  }
}
