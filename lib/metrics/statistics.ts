import {
  CircuitState,
  EvictionReason,
  LayerOperation,
  LayerResult,
  MissReason,
  NotKept,
  Operation,
  Outcome,
  Result,
} from '../cache/base/observer.js';
import type { HeldStatus, LayerState } from './state/metrics-reading.js';
import type { CacheStats, EndpointStats, LayerStats, NotKeptCounts, OperationStats, PatternStats } from './snapshot.js';
import { AccessCount, AccessTime, notKeptAt, operationAt, outcomeAt, reasonAt } from './windows/access-track.js';
import { type HistogramTotal, type HistogramView, timesOf } from './windows/histogram.js';
import { evictionAt, LayerCount, layerOperationAt } from './windows/layer-track.js';
import type { WindowSum } from './windows/window-sum.js';
import type { Window } from './windows/window-lengths.js';

/*
 * Defines each statistic as a function of counts. Snapshots, exported families and the views of single handlers all use these functions.
 */

/** Returns the hits, including stale ones. */
export function hitsIn(counters: Float64Array): number {
  return outcomeIn(counters, Outcome.hit) + outcomeIn(counters, Outcome.stale);
}

/** Returns all other accesses to the cache. */
export function missesIn(counters: Float64Array): number {
  return (
    outcomeIn(counters, Outcome.miss) + outcomeIn(counters, Outcome.coalesced) + outcomeIn(counters, Outcome.error)
  );
}

/** Returns the accesses with an outcome. */
export function outcomeIn(counters: Float64Array, outcome: Outcome): number {
  return outcomeOf((counter) => counters[counter]!, outcome);
}

/** Returns the same as {@link outcomeIn}, for counters that are read one by one. Hits in memory have a separate counter. */
export function outcomeOf(counted: (counter: number) => number, outcome: Outcome): number {
  return counted(outcomeAt(outcome)) + (outcome === Outcome.hit ? counted(AccessCount.localHit) : 0);
}

/** Returns the share of hits, 0–1; null without requests. */
export function hitRateOf({ counters }: WindowSum): number | null {
  const hits = hitsIn(counters);
  return share(hits, hits + missesIn(counters));
}

/** Returns the share of an operation's runs that succeeded, 0–1; null without runs. */
export function successRateOf({ counters }: WindowSum): number | null {
  return share(counters[Result.ok]!, sumOf(counters));
}

/** Returns the response times of hits in memory, and those of all other accesses. */
export function responseTimes({ histograms }: WindowSum): readonly HistogramTotal[] {
  return [histograms[AccessTime.local]!, histograms[AccessTime.other]!];
}

/** Returns the evictions of a layer, for any reason. */
export function evictionsIn(counters: Float64Array): number {
  return sumOver(EvictionReason, (reason) => counters[evictionAt(reason)]!);
}

/** Returns all runs of an operation, with any result. */
export function runsIn({ counters }: WindowSum): number {
  return sumOf(counters);
}

const CIRCUIT_STATES = {
  [CircuitState.closed]: 'closed',
  [CircuitState.open]: 'open',
  [CircuitState.halfOpen]: 'half_open',
} as const;

/** Returns the public name of a circuit's state. */
export function circuitStateNamed(state: CircuitState): LayerStats['circuitState'] {
  return CIRCUIT_STATES[state];
}

/** The facts that a snapshot needs in addition to the counts of a series. */
export interface SnapshotContext {
  readonly window: Window;
  readonly coverageSeconds: number;
  readonly operationsInFlight?: number;
  readonly evictions?: number;
  readonly invalidations?: number;
  readonly entryCount?: number | null;
  readonly totalSizeBytes?: number | null;
}

