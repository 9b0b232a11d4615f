import type { CacheLog } from './cache-log.js';
import type { LogCode } from './log-codes.js';
import { redactedMessage } from './redacted-error.js';
import { isThenable } from './thenable.js';

/** Code of the application that is called for its effect: nothing waits for it, and nothing fails with it. */
export type CallbackKind = 'collector' | 'exporter' | 'listener' | 'log' | 'observer' | 'subscriber' | 'tracer';

const CODES: Readonly<Record<Exclude<CallbackKind, 'log'>, LogCode>> = {
  collector: 'OBSERVER_FAILED',
  exporter: 'EXPORT_FAILED',
  listener: 'LISTENER_FAILED',
  observer: 'OBSERVER_FAILED',
  subscriber: 'SUBSCRIBER_FAILED',
  tracer: 'TRACER_FAILED',
};
/** Callbacks whose first failure is remembered. */
const REMEMBERED = 1_000;

/**
 * The one place for failures of callbacks. What a callback throws, or a promise that it returns rejects with, is counted each
 * time and logged once: it ends neither the process nor what it watches.
 */
export class CallbackErrors {
  readonly #log: CacheLog | undefined;
  readonly #counts = new Map<CallbackKind, number>();
  readonly #reported = new Set<string>();

  /** @param log may itself fail: it is called as {@link guardedLog} does. */
  constructor(log?: CacheLog) {
    this.#log = log === undefined ? undefined : this.guardedLog(log);
  }

  /** How often callbacks of each kind failed. */
  get counts(): ReadonlyMap<CallbackKind, number> {
    return this.#counts;
  }

  /** Calls it. @param name says which one it is, in the log. */
  call(kind: CallbackKind, name: string, callback: () => unknown): void {
    try {
      this.returned(kind, name, callback());
    } catch (error) {
      this.failed(kind, name, error);
    }
  }

  /** Takes what a callback returned, for one that is called without {@link call}. */
  returned(kind: CallbackKind, name: string, result: unknown): void {
    if (isThenable(result)) result.then(undefined, (error: unknown) => this.failed(kind, name, error));
  }

  failed(kind: CallbackKind, name: string, error: unknown): void {
    this.count(kind);
    if (kind === 'log') return;
    const topic = `${kind} ${name}`;
    if (this.#reported.has(topic) || this.#reported.size >= REMEMBERED) return;
    this.#reported.add(topic);
    this.#log?.(
      'warn',
      CODES[kind],
      `${name} failed: ${redactedMessage(error)}. The cache goes on without it; further failures are only counted.`,
    );
  }

  /** For a failure that is logged elsewhere. */
  count(kind: CallbackKind): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
  }

  /** A log that never throws and returns nothing to reject. */
  guardedLog(log: CacheLog): CacheLog {
    return (level, code, message, details) => this.call('log', 'log', () => log(level, code, message, details));
  }
}

/** The name of an object's class, for the log. */
export function nameOf(object: object, otherwise: string): string {
  try {
    const { constructor } = object as { constructor?: { name?: unknown } };
    return typeof constructor?.name === 'string' && constructor.name !== '' ? constructor.name : otherwise;
  } catch {
    return otherwise;
  }
}
