import type { CacheLog } from './cache-log.js';
import type { LogCode } from './log-codes.js';
import { redactedMessage } from './redacted-error.js';
import { isThenable } from './thenable.js';

/** Kinds of application callbacks. The cache ignores their results and catches their errors. */
export type CallbackKind = 'collector' | 'exporter' | 'listener' | 'log' | 'observer' | 'subscriber' | 'tracer';

const CODES: Readonly<Record<Exclude<CallbackKind, 'log'>, LogCode>> = {
  collector: 'OBSERVER_FAILED',
  exporter: 'EXPORT_FAILED',
  listener: 'LISTENER_FAILED',
  observer: 'OBSERVER_FAILED',
  subscriber: 'SUBSCRIBER_FAILED',
  tracer: 'TRACER_FAILED',
};
/** The most callbacks whose first failure is logged. */
const REMEMBERED = 1_000;

/**
 * Handles all failures of callbacks. An error that a callback throws, or with which its promise rejects, is counted each time and logged once. It
 * never ends the process or fails the observed operation.
 */
export class CallbackErrors {
  readonly #log: CacheLog | undefined;
  readonly #counts = new Map<CallbackKind, number>();
  readonly #reported = new Set<string>();

  /** @param log may itself fail: {@link guardedLog} catches its errors. */
  constructor(log?: CacheLog) {
    this.#log = log === undefined ? undefined : this.guardedLog(log);
  }

  /** The number of failures by kind. */
  get counts(): ReadonlyMap<CallbackKind, number> {
    return this.#counts;
  }

  /** Calls a callback. @param name names the callback in the log. */
  call(kind: CallbackKind, name: string, callback: () => unknown): void {
    try {
      this.returned(kind, name, callback());
    } catch (error) {
      this.failed(kind, name, error);
    }
  }

  /** Catches the rejection if a callback, called without {@link call}, returned a promise. */
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
      `${name} failed: ${redactedMessage(error)}. The cache continues without it; further failures are only counted.`,
    );
  }

  /** Counts a failure that is logged elsewhere. */
  count(kind: CallbackKind): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
  }

  /** Wraps a log: the result never throws and returns nothing. */
  guardedLog(log: CacheLog): CacheLog {
    return (level, code, message, details) => this.call('log', 'log', () => log(level, code, message, details));
  }
}

/** Returns the name of an object's class for the log, or `otherwise` if it has none. */
export function nameOf(object: object, otherwise: string): string {
  try {
    const { constructor } = object as { constructor?: { name?: unknown } };
    return typeof constructor?.name === 'string' && constructor.name !== '' ? constructor.name : otherwise;
  } catch {
    return otherwise;
  }
}