export function cacheStats(sum: WindowSum, context: SnapshotContext): CacheStats {
  const { counters, histograms } = sum;
  const count = (operation: Operation, result: Result): number => counters[operationAt(operation, result)]!;
  const loads = (result: Result): number => count(Operation.load, result) + count(Operation.refresh, result);
  const hits = hitsIn(counters);
  const misses = missesIn(counters);
  const total = hits + misses;
  const load = timesOf([histograms[AccessTime.load]!]);
  return Object.freeze({
    totalRequests: total,
    cacheHits: hits,
    cacheMisses: misses,
    staleHits: outcomeIn(counters, Outcome.stale),
    coalesced: outcomeIn(counters, Outcome.coalesced),
    bypasses: counters[AccessCount.bypass]!,
    errors: outcomeIn(counters, Outcome.error),
    recalculations: loads(Result.ok) + loads(Result.rejected) + loadErrorsIn(counters),
    loadErrors: loadErrorsIn(counters),
    loadRejections: loads(Result.rejected),
    waitTimeouts: counters[AccessCount.waitTimeout]!,
    sizeLimitRejections: counters[AccessCount.sizeRejected]!,
    sets: count(Operation.set, Result.ok),
    deletes: count(Operation.delete, Result.ok) + count(Operation.delete, Result.absent),
    invalidations: context.invalidations ?? 0,
    evictions: context.evictions ?? 0,
    entryCount: context.entryCount ?? null,
    totalSizeBytes: context.totalSizeBytes ?? null,
    operationsInFlight: context.operationsInFlight ?? 0,
    hitRate: share(hits, total),
    missRate: share(misses, total),
    ...responseFigures(responseTimes(sum)),
    avgLoadTimeMs: load.avg,
    p50LoadTimeMs: load.p50,
    p95LoadTimeMs: load.p95,
    p99LoadTimeMs: load.p99,
    timeSavedMs: counters[AccessCount.savedUs]! / 1000,
    missReasons: Object.freeze({
      cold: counters[reasonAt(MissReason.cold)]!,
      expired: counters[reasonAt(MissReason.expired)]!,
      evicted: counters[reasonAt(MissReason.evicted)]!,
      invalidated: counters[reasonAt(MissReason.invalidated)]!,
      error: counters[reasonAt(MissReason.error)]!,
      unknown: counters[reasonAt(MissReason.unknown)]!,
    }),
    window: context.window,
    coverageSeconds: context.coverageSeconds,
  });
}

export function patternStats(pattern: string, sum: WindowSum, context: SnapshotContext): PatternStats {
  const { counters } = sum;
  return Object.freeze({
    pattern,
    ...cacheStats(sum, context),
    notKept: notKeptIn(counters),
    avgValueBytes: share(counters[AccessCount.bytes]!, counters[AccessCount.sized]!),
  });
}

export function endpointStats(endpoint: string, sum: WindowSum, context: SnapshotContext): EndpointStats {
  const total = timesOf([sum.histograms[AccessTime.local]!, sum.histograms[AccessTime.waited]!]);
  return Object.freeze({
    endpoint,
    ...cacheStats(sum, context),
    avgTotalTimeMs: total.avg,
    p50TotalTimeMs: total.p50,
    p95TotalTimeMs: total.p95,
    p99TotalTimeMs: total.p99,
  });
}

/** Returns the statistics of `get`, which are the totals over all patterns. */
export function getStats(sum: WindowSum, { window, coverageSeconds }: SnapshotContext): OperationStats {
  return Object.freeze({
    operation: 'get' as const,
    count: hitsIn(sum.counters) + missesIn(sum.counters),
    errors: outcomeIn(sum.counters, Outcome.error),
    hitRate: hitRateOf(sum),
    ...responseFigures(responseTimes(sum)),
    window,
    coverageSeconds,
  });
}

export function operationStats(
  operation: Exclude<OperationStats['operation'], 'get'>,
  sum: WindowSum,
  { window, coverageSeconds }: SnapshotContext,
): OperationStats {
  return Object.freeze({
    operation,
    count: runsIn(sum),
    errors: sum.counters[Result.error]! + sum.counters[Result.timeout]!,
    hitRate: successRateOf(sum),
    ...responseFigures([sum.histograms[0]!]),
    window,
    coverageSeconds,
  });
}

