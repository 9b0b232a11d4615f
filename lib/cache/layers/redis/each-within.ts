import { bounded } from '../../base/bounded-wait.js';
import type { Clock } from '../../base/clock.js';
import { OverdueWaits } from '../../base/overdue-waits.js';
import { KeysFailed } from '../keys-failed.js';
import { unavailable } from './redis-connection.js';

export type Outcome<T> =
  { readonly failed: false; readonly value: T } | { readonly failed: true; readonly error: unknown };

/** The share of an operation's deadline in which the operations must end. The rest is left for the answer to arrive. */
const SHARE = 0.9;

/**
 * Returns the outcome of each of several operations. Operations that have not ended shortly before the deadline count as failed, so that a
 * lost node does not delay the answers of the others.
 * @throws the first failure if all have failed.
 */
export async function eachWithin<T>(
  operations: readonly Promise<T>[],
  { deadlineMs, clock }: { readonly deadlineMs: number; readonly clock: Clock },
): Promise<Outcome<T>[]> {
  const outcomes: Outcome<T>[] = operations.map(() => ({ failed: true, error: unavailable() }));
  const settling = operations.map((operation, index) =>
    operation.then(
      (value) => void (outcomes[index] = { failed: false, value }),
      (error: unknown) => void (outcomes[index] = { failed: true, error }),
    ),
  );
  await bounded(
    Promise.all(settling),
    { ms: deadlineMs * SHARE, clock, overdue: new OverdueWaits(clock) },
    () => undefined,
  );
  // Outcomes after this point are ignored.
  const ended = [...outcomes];
  const failure = ended.find((outcome) => outcome.failed);
  if (failure !== undefined && ended.every((outcome) => outcome.failed)) throw failure.error;
  return ended;
}

/** @throws KeysFailed if the operations of some keys have failed. */
export function checkOutcomes(keys: readonly string[], outcomes: readonly Outcome<unknown>[]): void {
  const failed = outcomes.flatMap((outcome, index) =>
    outcome.failed ? [{ key: keys[index]!, error: outcome.error }] : [],
  );
  if (failed.length > 0)
    throw new KeysFailed(
      failed.map(({ key }) => key),
      failed[0]!.error,
    );
}
