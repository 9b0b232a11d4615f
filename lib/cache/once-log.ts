import type { CacheLog } from './cache-log.js';

const REMEMBERED = 1_000;

/** Says a thing once for each subject (a layer's name, a pattern), until it has changed back: a log no outage can flood. */
export class OnceLog {
  readonly #log: CacheLog | undefined;
  readonly #said = new Set<string>();

  constructor(log: CacheLog | undefined) {
    this.#log = log;
  }

  say(level: 'log' | 'warn' | 'error', code: string, subject: string, message: string, cause?: unknown): void {
    if (this.#log === undefined) return;
    const topic = `${code} ${subject}`;
    if (this.#said.has(topic) || this.#said.size >= REMEMBERED) return;
    this.#said.add(topic);
    this.#write(level, code, message, cause === undefined ? { subject } : { subject, cause });
  }

  /** True until it is over. */
  hasSaid(code: string, subject: string): boolean {
    return this.#said.size > 0 && this.#said.has(`${code} ${subject}`);
  }

  /** It is over: it may be said again, and `message`, where there is one, says so now. */
  over(code: string, subject: string, message?: string): void {
    if (this.#said.size === 0 || !this.#said.delete(`${code} ${subject}`) || message === undefined) return;
    this.#write('log', code, message, { subject });
  }

  /** Something that its speaker already says only once. */
  tell(level: 'log' | 'warn' | 'error', code: string, message: string, details?: Record<string, unknown>): void {
    this.#write(level, code, message, details);
  }

  #write(level: 'log' | 'warn' | 'error', code: string, message: string, details?: Record<string, unknown>): void {
    try {
      this.#log?.(level, code, message, details);
    } catch {
      // A log that fails must not fail the cache.
    }
  }
}
