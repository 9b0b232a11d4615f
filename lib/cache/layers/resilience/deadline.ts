import { bounded, TIMED_OUT, type WaitBounds } from '../../base/bounded-wait.js';
import type { Clock } from '../../base/clock.js';
import { CacheError } from '../../base/errors.js';
import { OverdueWaits } from '../../base/overdue-waits.js';

/** Options and callbacks of a wait for a layer. */
export interface DeadlineHooks {
  /** Calls `report` once if the operation takes longer than `ms` milliseconds. */
  readonly slow?: WaitBounds['slow'] | undefined;
  /** Called when the deadline has passed. `busy` is true if the event loop was never idle during the wait. */
  readonly late?: (busy: boolean) => void;
  /** The overdue waits to join. Without it, the operation waits separately. */
  readonly overdue?: OverdueWaits;
  /** True if the limit is not the layer's option `deadline`. The error then does not suggest to raise it. */
  readonly isFixed?: boolean;
}

/**
 * Returns the result of the operation, or throws `LAYER_TIMEOUT` when the deadline has passed; on a busy event loop later, see `bounded()`.
 * A frozen server keeps its connection open and never answers, so no lower level would end the wait.
 */
export function withDeadline<T>(
  operation: Promise<T>,
  deadlineMs: number,
  clock: Clock,
  layer: string,
  { slow, late, overdue = new OverdueWaits(clock), isFixed = false }: DeadlineHooks = {},
): Promise<T> {
  const bounds = { ms: deadlineMs, clock, overdue, ...(slow !== undefined && { slow }) };
  return bounded(operation, bounds, (busy) => {
    late?.(busy);
    throw unanswered(layer, deadlineMs, isFixed);
  });
}

/**
 * Returns the result of an operation whose time depends on the number of keys. It throws `LAYER_TIMEOUT` if the layer has not answered any
 * call for a whole deadline, and after `longestMs` in any case.
 * @param replies returns how many calls the layer has answered so far; undefined if the layer does not count them.
 */
export async function whileAnswering<T>(
  operation: Promise<T>,
  { deadlineMs, longestMs }: { readonly deadlineMs: number; readonly longestMs: number },
  clock: Clock,
  layer: string,
  replies: () => number | undefined,
  { late, overdue = new OverdueWaits(clock) }: Omit<DeadlineHooks, 'slow' | 'isFixed'> = {},
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

function unanswered(layer: string, ms: number, isFixed = false): CacheError {
  const remedy = isFixed ? '' : " Raise its 'deadline' if that is usual for it.";
  return new CacheError('LAYER_TIMEOUT', `Layer '${layer}' did not answer within ${ms} ms.${remedy}`);
}
