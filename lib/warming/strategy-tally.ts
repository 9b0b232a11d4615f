import { CacheError } from '../cache/base/errors.js';
import { redactedMessage } from '../cache/base/redacted-error.js';
import type { StrategyReport, WarmingFailure, WarmingResult } from './warming-report.js';

const MAX_KINDS = 10;
const MAX_MESSAGE = 200;

/** Counts the entries of one pass, and collects its failures by kind. */
export class StrategyTally {
  keysWarmed = 0;
  keysSkipped = 0;
  keysFailed = 0;
  bytes = 0;
  readonly #failures = new Map<string, WarmingFailure & { count: number }>();

  /** Counts one failed entry, or several with the same reason. */
  entryFailed(error: unknown, key?: string, count = 1): void {
    this.keysFailed += count;
    this.fault(error, 'WARMING_LOAD_FAILED', key, count);
  }

  /** Records a fault of the whole strategy. */
  fault(error: unknown, code: WarmingFailure['code'] = 'WARMING_STRATEGY_FAILED', key?: string, count = 1): void {
    const known = error instanceof CacheError ? error.code : code;
    const message = withoutKey(redactedMessage(error), key);
    const kind = `${known} ${message}`;
    const failure = this.#failures.get(kind);
    if (failure !== undefined) failure.count += count;
    else if (this.#failures.size < MAX_KINDS) this.#failures.set(kind, { code: known, message, count });
  }

  get failures(): readonly WarmingFailure[] {
    return [...this.#failures.values()].map((failure) => Object.freeze({ ...failure }));
  }

  /** The result of a strategy that ended normally. */
  result(): WarmingResult {
    if (this.#failures.size === 0) return 'ok';
    return this.keysWarmed + this.keysSkipped > 0 ? 'partial' : 'failed';
  }

  report(about: Pick<StrategyReport, 'strategy' | 'result' | 'durationMs' | 'efficiency'>): StrategyReport {
    return Object.freeze({
      strategy: about.strategy,
      result: about.result,
      keysWarmed: this.keysWarmed,
      keysSkipped: this.keysSkipped,
      keysFailed: this.keysFailed,
      bytes: this.bytes,
      durationMs: about.durationMs,
      errors: Object.freeze(this.failures),
      efficiency: about.efficiency,
    });
  }
}

/** Removes a key from an error message of the origin: a report must never contain a key. */
function withoutKey(message: string, key: string | undefined): string {
  const masked = key === undefined || key === '' ? message : message.replaceAll(key, '…');
  return masked.length > MAX_MESSAGE ? `${masked.slice(0, MAX_MESSAGE - 1)}…` : masked;
}
