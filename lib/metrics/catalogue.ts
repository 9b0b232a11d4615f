import {
  BypassReason,
  CircuitState,
  EvictionReason,
  LayerOperation,
  LayerResult,
  MissReason,
  Operation,
  Outcome,
  Result,
} from '../cache/base/observer.js';
import { runAtOnce } from '../cache/base/slices.js';
import { counter, duration, gauge, type MetricFamily, type MetricPoint } from './family.js';
import type { MetricsState } from './state/metrics-state.js';
import type { HeldStatus, OverallSum } from './state/metrics-reading.js';
import { circuitStateNamed, hitRateOf, outcomeIn, outcomeOf, responseTimes } from './statistics.js';
import { AccessCount, type AccessTrack, AccessTime, operationAt, outcomeAt, reasonAt } from './windows/access-track.js';
import { HistogramTotal } from './windows/histogram.js';
import { ASYNC_WRITE, evictionAt, LayerCount, layerOperationAt, transitionAt } from './windows/layer-track.js';
import { WINDOWS } from './windows/window-lengths.js';

/** Label values with their counters or indices, in the order of the export. */
type Names<T> = readonly (readonly [name: string, place: T])[];

/** Results of `get`. */
const OUTCOMES: Names<Outcome> = [
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
  ['rejected', Result.rejected],
  ['error', Result.error],
  ['timeout', Result.timeout],
];
/** The other operations with their results. */
const OPERATIONS: readonly (readonly [name: string, operation: Operation, results: Names<Result>])[] = [
  ['set', Operation.set, WRITTEN],
  ['has', Operation.has, LOOKED_UP],
  ['delete', Operation.delete, LOOKED_UP],
  ['invalidate', Operation.invalidate, LOOKED_UP],
  ['load', Operation.load, LOADED],
  ['refresh', Operation.refresh, LOADED],
  ['warm', Operation.warm, WRITTEN],
];
/** Why accesses missed. */
const REASONS: Names<MissReason> = Object.entries(MissReason).filter(([name]) => name !== 'none');
/** States of a circuit breaker. */
const STATES = Object.values(CircuitState);

/** The families of the cache's own metrics, named as in the reference. Figures are read when points are iterated. */
export class Catalogue {
  /** The labels of points, created once, because exporters recognise them by identity. */
  readonly #labels = new Map<string, readonly string[]>();
  readonly #trackLabels = new Map<AccessTrack, (readonly string[])[]>();

  constructor(
    private readonly state: MetricsState,
    private readonly status: () => readonly HeldStatus[],
  ) {}

