import type { CacheLog } from '../../cache/base/cache-log.js';
import { pause } from '../../cache/base/bounded-wait.js';
import type { Clock } from '../../cache/base/clock.js';
import { errorKind } from '../../cache/base/redacted-error.js';
import type { AlertChange } from './alert.js';
import type { WebhookOptions } from './alerts.options.js';
import { webhookBody } from './webhook-body.js';

/** The maximum number of waiting alerts; beyond it the oldest is dropped. */
const MOST_WAITING = 100;
/** Deadline of an answer of the receiver, milliseconds. */
const DEADLINE_MS = 5_000;
/** Pauses before the second and later attempts, milliseconds. After the last attempt the alert is dropped. */
const PAUSES_MS = [1_000, 4_000, 30_000, 120_000];

export interface WebhookParts {
  readonly options: WebhookOptions;
  readonly service: string | undefined;
  readonly clock: Clock;
  readonly log?: CacheLog | undefined;
}

/** Counts of sent alerts, since the start. */
export interface WebhookCounts {
  readonly sent: number;
  readonly failed: number;
  readonly dropped: number;
}

/**
 * Sends alerts to one URL, one after the other, without delaying the application. If the receiver fails, hangs or is down,
 * sending is retried with growing pauses. The first failure is logged, and the next success. The URL and headers are secrets: no log shows them.
 */
export class Webhook {
  readonly #parts: WebhookParts;
  readonly #address: string;
  readonly #waiting: string[] = [];
  readonly #aborted = new AbortController();
  /** Aborted when attempts no longer wait for a pause. */
  readonly #finishing = new AbortController();
  #sending: Promise<void> | undefined;
  #failing = false;
  #sent = 0;
  #failed = 0;
  #dropped = 0;

  constructor(parts: WebhookParts) {
    this.#parts = parts;
    const { protocol, host } = new URL(parts.options.url);
    this.#address = `${protocol}//${host}/•••`;
  }

  get counts(): WebhookCounts {
    return { sent: this.#sent, failed: this.#failed, dropped: this.#dropped };
  }

  /** Queues a change; returns at once. */
  send(change: AlertChange): void {
    if (this.#aborted.signal.aborted) return;
    const { options, service } = this.#parts;
    this.#waiting.push(webhookBody(change, options.format ?? 'json', service));
    if (this.#waiting.length > MOST_WAITING) {
      this.#waiting.shift();
      this.#dropped++;
    }
    this.#sending ??= this.#drain();
  }

  /** Resolves when the queue is empty. */
  async idle(): Promise<void> {
    await this.#sending;
  }

  /** Sends the waiting alerts without pauses; after the first failure drops the rest. Resolves when the queue is empty. */
  async finish(): Promise<void> {
    this.#finishing.abort();
    await this.#sending;
  }

  /** Drops the queue. */
  close(): void {
    this.#finishing.abort();
    this.#drop();
    this.#aborted.abort();
  }

  #drop(): void {
    this.#dropped += this.#waiting.length;
    this.#waiting.length = 0;
  }

  async #drain(): Promise<void> {
    for (let body = this.#waiting.shift(); body !== undefined; body = this.#waiting.shift()) {
      if (await this.#deliver(body)) this.#sent++;
      else {
        this.#failed++;
        if (this.#finishing.signal.aborted) this.#drop();
      }
    }
    this.#sending = undefined;
  }

  async #deliver(body: string): Promise<boolean> {
    for (const pauseMs of [...PAUSES_MS, undefined]) {
      const fault = await this.#attempt(body);
      if (fault === undefined) {
        this.#succeeded();
        return true;
      }
      if (this.#aborted.signal.aborted) return false;
      this.#report(fault.what);
      if (fault.isFinal || pauseMs === undefined || this.#finishing.signal.aborted) return false;
      await pause(pauseMs, this.#parts.clock, this.#finishing.signal);
    }
    return false;
  }

  /** Undefined if the receiver accepted it. */
  async #attempt(body: string): Promise<{ readonly what: string; readonly isFinal: boolean } | undefined> {
    try {
      const status = await this.#post(body);
      if (status >= 200 && status < 300) return undefined;
      const isFinal = status >= 400 && status < 500 && status !== 408 && status !== 429;
      return { what: `answers ${status}`, isFinal };
    } catch (error) {
      return {
        what:
          error instanceof LateAnswer
            ? `has not answered within ${DEADLINE_MS / 1_000} s`
            : `cannot be reached (${errorKind(error)})`,
        isFinal: false,
      };
    }
  }

  /** @returns the status of the answer, whose body is not read. */
  async #post(body: string): Promise<number> {
    const { options, clock } = this.#parts;
    const url = new URL(options.url);
    const { request } = url.protocol === 'https:' ? await import('node:https') : await import('node:http');
    return new Promise((resolve, reject) => {
      const sent = request(url, {
        method: 'POST',
        agent: false,
        signal: this.#aborted.signal,
        headers: { ...options.headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      });
      const cancel = clock.after(DEADLINE_MS, () => sent.destroy(new LateAnswer()));
      // Sending an alert must not keep the process alive.
      sent.on('socket', (socket) => socket.unref());
      sent.on('response', (response) => {
        cancel();
        resolve(response.statusCode ?? 0);
        response.destroy();
      });
      sent.on('error', (error) => {
        cancel();
        reject(error);
      });
      sent.end(body);
    });
  }

  #report(what: string): void {
    if (this.#failing) return;
    this.#failing = true;
    this.#parts.log?.(
      'warn',
      'WEBHOOK_FAILED',
      `alerts.webhook: ${this.#address} ${what}. Sending an alert is tried five times, with growing pauses.`,
    );
  }

  #succeeded(): void {
    if (this.#failing)
      this.#parts.log?.('log', 'WEBHOOK_RESTORED', `alerts.webhook: ${this.#address} accepts alerts again.`);
    this.#failing = false;
  }
}

class LateAnswer extends Error {}
