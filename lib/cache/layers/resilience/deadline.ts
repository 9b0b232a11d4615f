import { settledBy } from '../../bounded-wait.js';
import type { Clock } from '../../clock.js';
import { CacheError } from '../../errors.js';

/**
 * The operation's answer, or `LAYER_TIMEOUT` once the deadline has passed; what it answers later is discarded.
 * A server that is frozen keeps its connection open and answers never: nothing below this would give up.
 */
export function withDeadline<T>(operation: Promise<T>, deadlineMs: number, clock: Clock, layer: string): Promise<T> {
  return settledBy(operation, deadlineMs, clock, (_, reject) => reject(timedOut(deadlineMs, layer)));
}

function timedOut(deadlineMs: number, layer: string): CacheError {
  return new CacheError(
    'LAYER_TIMEOUT',
    `Layer '${layer}' did not answer within ${deadlineMs} ms; raise its 'deadline' if that is usual for it.`,
  );
}