/** @param local the hits that the first layer answered in the same turn. They are counted with the patterns. */
export function layerStats(
  { name, circuit, queueDepth }: LayerState,
  status: HeldStatus | undefined,
  { counters, histograms }: WindowSum,
  local: { readonly hits: number; readonly times: HistogramView } | undefined,
  { window, coverageSeconds }: SnapshotContext,
): LayerStats {
  const of = (result: LayerResult): number =>
    sumOver(LayerOperation, (operation) => counters[layerOperationAt(operation, result)]!);
  const hits = counters[layerOperationAt(LayerOperation.get, LayerResult.hit)]! + (local?.hits ?? 0);
  const misses = counters[layerOperationAt(LayerOperation.get, LayerResult.miss)]!;
  const timeouts = of(LayerResult.timeout);
  const { entries = null, bytes = null, connected = true, failure } = status ?? {};
  const { sweepsPending = 0, invalidationsPending = 0, busNotSent = false, busUnreachable = false } = status ?? {};
  return Object.freeze({
    layer: name,
    totalRequests: hits + misses,
    cacheHits: hits,
    cacheMisses: misses,
    errors: timeouts + of(LayerResult.error),
    timeouts,
    hitRate: share(hits, hits + misses),
    missRate: share(misses, hits + misses),
    ...responseFigures([histograms[LayerOperation.get]!, ...(local === undefined ? [] : [local.times])]),
    evictions: evictionsIn(counters),
    entryCount: entries,
    totalSizeBytes: bytes,
    connected,
    circuitState: circuitStateNamed(circuit),
    ...(failure !== undefined && { failure }),
    queueDepth,
    writesDropped: counters[LayerCount.writesDropped]!,
    writesFailed: counters[LayerCount.writesFailed]!,
    ...(sweepsPending > 0 && { sweepsPending }),
    ...(invalidationsPending > 0 && { invalidationsPending }),
    ...(busNotSent && { busNotSent }),
    ...(busUnreachable && { busUnreachable }),
    window,
    coverageSeconds,
  });
}

function notKeptIn(counters: Float64Array): NotKeptCounts {
  const counted = Object.entries(NotKept).map(([name, reason]) => [name, counters[notKeptAt(reason)]!] as const);
  return Object.freeze({
    error: loadErrorsIn(counters),
    size: counters[AccessCount.sizeRejected]!,
    ...(Object.fromEntries(counted) as Record<keyof typeof NotKept, number>),
    layer: counters[operationAt(Operation.set, Result.error)]! + counters[operationAt(Operation.warm, Result.error)]!,
  });
}

/** Returns the loads and refreshes that failed or timed out. */
function loadErrorsIn(counters: Float64Array): number {
  const failed = (operation: Operation): number =>
    counters[operationAt(operation, Result.error)]! + counters[operationAt(operation, Result.timeout)]!;
  return failed(Operation.load) + failed(Operation.refresh);
}

function responseFigures(histograms: readonly HistogramView[]) {
  const { avg, p50, p95, p99, max } = timesOf(histograms);
  return {
    avgResponseTimeMs: avg,
    p50ResponseTimeMs: p50,
    p95ResponseTimeMs: p95,
    p99ResponseTimeMs: p99,
    maxResponseTimeMs: max,
  };
}

function share(some: number, all: number): number | null {
  return all === 0 ? null : some / all;
}

function sumOf(counters: Float64Array): number {
  return counters.reduce((all, each) => all + each, 0);
}

function sumOver<T extends number>(places: Readonly<Record<string, T>>, count: (place: T) => number): number {
  return Object.values(places).reduce<number>((all, place) => all + count(place), 0);
}
