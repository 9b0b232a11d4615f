import {
  CircuitState,
  EvictionReason,
  LayerOperation,
  LayerResult,
  MissReason,
  Operation,
  Outcome,
  Result,
} from '../../cache/observer.js';
import { AccessCount, AccessTime, operationAt, outcomeAt, reasonAt } from '../windows/access-track.js';
import type { HistogramView } from '../family.js';
import { type HistogramTotal, mean, meanTogether, quantiles, quantilesTogether } from '../windows/histogram.js';
import { evictionAt, LayerCount, layerOperationAt } from '../windows/layer-track.js';
import type { CacheStats, EndpointStats, LayerStats, OperationStats, PatternStats, Window } from '../snapshot.js';
import type { WindowSum } from '../windows/window-sum.js';

const RANKS = [0.5, 0.95, 0.99] as const;

/** What a snapshot holds that no series counts. */
export interface Surroundings {
  readonly window: Window;
  readonly coverageSeconds: number;
  readonly operationsInFlight: number;
  readonly evictions: number;
  readonly invalidations: number;
  readonly entryCount: number | null;
  readonly totalSizeBytes: number | null;
}

/** The share of hits; null without requests. */
export function hitRateOf({ counters }: WindowSum): number | null {
  const hits = hitsIn(counters);
  const total = hits + missesIn(counters);
  return total === 0 ? null : hits / total;
}

/** Response times: those of hits in memory and all others, one beside the other. */
export function responseTimes({ histograms }: WindowSum): readonly HistogramTotal[] {
  return [histograms[AccessTime.near]!, histograms[AccessTime.far]!];
}

export function cacheStats(sum: WindowSum, around: Surroundings): CacheStats {
  return Object.freeze(accessFigures(sum, around));
}

export function patternStats(pattern: string, sum: WindowSum, around: Surroundings): PatternStats {
  const sized = sum.counters[AccessCount.sized]!;
  return Object.freeze({
    pattern,
    ...accessFigures(sum, around),
    avgValueBytes: sized === 0 ? null : sum.counters[AccessCount.bytes]! / sized,
  });
}

export function endpointStats(endpoint: string, sum: WindowSum, around: Surroundings): EndpointStats {
  const total = [sum.histograms[AccessTime.near]!, sum.histograms[AccessTime.waited]!];
  const [p50, p95, p99] = quantilesTogether(total, RANKS);
  return Object.freeze({
    endpoint,
    ...accessFigures(sum, around),
    avgTotalTimeMs: meanTogether(total),
    p50TotalTimeMs: p50!,
    p95TotalTimeMs: p95!,
    p99TotalTimeMs: p99!,
  });
}

/** Statistics of `get`, which is all patterns together. */
export function getStats(sum: WindowSum, window: Window, coverageSeconds: number): OperationStats {
  return Object.freeze({
    operation: 'get' as const,
    count: hitsIn(sum.counters) + missesIn(sum.counters),
    errors: sum.counters[outcomeAt(Outcome.error)]!,
    hitRate: hitRateOf(sum),
    ...times(responseTimes(sum)),
    window,
    coverageSeconds,
  });
}

export function operationStats(
  operation: Exclude<OperationStats['operation'], 'get'>,
  sum: WindowSum,
  window: Window,
  coverageSeconds: number,
): OperationStats {
  const { counters } = sum;
  return Object.freeze({
    operation,
    count: allOf(counters),
    errors: counters[Result.error]! + counters[Result.timeout]!,
    hitRate: succeededRateOf(sum),
    ...times([sum.histograms[0]!]),
    window,
    coverageSeconds,
  });
}

/** The share of an operation's runs that succeeded; null without any. */
export function succeededRateOf({ counters }: WindowSum): number | null {
  const count = allOf(counters);
  return count === 0 ? null : counters[Result.ok]! / count;
}

/** How a layer is at this moment. */
export type LayerCondition = Pick<
  LayerStats,
  'layer' | 'entryCount' | 'totalSizeBytes' | 'connected' | 'circuitState' | 'queueDepth' | 'window' | 'coverageSeconds'
>;

/** @param near what the first layer answered in the same turn, which is counted with the patterns. */
export function layerStats(
  condition: LayerCondition,
  { counters, histograms }: WindowSum,
  near: { readonly hits: number; readonly times: HistogramView } | undefined,
): LayerStats {
  const hits = counters[layerOperationAt(LayerOperation.get, LayerResult.hit)]! + (near?.hits ?? 0);
  const misses = counters[layerOperationAt(LayerOperation.get, LayerResult.miss)]!;
  const reads = [histograms[LayerOperation.get]!, ...(near === undefined ? [] : [near.times])];
  const timeouts = sumOver(LayerOperation, (operation) => counters[layerOperationAt(operation, LayerResult.timeout)]!);
  const { layer, entryCount, totalSizeBytes, connected, circuitState, queueDepth, window, coverageSeconds } = condition;
  return Object.freeze({
    layer,
    hits,
    misses,
    errors:
      timeouts + sumOver(LayerOperation, (operation) => counters[layerOperationAt(operation, LayerResult.error)]!),
    timeouts,
    totalRequests: hits + misses,
    hitRate: hits + misses === 0 ? null : hits / (hits + misses),
    ...times(reads),
    evictions: evictionsIn(counters),
    entryCount,
    totalSizeBytes,
    connected,
    circuitState,
    queueDepth,
    writesDropped: counters[LayerCount.writesDropped]!,
    writesFailed: counters[LayerCount.writesFailed]!,
    window,
    coverageSeconds,
  });
}

