import { CircuitState, MissReason, Operation, Outcome, Result } from '../../cache/observer.js';

/** Names of places, in the order in which they are shown. */
export type Names<T> = readonly (readonly [name: string, place: T])[];

/** Results of `get`. */
export const OUTCOMES: Names<Outcome> = [
  ['hit', Outcome.hit],
  ['stale', Outcome.stale],
  ['miss', Outcome.miss],
  ['coalesced', Outcome.coalesced],
  ['error', Outcome.error],
];
const WRITTEN: Names<Result> = [
  ['ok', Result.ok],
  ['rejected', Result.rejected],
  ['error', Result.error],
];
const LOOKED_UP: Names<Result> = [
  ['ok', Result.ok],
  ['absent', Result.absent],
  ['error', Result.error],
];
const LOADED: Names<Result> = [
  ['ok', Result.ok],
  ['error', Result.error],
  ['timeout', Result.timeout],
];
/** All other operations with their results. */
export const OPERATIONS: readonly (readonly [name: string, operation: Operation, results: Names<Result>])[] = [
  ['set', Operation.set, WRITTEN],
  ['has', Operation.has, LOOKED_UP],
  ['delete', Operation.delete, LOOKED_UP],
  ['invalidate', Operation.invalidate, LOOKED_UP],
  ['load', Operation.load, LOADED],
  ['refresh', Operation.refresh, LOADED],
  ['warm', Operation.warm, WRITTEN],
];
/** Why accesses missed. */
export const REASONS: Names<MissReason> = Object.entries(MissReason).filter(([name]) => name !== 'none');
/** States of a circuit breaker. */
export const STATES = Object.values(CircuitState);
