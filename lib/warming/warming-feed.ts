import { Logger } from '@nestjs/common';
import type { Clock } from '../cache/base/clock.js';
import { redactedMessage } from '../cache/base/redacted-error.js';
import { isThenable } from '../cache/base/thenable.js';
import type { StrategyPass } from './strategy-pass.js';
import type { StrategyReport, WarmingProgress, WarmingTrigger } from './warming-report.js';

const EVERY_MS = 5_000;
const MAX_LISTENERS = 100;

/** Reports the progress of warming to the log and to listeners: at the start, every few seconds, and at the end. */
export class WarmingFeed {
  readonly #log = new Logger('CacheWarmer');
  readonly #listeners = new Set<(progress: WarmingProgress) => void>();

  constructor(private readonly clock: Clock) {}

  /** Adds a listener. The hundred-and-first replaces the first. @returns a function that removes it. */
  listen(listener: (progress: WarmingProgress) => void): () => void {
    for (const oldest of this.#listeners) {
      if (this.#listeners.size < MAX_LISTENERS) break;
      this.#listeners.delete(oldest);
    }
    // A new function, so that the same listener can be added twice.
    const own = (progress: WarmingProgress) => listener(progress);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Reports a pass that begins. @returns a function to call when the pass ends. */
  follow(pass: StrategyPass, runId: string, trigger: WarmingTrigger): () => void {
    let cancel: () => void = () => undefined;
    const report = (type: WarmingProgress['type']) => this.#emit({ type, runId, trigger, report: pass.report() });
    const tick = () => {
      this.#log.log(`Warming "${pass.name}" goes on: ${counts(pass.report())}`);
      report('progress');
      cancel = this.clock.after(EVERY_MS, tick);
    };
    this.#log.log(`Warming "${pass.name}" (${trigger})`);
    report('started');
    cancel = this.clock.after(EVERY_MS, tick);
    return () => {
      cancel();
      this.#logEnd(pass.report());
      report('finished');
    };
  }

  #logEnd(report: StrategyReport): void {
    const line = `Warming "${report.strategy}" ended (${report.result}): ${counts(report)}`;
    if (report.result === 'elsewhere') {
      this.#log.log(`Warming "${report.strategy}" is skipped: another replica runs it`);
    } else if (report.errors.length === 0) {
      this.#log.log(line);
    } else {
      const reasons = report.errors.map(({ code, message, count }) => `${count} × ${code}: ${message}`);
      this.#log.warn([line, ...reasons].join('\n  '));
    }
  }

  #failed(listener: (progress: WarmingProgress) => void, error: unknown): void {
    if (!this.#listeners.delete(listener)) return;
    this.#log.warn(`A progress listener of warming failed and is removed: ${redactedMessage(error)}`);
  }

  #emit(progress: WarmingProgress): void {
    for (const listener of this.#listeners) {
      const failed = (error: unknown) => this.#failed(listener, error);
      try {
        const returned: unknown = listener(Object.freeze(progress));
        if (isThenable(returned)) returned.then(undefined, failed);
      } catch (error) {
        failed(error);
      }
    }
  }
}

function counts({ keysWarmed, keysSkipped, keysFailed, bytes, durationMs }: StrategyReport): string {
  return (
    `${keysWarmed} warmed, ${keysSkipped} fresh already, ${keysFailed} failed, ` +
    `${bytes} bytes in ${Math.round(durationMs)} ms`
  );
}
