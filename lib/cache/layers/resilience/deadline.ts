import type { Clock } from '../../clock.js';
import { CacheError } from '../../errors.js';

/**
 * The operation's answer, or `LAYER_TIMEOUT` once the deadline has passed; what it answers later is discarded.
 * A server that is frozen keeps its connection open and answers never: nothing below this would give up.
 */
export function withDeadline<T>(operation: Promise<T>, deadlineMs: number, clock: Clock, layer: string): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const cancel = clock.after(deadlineMs, () => reject(timedOut(deadlineMs, layer)));
    operation.then(
      (value) => {
        cancel();
        resolve(value);
      },
      (error: unknown) => {
        cancel();
        reject(error as Error);
      },
    );
  });
}

function timedOut(deadlineMs: number, layer: string): CacheError {
  return new CacheError(
    'LAYER_TIMEOUT',
    `Layer '${layer}' did not answer within ${deadlineMs} ms; raise its 'deadline' if that is usual for it.`,
  );
}
