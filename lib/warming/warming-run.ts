import type { Clock } from '../cache/base/clock.js';
import type { StrategyPass } from './strategy-pass.js';
import type { StrategyReport, WarmingReport, WarmingTrigger } from './warming-report.js';

/** A pass that this run or an earlier one began. */
export interface BegunPass {
  readonly pass: StrategyPass;
  readonly ended: Promise<void>;
}

/** The passes of several strategies. If another run has begun one of them, both share it. */
export class WarmingRun {
  readonly #startedAt: number;
  #finishedAt: number | undefined;
  readonly done: Promise<WarmingReport>;

  constructor(
    readonly id: string,
    readonly trigger: WarmingTrigger,
    readonly passes: readonly BegunPass[],
    private readonly clock: Clock,
  ) {
    this.#startedAt = clock.now();
    this.done = Promise.all(passes.map(({ ended }) => ended)).then(() => {
      this.#finishedAt = clock.now();
      return this.report();
    });
  }

  get running(): boolean {
    return this.#finishedAt === undefined;
  }

  report(): WarmingReport {
    const strategies = this.passes.map(({ pass }) => pass.report());
    const sum = (field: 'keysWarmed' | 'keysSkipped' | 'keysFailed' | 'bytes') =>
      strategies.reduce((total, report) => total + report[field], 0);
    const hits = this.passes.map(({ pass }) => pass.hits);
    const watched = hits.reduce((total, hit) => total + hit.watched, 0);
    return Object.freeze({
      id: this.id,
      trigger: this.trigger,
      status: this.running ? 'running' : statusOf(strategies),
      startedAt: new Date(this.#startedAt).toISOString(),
      finishedAt: this.#finishedAt === undefined ? null : new Date(this.#finishedAt).toISOString(),
      keysWarmed: sum('keysWarmed'),
      keysSkipped: sum('keysSkipped'),
      keysFailed: sum('keysFailed'),
      bytes: sum('bytes'),
      durationMs: (this.#finishedAt ?? this.clock.now()) - this.#startedAt,
      efficiency: watched === 0 ? null : hits.reduce((total, hit) => total + hit.hit, 0) / watched,
      strategies: Object.freeze(strategies),
    });
  }
}

function statusOf(strategies: readonly StrategyReport[]): WarmingReport['status'] {
  return strategies.some(({ result }) => result === 'aborted') ? 'aborted' : 'completed';
}