  /**
   * Returns the families. The totals over all patterns are read once for all of them, when the first family needs them.
   * @param collected the totals over all patterns since the start, if the caller has already read them.
   */
  families(collected?: OverallSum): MetricFamily[] {
    let read: Overall | undefined;
    const overall = (): Overall => (read ??= overallOf(collected ?? runAtOnce(this.state.overallInSteps('all'))));
    return [...this.#accesses(overall), ...this.#layers(overall), ...this.#patterns(), ...this.#own()];
  }

  #accesses(overall: () => Overall): MetricFamily[] {
    const state = this.state;
    const counted = (): Float64Array => overall().counters;
    return [
      counter('cache_operations_total', 'Cache operations by how they ended.', ['operation', 'result'], () => {
        const counters = counted();
        const gets = OUTCOMES.map(([name, outcome]) => this.#point(outcomeIn(counters, outcome), 'get', name));
        const others = OPERATIONS.flatMap(([operation, place, results]) =>
          results.map(([name, result]) => this.#point(state.operations[place]!.totalOf(result), operation, name)),
        );
        return [...gets, ...others];
      }),
      duration(
        'cache_operation_duration_seconds',
        'Time of cache operations: of get until it has the value or knows that it has none, of load and refresh at the origin.',
        ['operation'],
        () => [
          { labels: this.#named('get'), histogram: overall().responseTimes },
          ...OPERATIONS.map(([operation, place]) => ({
            labels: this.#named(operation),
            histogram: state.operations[place]!.totalTimesOf(0),
          })),
        ],
      ),
      gauge(
        'cache_hit_rate',
        'Share of accesses answered by the cache; for several instances use the counters.',
        ['window'],
        () =>
          state.countersIn(WINDOWS).flatMap((sum, at) => {
            const rate = hitRateOf(sum);
            return rate === null ? [] : [this.#point(rate, WINDOWS[at]!)];
          }),
        { unit: 'ratio' },
      ),
      counter('cache_misses_by_reason_total', 'Misses by the reason why nothing fresh was found.', ['reason'], () => {
        const counters = counted();
        return REASONS.map(([name, reason]) => this.#point(counters[reasonAt(reason)]!, name));
      }),
      counter('cache_bypasses_total', 'Requests that bypassed the cache, by reason.', ['reason'], () =>
        Object.entries(BypassReason).map(([name, reason]) => this.#point(state.bypasses[reason]!, name)),
      ),
      counter('cache_size_limit_rejections_total', 'Values larger than maxEntrySize, not stored.', [], () => [
        this.#point(counted()[AccessCount.sizeRejected]!),
      ]),
      counter('cache_wait_timeouts_total', "Waiters that gave up another's load and loaded themselves.", [], () => [
        this.#point(counted()[AccessCount.waitTimeout]!),
      ]),
    ];
  }

  #layers(overall: () => Overall): MetricFamily[] {
    const { layers } = this.state;
    const total = (at: number, counter: number): number => layers[at]!.track.totalOf(counter);
    const layerCounter = (name: string, help: string, count: (at: number) => number) =>
      counter(name, help, ['layer'], () => layers.map((layer, at) => this.#point(count(at), layer.name)));
    const heldGauge = (
      name: string,
      help: string,
      read: (status: HeldStatus) => number | null | undefined,
      more?: Parameters<typeof gauge>[4],
    ) => {
      const points = () =>
        this.status()
          .slice(0, layers.length)
          .flatMap((status, at) => {
            const value = read(status) ?? null;
            return value === null ? [] : [this.#point(value, layers[at]!.name)];
          });
      return gauge(name, help, ['layer'], points, more);
    };
    const failed = (at: number): number =>
      Object.values(LayerOperation).reduce<number>(
        (sum, operation) =>
          sum +
          total(at, layerOperationAt(operation, LayerResult.error)) +
          total(at, layerOperationAt(operation, LayerResult.timeout)),
        0,
      );
    return [
      heldGauge('cache_memory_usage_bytes', 'Bytes of keys and values held, estimated.', ({ bytes }) => bytes, {
        unit: 'bytes',
      }),
      heldGauge('cache_entries', 'Entries held.', ({ entries }) => entries),
      heldGauge(
        'cache_evicted_worth',
        'Milliseconds of load time that evicted entries saved per megabyte and minute: what more memory would bring.',
        ({ evictedWorth }) => evictedWorth,
        { aggregation: 'average' },
      ),
      counter('cache_layer_hits_total', 'Keys that a layer had.', ['layer'], () => {
        const local = overall().counters[AccessCount.localHit]!;
        return layers.map(({ name }, at) =>
          this.#point(total(at, layerOperationAt(LayerOperation.get, LayerResult.hit)) + (at === 0 ? local : 0), name),
        );
      }),
      layerCounter('cache_layer_misses_total', 'Keys that a layer did not have.', (at) =>
        total(at, layerOperationAt(LayerOperation.get, LayerResult.miss)),
      ),
      layerCounter('cache_layer_errors_total', 'Operations that a layer failed or did not answer in time.', failed),
      duration('cache_layer_operation_duration_seconds', 'Time of operations on a layer.', ['layer', 'operation'], () =>
        layers.flatMap(({ name, track }, at) =>
          Object.entries(LayerOperation).map(([operation, place]) => {
            const histogram = track.totalTimesOf(place);
            if (at === 0 && place === LayerOperation.get) histogram.add(overall().localTimes);
            return { labels: this.#named(name, operation), histogram };
          }),
        ),
      ),
      gauge('cache_layer_queue_depth', 'Writes that wait behind a layer.', ['layer'], () =>
        layers.map(({ name, queueDepth }) => this.#point(queueDepth, name)),
      ),
      layerCounter('cache_layer_writes_dropped_total', 'Writes dropped because the queue was full.', (at) =>
        total(at, LayerCount.writesDropped),
      ),
      layerCounter('cache_layer_writes_failed_total', 'Keys of asynchronous writes that failed.', (at) =>
        total(at, LayerCount.writesFailed),
      ),
      duration(
        'cache_layer_async_write_duration_seconds',
        'Time of asynchronous writes, a batch each.',
        ['layer'],
        () =>
          layers.map(({ name, track }) => ({ labels: this.#named(name), histogram: track.totalTimesOf(ASYNC_WRITE) })),
      ),
      gauge(
        'cache_layer_circuit_state',
        "State of a layer's circuit breaker: 1 on the current one.",
        ['layer', 'state'],
        () =>
          layers.flatMap(({ name, circuit }) =>
            STATES.map((state) => this.#point(circuit === state ? 1 : 0, name, circuitStateNamed(state))),
          ),
        { aggregation: 'max' },
      ),
      counter('cache_layer_circuit_transitions_total', "Changes of a layer's circuit breaker.", ['layer', 'to'], () =>
        layers.flatMap(({ name }, at) =>
          STATES.map((state) => this.#point(total(at, transitionAt(state)), name, circuitStateNamed(state))),
        ),
      ),
      counter('cache_evictions_total', 'Entries that a layer removed by itself, by reason.', ['layer', 'reason'], () =>
        layers.flatMap(({ name }, at) =>
          Object.entries(EvictionReason).map(([reason, place]) =>
            this.#point(total(at, evictionAt(place)), name, reason),
          ),
        ),
      ),
    ];
  }

  #patterns(): MetricFamily[] {
    const { patterns, endpoints } = this.state;
    return [
      counter(
        'cache_pattern_operations_total',
        'Cache operations by key pattern.',
        ['pattern', 'operation', 'result'],
        () => each(patterns, (access) => this.#operationsOf(access)),
      ),
      counter(
        'cache_load_saved_seconds_total',
        'Load time that hits saved: each the mean load time of its pattern.',
        ['pattern'],
        () => each(patterns, (access) => [this.#point(access.exportedTotalOf(AccessCount.savedUs) / 1e6, access.name)]),
        'seconds',
      ),
      gauge(
        'cache_pattern_value_bytes',
        'Mean size of the values set, by key pattern.',
        ['pattern'],
        () =>
          each(patterns, ({ name, track }) => {
            const sized = track.totalOf(AccessCount.sized);
            return sized === 0 ? [] : [this.#point(track.totalOf(AccessCount.bytes) / sized, name)];
          }),
        { aggregation: 'average', unit: 'bytes' },
      ),
      counter(
        'cache_endpoint_operations_total',
        'Accesses by the endpoint that asked.',
        ['method', 'route', 'result'],
        () =>
          each(endpoints, (access) => {
            const { name, track } = access;
            const space = name.indexOf(' ');
            const own = this.#labelsOf(access);
            return OUTCOMES.map(([result, outcome]) => {
              const value = outcomeOf((counter) => track.totalOf(counter), outcome);
              const labels = (own[outcome] ??= [name.slice(0, Math.max(space, 0)), name.slice(space + 1), result]);
              return { labels, value };
            });
          }),
      ),
    ];
  }

  #own(): MetricFamily[] {
    return [
      gauge('cache_metrics_series', 'Patterns, endpoints and methods that are counted apart.', [], () => [
        this.#point(this.state.series),
      ]),
      counter(
        'cache_metrics_overflow_total',
        'Patterns, endpoints and methods counted as __other__, because the limit was reached.',
        [],
        () => [this.#point(this.state.overflow)],
      ),
    ];
  }

  /** Returns a point for each result of `get`, and for each result of another operation that occurred. */
  #operationsOf(access: AccessTrack): MetricPoint[] {
    const { name } = access;
    const points: MetricPoint[] = [];
    const own = this.#labelsOf(access);
    const exported = (counter: number): number => access.exportedTotalOf(counter);
    for (const [result, outcome] of OUTCOMES) {
      const labels = (own[outcomeAt(outcome)] ??= [name, 'get', result]);
      points.push({ labels, value: outcomeOf(exported, outcome) });
    }
    for (const [operation, place, results] of OPERATIONS) {
      for (const [result, how] of results) {
        const count = access.exportedTotalOf(operationAt(place, how));
        if (count === 0) continue;
        points.push({ labels: (own[operationAt(place, how)] ??= [name, operation, result]), value: count });
      }
    }
    return points;
  }

  #labelsOf(access: AccessTrack): (readonly string[])[] {
    const known = this.#trackLabels.get(access);
    if (known !== undefined) return known;
    const made: (readonly string[])[] = [];
    this.#trackLabels.set(access, made);
    return made;
  }

  #point(value: number, ...labels: string[]): MetricPoint {
    return { labels: this.#named(...labels), value };
  }

  #named(...labels: string[]): readonly string[] {
    const id = labels.join('\n');
    const known = this.#labels.get(id);
    if (known !== undefined) return known;
    this.#labels.set(id, labels);
    return labels;
  }
}

/** The totals over all patterns. */
interface Overall {
  readonly counters: Float64Array;
  readonly responseTimes: HistogramTotal;
  /** The times of hits in memory only. */
  readonly localTimes: HistogramTotal;
}

/** Copies the totals, because the given sum is reused. */
function overallOf({ sum }: OverallSum): Overall {
  const localTimes = new HistogramTotal();
  localTimes.add(sum.histograms[AccessTime.local]!);
  const all = new HistogramTotal();
  for (const times of responseTimes(sum)) all.add(times);
  return { counters: sum.counters.slice(), responseTimes: all, localTimes };
}

/** Reads the points of one track after the other, on demand, so that the reader can rest between two tracks. */
export function* each(
  tracks: Iterable<AccessTrack>,
  points: (access: AccessTrack) => MetricPoint[],
): Iterable<MetricPoint> {
  for (const access of tracks) {
    access.track.settle();
    yield* points(access);
  }
}
