import type { CacheLog } from './cache-log.js';
import type { LogCode } from './log-codes.js';

const REMEMBERED = 1_000;

/** Logs a condition once for each subject (a layer's name, a pattern) until it ends, so that an outage cannot flood the log. */
export class OnceLog {
  readonly #log: CacheLog | undefined;
  readonly #active = new Set<string>();
  /** Held messages by the layer that they concern. */
  readonly #held = new Map<string, (() => void)[]>();

  constructor(log: CacheLog | undefined) {
    this.#log = log;
  }

  /** Logs a condition, unless it is already logged for this subject and has not ended. */
  once(level: 'log' | 'warn' | 'error', code: LogCode, subject: string, message: string, cause?: unknown): void {
    if (this.#log === undefined) return;
    const topic = `${code} ${subject}`;
    if (this.#active.has(topic) || this.#active.size >= REMEMBERED) return;
    this.#active.add(topic);
    this.#send(level, code, message, cause === undefined ? { subject } : { subject, cause });
  }

  /** Returns true while a logged condition lasts. */
  hasLogged(code: LogCode, subject: string): boolean {
    return this.#active.size > 0 && this.#active.has(`${code} ${subject}`);
  }

  /** Ends a condition, so that it can be logged again. If it was logged, logs its end with a separate code. */
  ended(code: LogCode, subject: string, end?: { readonly code: LogCode; readonly message: string }): void {
    if (this.#active.size === 0 || !this.#active.delete(`${code} ${subject}`) || end === undefined) return;
    this.#send('log', end.code, end.message, { subject });
  }

  /** Logs a message that the caller reports only once. */
  write(level: 'log' | 'warn' | 'error', code: LogCode, message: string, details?: Record<string, unknown>): void {
    this.#send(level, code, message, details);
  }

  /**
   * Holds messages about a layer until the caller calls the returned function. With true the messages are logged. With false they are dropped: the
   * caller throws an error that names their cause instead.
   */
  hold(layer: string): (log: boolean) => void {
    const held: (() => void)[] = [];
    this.#held.set(layer, held);
    return (log) => {
      this.#held.delete(layer);
      if (log) for (const send of held) send();
    };
  }

  #send(level: 'log' | 'warn' | 'error', code: LogCode, message: string, details?: Record<string, unknown>): void {
    const held = this.#held.size === 0 ? undefined : this.#held.get(String(details?.['layer'] ?? details?.['subject']));
    if (held !== undefined) return void held.push(() => this.#send(level, code, message, details));
    try {
      this.#log?.(level, code, message, details);
    } catch {
      // A failing log must not fail the cache.
    }
  }
}
