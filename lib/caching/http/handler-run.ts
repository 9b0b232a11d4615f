import type { CacheLog } from '../../cache/base/cache-log.js';
import { NotKept } from '../../cache/base/observer.js';
import type { AnnotatedLoadContext } from '../../cache/policies/read-plan.js';
import type { Invalidation } from '../invalidation/invalidation.js';
import type { TagTemplates } from '../invalidation/tag-templates.js';
import type { HttpRequest } from '../gate/http-request.js';
import type { Call } from '../inputs/call.js';
import { type HandlerCall, resultOf } from './handler-call.js';
import type { ResponseAdapter } from './response-adapter.js';
import {
  type HandlerMarks,
  isStorable,
  marksOfHandler,
  type ResponseBefore,
  responseBefore,
} from './response-capture.js';
import type { StoredAnswers } from './stored-answers.js';
import { isStreaming } from './streaming.js';

/** Why a response belongs to its own request only. */
type OwnReason = 'cookie' | 'stream' | 'status' | 'response';

const REASONS: Readonly<Record<OwnReason, string>> = {
  cookie: 'the handler sets a cookie',
  stream: 'it returns a stream, which can be read once',
  status: 'its status is not cacheable',
  response: 'the handler wrote to a response that was already sent',
};

/** The runs of one HTTP handler. */
export class HandlerRuns {
  /** True once a response was not stored because it belonged to its own request only. */
  ownAnswers = false;
  readonly #named = new Set<OwnReason>();

  /**
   * @param owner for messages: `FeedController.discover()`.
   * @param holdsResponse true if the handler uses its response object, and so can write to it at any time.
   */
  constructor(
    private readonly owner: string,
    private readonly log: CacheLog,
    readonly responses: ResponseAdapter,
    readonly holdsResponse: boolean,
    readonly tags: TagTemplates | undefined,
    readonly invalidations: readonly Invalidation[],
    readonly answers: Pick<StoredAnswers, 'sendsJson'>,
  ) {}

  begin(call: Call, next: HandlerCall): HandlerRun {
    return new HandlerRun(this, call, next);
  }

  /** Records that a response was not stored, and logs each reason once per handler. */
  notKept(reason: OwnReason): void {
    this.ownAnswers = true;
    if (this.#named.has(reason)) return;
    this.#named.add(reason);
    this.log('warn', 'NOT_CACHED', `${this.owner}: a response was not stored, because ${REASONS[reason]}.`, { reason });
  }
}

/**
 * One request's run of its handler. The response may be sent before the run ends: a stale value, or the error of a timeout
 * interceptor. After that, changes on the response object may come from the sender, not from the handler.
 */
export class HandlerRun {
  /** True once the handler runs for this request, so that the result is its own. */
  started = false;
  /** True once the handler has returned or thrown. */
  ended = false;
  /** A result that only this request may get, such as a stream. */
  unsharable: unknown;
  /** True once the request was answered without this run or was aborted. */
  left = false;
  #before: ResponseBefore | undefined;
  #dropped = false;
  /** The changes that the handler made to the response before `leave()`. */
  #marks: HandlerMarks | undefined;

  constructor(
    private readonly runs: HandlerRuns,
    private readonly call: Call,
    private readonly next: HandlerCall,
  ) {}

  /** Call this before the request is answered without this run, or when it is aborted. */
  leave(): void {
    if (this.left) return;
    this.left = true;
    if (this.ended || this.#before === undefined) return;
    this.#marks = marksOfHandler(this.runs.responses, this.#response, this.#before);
  }

  /** Runs the handler and decides from its response what is stored. */
  async run(context: AnnotatedLoadContext): Promise<unknown> {
    const { responses, invalidations, holdsResponse, tags } = this.runs;
    this.started = true;
    if (!this.left) this.#before = responseBefore(responses, this.#response);
    let result: unknown;
    try {
      result = await resultOf(this.next);
    } catch (error) {
      this.ended = true;
      // The handler may have failed because its response was already sent, so requests that joined it run the handler
      // themselves.
      if (holdsResponse && this.#isResponseGone()) return this.#drop(context, 'response', undefined);
      throw error;
    }
    for (const invalidation of invalidations) await invalidation.after(this.call, result);
    this.ended = true;
    const value = this.#kept(context, result);
    if (tags !== undefined && !this.#dropped) await tags.setOn(context, this.call, result);
    return value;
  }

  #kept(context: AnnotatedLoadContext, result: unknown): unknown {
    const { holdsResponse } = this.runs;
    if (isStreaming(result)) {
      this.unsharable = result;
      return this.#drop(context, 'stream', undefined);
    }
    const gone = this.#isResponseGone();
    if (gone && holdsResponse) return this.#drop(context, 'response', result);
    const now = this.#before && marksOfHandler(this.runs.responses, this.#response, this.#before);
    if (now?.setsCookie === true || this.#marks?.setsCookie === true) return this.#drop(context, 'cookie', result);
    // After a response was sent, its headers show the sender's changes, not the handler's.
    const marks = gone ? this.#marks : now;
    if (marks !== undefined) {
      if (!isStorable(marks.status)) return this.#drop(context, 'status', result);
      if (marks.meta !== undefined) {
        // Joined requests get status and headers from the stored entry. Without one, they must run the handler themselves.
        this.runs.ownAnswers = true;
        context.annotate(marks.meta);
      }
    }
    if (!gone && this.runs.answers.sendsJson(this.call.args[0] as HttpRequest, this.#response)) context.sentAsJson();
    return result;
  }

  #drop(context: AnnotatedLoadContext, reason: OwnReason, value: unknown): unknown {
    this.#dropped = true;
    this.runs.notKept(reason);
    context.drop(NotKept[reason]);
    return value;
  }

  #isResponseGone(): boolean {
    return this.left || this.runs.responses.raw(this.#response).headersSent;
  }

  get #response(): object {
    return this.call.args[1] as object;
  }
}
