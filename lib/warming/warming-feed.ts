import { Logger } from '@nestjs/common';
import type { Clock } from '../cache/clock.js';
import { toldError } from '../cache/told-error.js';
import type { StrategyPass } from './strategy-pass.js';
import type { StrategyReport, WarmingProgress, WarmingTrigger } from './warming-report.js';

const EVERY_MS = 5_000;
const MAX_LISTENERS = 100;

/** Tells the log and whoever listens how warming goes: at the start, every few seconds, and at the end. */
export class WarmingFeed {
  readonly #log = new Logger('CacheWarmer');
  readonly #listeners = new Set<(progress: WarmingProgress) => void>();

  constructor(private readonly clock: Clock) {}

  /** Returns how to stop listening. The hundred-and-first listener takes the place of the first. */
  listen(listener: (progress: WarmingProgress) => void): () => void {
    for (const oldest of this.#listeners) {
      if (this.#listeners.size < MAX_LISTENERS) break;
      this.#listeners.delete(oldest);
    }
    // A function of its own, so that one listener may listen twice.
    const own = (progress: WarmingProgress) => listener(progress);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Follows a pass that begins now; to be called again with its end. */
  follow(pass: StrategyPass, runId: string, trigger: WarmingTrigger): () => void {
    let cancel: () => void = () => undefined;
    const tell = (type: WarmingProgress['type']) => this.#emit({ type, runId, trigger, report: pass.report() });
    const tick = () => {
      this.#log.log(`Warming "${pass.name}" goes on: ${counts(pass.report())}`);
      tell('progress');
      cancel = this.clock.after(EVERY_MS, tick);
    };
    this.#log.log(`Warming "${pass.name}" (${trigger})`);
    tell('started');
    cancel = this.clock.after(EVERY_MS, tick);
    return () => {
      cancel();
      this.#logEnd(pass.report());
      tell('finished');
    };
  }

  #logEnd(report: StrategyReport): void {
    const line = `Warming "${report.strategy}" ended (${report.result}): ${counts(report)}`;
    if (report.result === 'elsewhere') {
      this.#log.log(`Warming "${report.strategy}" is left to another replica, which is at it`);
    } else if (report.errors.length === 0) {
      this.#log.log(line);
    } else {
      const reasons = report.errors.map(({ code, message, count }) => `${count} × ${code}: ${message}`);
      this.#log.warn([line, ...reasons].join('\n  '));
    }
  }

  #emit(progress: WarmingProgress): void {
    for (const listener of this.#listeners) {
      try {
        listener(Object.freeze(progress));
      } catch (error) {
        this.#listeners.delete(listener);
        this.#log.warn(`A listener of warming's progress threw and is not told any more: ${toldError(error)}`);
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
