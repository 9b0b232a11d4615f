import { milliseconds } from '../cache/base/duration.js';
import { nearest } from '../cache/options/unknown-option.js';
import type { CronLoader } from './cron-package.js';
import type { WarmingStrategy, WarmingStrategyOptions } from './strategy.js';

const KNOWN: Readonly<Record<keyof WarmingStrategyOptions, true>> = {
  name: true,
  onStartup: true,
  cron: true,
  priority: true,
  concurrency: true,
  timeout: true,
  ttl: true,
};

/** Returns the subject of the sentences about a strategy's faults. @param type its class. */
export function strategySubject(options: WarmingStrategyOptions | undefined, type: unknown): string {
  const className = typeof type === 'function' && type.name !== '' ? type.name : 'without a class';
  return options?.name ? `Warming strategy "${options.name}"` : `A warming strategy (${className})`;
}

/** Returns the fault of a strategy whose name another one has. */
export function takenName(name: string, type: unknown): string {
  return `The warming strategy "${name}" already exists. Give ${typeof type === 'function' ? type.name : 'this one'} another name`;
}

/**
 * Returns the faults of a strategy as sentences without their subject.
 * @param strategy the instance, or the prototype if there is no instance yet.
 */
export function strategyFaults(
  options: WarmingStrategyOptions | undefined,
  strategy: object,
  loader: CronLoader,
): string[] {
  if (options === undefined) return ['has neither a @WarmingStrategy decorator nor options given to register()'];
  const faults: string[] = [];
  const { name, onStartup, priority, concurrency, timeout, ttl, cron } = options;
  for (const option of Object.keys(options)) {
    if (!Object.hasOwn(KNOWN, option)) faults.push(unknownOption(option));
  }
  if (typeof name !== 'string' || name.trim() === '') faults.push('needs a name');
  if (typeof (strategy as Partial<WarmingStrategy>).entries !== 'function') faults.push('needs a method entries()');
  if (onStartup !== undefined && typeof onStartup !== 'boolean') faults.push('has an onStartup that is not a boolean');
  if (priority !== undefined && !Number.isFinite(priority)) faults.push('has a priority that is not a number');
  if (concurrency !== undefined && !(Number.isInteger(concurrency) && concurrency >= 1)) {
    faults.push('has a concurrency that is not a whole number of at least 1');
  }
  // If the package is not loaded yet, the scheduler validates the expression.
  if (cron !== undefined && loader.loaded?.validateCronExpression(cron).valid === false) {
    faults.push(`has an invalid cron expression: ${JSON.stringify(cron)}. Write six fields such as '0 */5 * * * *'`);
  }
  for (const [option, duration] of Object.entries({ timeout, ttl })) {
    if (duration === undefined) continue;
    try {
      milliseconds(duration, option);
    } catch (error) {
      faults.push(`has a ${(error as Error).message.replace(/\.$/, '')}`);
    }
  }
  return faults;
}

function unknownOption(option: string): string {
  const meant = nearest(option, Object.keys(KNOWN));
  return `has the unknown option ${option}${meant === undefined ? '' : ` (did you mean ${meant}?)`}`;
}
