import { bounded, TIMED_OUT, type WaitBounds } from '../../base/bounded-wait.js';
import type { Clock } from '../../base/clock.js';
import { CacheError } from '../../base/errors.js';
import { OverdueWaits } from '../../base/overdue-waits.js';

/** What is done about an operation that takes long. */
export interface DeadlineHooks {
  /** Called once where it takes longer than so many milliseconds. */
  readonly slow?: WaitBounds['slow'] | undefined;
  /** Called where the deadline has passed; `busy` where the event loop was never idle meanwhile. */
  readonly late?: (busy: boolean) => void;
  /** Where those that are overdue wait; without it the operation waits alone. */
  readonly overdue?: OverdueWaits;
}

/**
 * The operation's answer, or `LAYER_TIMEOUT` once the deadline has passed; on a busy event loop later, see `bounded()`.
 * A server that is frozen keeps its connection open and never answers: nothing below this would give up.
 */
export function withDeadline<T>(
  operation: Promise<T>,
  deadlineMs: number,
  clock: Clock,
  layer: string,
  { slow, late, overdue = new OverdueWaits(clock) }: DeadlineHooks = {},
): Promise<T> {
  const bounds = { ms: deadlineMs, clock, overdue, ...(slow !== undefined && { slow }) };
  return bounded(operation, bounds, (busy) => {
    late?.(busy);
    throw unanswered(layer, deadlineMs);
  });
}

/**
 * The answer of an operation that takes as long as there are keys. It fails with `LAYER_TIMEOUT` once the layer has answered nothing
 * for a whole deadline, and after `longestMs` in any case.
 * @param replies how many answers there have been so far, to anyone; undefined if the layer does not count them.
 */
export async function whileAnswering<T>(
  operation: Promise<T>,
  { deadlineMs, longestMs }: { readonly deadlineMs: number; readonly longestMs: number },
  clock: Clock,
  layer: string,
  replies: () => number | undefined,
  { late, overdue = new OverdueWaits(clock) }: Omit<DeadlineHooks, 'slow'> = {},
): Promise<T> {
  const until = clock.now() + longestMs;
  for (;;) {
    const before = replies();
    const outcome = await bounded(operation, { ms: deadlineMs, clock, overdue }, (busy): typeof TIMED_OUT => {
      const isSilent = before !== undefined && replies() === before;
      if (!isSilent && clock.now() < until) return TIMED_OUT;
      late?.(busy);
      throw unanswered(layer, isSilent ? deadlineMs : longestMs);
    });
    if (outcome !== TIMED_OUT) return outcome;
  }
}

function unanswered(layer: string, ms: number): CacheError {
  return new CacheError(
    'LAYER_TIMEOUT',
    `Layer '${layer}' did not answer within ${ms} ms. Raise its 'deadline' if that is usual for it.`,
  );
}
