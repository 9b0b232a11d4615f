import { Injectable } from '@nestjs/common';
import { CacheError } from '../cache/base/errors.js';
import { CronLoader } from './cron-package.js';
import { type WarmingStrategy, type WarmingStrategyOptions, warmingStrategyOptionsOf } from './strategy.js';
import { strategyFaults, strategySubject, takenName } from './strategy-faults.js';
import type { RegisteredStrategy, TaskStrategy } from './strategy-pass.js';

/** The strategies of an application, by name. */
@Injectable()
export class StrategyRegistry {
  readonly cron = new CronLoader();
  readonly #strategies = new Map<string, RegisteredStrategy>();
  #onAdded: ((strategy: RegisteredStrategy) => void) | undefined;

  /**
   * @param options required if the strategy's class has no `@WarmingStrategy`.
   * @throws CacheError `INVALID_OPTIONS` for options out of range, `DUPLICATE_STRATEGY` if another strategy has the name.
   */
  add(strategy: WarmingStrategy | TaskStrategy, options?: WarmingStrategyOptions): RegisteredStrategy {
    const given = options ?? warmingStrategyOptionsOf(strategy.constructor);
    const checked = checkedOptions(given, strategy, this.cron);
    if (this.#strategies.has(checked.name)) {
      throw new CacheError('DUPLICATE_STRATEGY', `${takenName(checked.name, strategy.constructor)}.`);
    }
    const registered = { options: Object.freeze({ ...checked }), strategy };
    this.#strategies.set(checked.name, registered);
    this.#onAdded?.(registered);
    return registered;
  }

  /** Calls `scheduled` for every strategy, including those added later. */
  each(scheduled: (strategy: RegisteredStrategy) => void): void {
    this.#onAdded = scheduled;
    for (const strategy of this.#strategies.values()) scheduled(strategy);
  }

  get all(): readonly RegisteredStrategy[] {
    return [...this.#strategies.values()];
  }

  /** Finds strategies by name. @throws CacheError `UNKNOWN_STRATEGY`, listing the known strategies. */
  named(names: readonly string[]): readonly RegisteredStrategy[] {
    const unknown = names.filter((name) => !this.#strategies.has(name));
    if (unknown.length > 0) {
      const known = [...this.#strategies.keys()].map((name) => `"${name}"`).join(', ') || 'none';
      throw new CacheError(
        'UNKNOWN_STRATEGY',
        `There is no warming strategy ${unknown.map((name) => JSON.stringify(name)).join(', ')}; there are: ${known}.`,
      );
    }
    return [...new Set(names)].map((name) => this.#strategies.get(name)!);
  }
}

function checkedOptions(
  options: WarmingStrategyOptions | undefined,
  strategy: object,
  cron: CronLoader,
): WarmingStrategyOptions {
  const faults = strategyFaults(options, strategy, cron);
  if (options === undefined || faults.length > 0) {
    const subject = strategySubject(options, strategy.constructor);
    throw new CacheError('INVALID_OPTIONS', `${subject} ${faults.join('; ')}.`);
  }
  return options;
}