/** Evictions of a layer's counters, for whatever reason. */
export function evictionsIn(counters: Float64Array): number {
  return sumOver(EvictionReason, (reason) => counters[evictionAt(reason)]!);
}

const CIRCUIT_STATES = {
  [CircuitState.closed]: 'closed',
  [CircuitState.open]: 'open',
  [CircuitState.halfOpen]: 'half_open',
} as const;

/** A circuit's state by its public name. */
export function circuitStateNamed(state: CircuitState): LayerStats['circuitState'] {
  return CIRCUIT_STATES[state];
}

function accessFigures(sum: WindowSum, around: Surroundings): CacheStats {
  const { counters, histograms } = sum;
  const count = (operation: Operation, result: Result): number => counters[operationAt(operation, result)]!;
  const hits = hitsIn(counters);
  const misses = missesIn(counters);
  const total = hits + misses;
  const response = times(responseTimes(sum));
  const load = histograms[AccessTime.load]!;
  const [p50Load, p95Load, p99Load] = quantiles(load, RANKS);
  const loadFailures =
    count(Operation.load, Result.error) +
    count(Operation.load, Result.timeout) +
    count(Operation.refresh, Result.error) +
    count(Operation.refresh, Result.timeout);
  return {
    totalRequests: total,
    cacheHits: hits,
    cacheMisses: misses,
    staleHits: counters[outcomeAt(Outcome.stale)]!,
    coalesced: counters[outcomeAt(Outcome.coalesced)]!,
    bypasses: counters[AccessCount.bypass]!,
    errors: counters[outcomeAt(Outcome.error)]!,
    recalculations: count(Operation.load, Result.ok) + count(Operation.refresh, Result.ok) + loadFailures,
    loadErrors: loadFailures,
    waitTimeouts: counters[AccessCount.waitTimeout]!,
    sizeLimitRejections: counters[AccessCount.sizeRejected]!,
    sets: count(Operation.set, Result.ok),
    deletes: count(Operation.delete, Result.ok) + count(Operation.delete, Result.absent),
    invalidations: around.invalidations,
    evictions: around.evictions,
    entryCount: around.entryCount,
    totalSizeBytes: around.totalSizeBytes,
    operationsInFlight: around.operationsInFlight,
    hitRate: total === 0 ? null : hits / total,
    missRate: total === 0 ? null : misses / total,
    ...response,
    avgLoadTimeMs: mean(load),
    p50LoadTimeMs: p50Load!,
    p95LoadTimeMs: p95Load!,
    p99LoadTimeMs: p99Load!,
    timeSavedMs: counters[AccessCount.savedUs]! / 1000,
    missReasons: Object.freeze({
      cold: counters[reasonAt(MissReason.cold)]!,
      expired: counters[reasonAt(MissReason.expired)]!,
      evicted: counters[reasonAt(MissReason.evicted)]!,
      invalidated: counters[reasonAt(MissReason.invalidated)]!,
      error: counters[reasonAt(MissReason.error)]!,
      unknown: counters[reasonAt(MissReason.unknown)]!,
    }),
    window: around.window,
    coverageSeconds: around.coverageSeconds,
  };
}

function times(histograms: readonly HistogramView[]) {
  const [p50, p95, p99] = quantilesTogether(histograms, RANKS);
  const maxMs = histograms.reduce((most, histogram) => Math.max(most, histogram.maxMs), 0);
  return {
    avgResponseTimeMs: meanTogether(histograms),
    p50ResponseTimeMs: p50!,
    p95ResponseTimeMs: p95!,
    p99ResponseTimeMs: p99!,
    maxResponseTimeMs: p50 === null ? null : maxMs,
  };
}

export function hitsIn(counters: Float64Array): number {
  return counters[AccessCount.nearHit]! + counters[outcomeAt(Outcome.hit)]! + counters[outcomeAt(Outcome.stale)]!;
}

export function missesIn(counters: Float64Array): number {
  return (
    counters[outcomeAt(Outcome.miss)]! + counters[outcomeAt(Outcome.coalesced)]! + counters[outcomeAt(Outcome.error)]!
  );
}

function allOf(counters: Float64Array): number {
  return counters.reduce((all, each) => all + each, 0);
}

function sumOver<T extends number>(places: Readonly<Record<string, T>>, count: (place: T) => number): number {
  return Object.values(places).reduce<number>((all, place) => all + count(place), 0);
}
