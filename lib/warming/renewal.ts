import { isAnswer } from '../cache/base/load-answers.js';
import { Outcome } from '../cache/base/observer.js';
import type { AnnotatedLoader, ReadPlan } from '../cache/policies/read-plan.js';
import type { TaskOutcome } from './warming-task.js';
import type { PopularTarget } from './warming-target.js';

/** The key is fresh, or there is nothing to warm. */
export const NOTHING_WARMED: TaskOutcome = { keys: [], warmed: 0, skipped: 1, bytes: 0 };

/**
 * Loads a key again that callers have requested. If the origin now answers with a 4xx, such as "not found", the key is skipped:
 * no code names this key, so nothing has failed.
 */
export async function renewKey(
  target: Pick<PopularTarget, 'renew'>,
  key: string,
  loader: AnnotatedLoader<unknown>,
  plan: ReadPlan,
): Promise<TaskOutcome> {
  let outcome: Outcome;
  try {
    outcome = await target.renew(key, loader, plan);
  } catch (error) {
    if (isAnswer(error)) return NOTHING_WARMED;
    throw error;
  }
  if (outcome === Outcome.stale || outcome === Outcome.error)
    throw new Error('The origin failed. The stored value is served until it expires.');
  return outcome === Outcome.miss ? { keys: [key], warmed: 1, skipped: 0, bytes: 0 } : NOTHING_WARMED;
}
