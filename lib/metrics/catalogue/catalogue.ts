import { BypassReason, EvictionReason, LayerOperation, LayerResult, Outcome } from '../../cache/observer.js';
import type { HeldStatus } from '../images/layer-status-sum.js';
import { AccessCount, operationAt, outcomeAt, reasonAt, type AccessTrack } from '../windows/access-track.js';
import { counter, duration, each, gauge } from './families.js';
import type { MetricFamily, MetricPoint } from '../family.js';
import { OPERATIONS, OUTCOMES, REASONS, STATES } from './result-names.js';
import { ASYNC_WRITE, evictionAt, LayerCount, layerOperationAt, transitionAt } from '../windows/layer-track.js';
import type { Ledger } from '../ledger.js';
import type { OverallSum } from '../reading/overall-reading.js';
import { WINDOWS } from '../snapshot.js';
import { circuitStateNamed, hitRateOf } from '../reading/statistics.js';
import { type Overall, overallOf } from './overall.js';

/** The families of the cache's own metrics, in the names of the reference; everything is read when points are asked for. */
export class Catalogue {
  readonly #ledger: Ledger;
  readonly #status: () => readonly HeldStatus[];
  /** Labels of points, made once; exporters recognise them by identity. */
  readonly #labels = new Map<string, readonly string[]>();
  readonly #trackLabels = new Map<AccessTrack, (readonly string[])[]>();

  constructor(ledger: Ledger, status: () => readonly HeldStatus[]) {
    this.#ledger = ledger;
    this.#status = status;
  }

  /**
   * All patterns together are read once for all of the families, when the first of them needs it.
   * @param collected all patterns together since the start, by who has read them.
   */
  families(collected?: OverallSum): MetricFamily[] {
    let read: Overall | undefined;
    const overall = (): Overall => (read ??= overallOf(collected ?? this.#ledger.overall('all')));
    return [...this.#accesses(overall), ...this.#layers(overall), ...this.#patterns(), ...this.#own()];
  }

  #accesses(overall: () => Overall): MetricFamily[] {
    const ledger = this.#ledger;
    const counted = (): Float64Array => overall().counters;
    return [
      counter('cache_operations_total', 'Cache operations by how they ended.', ['operation', 'result'], () => {
        const counters = counted();
        const gets = OUTCOMES.map(([name, outcome]) =>
          this.#point(
            counters[outcomeAt(outcome)]! + (outcome === Outcome.hit ? counters[AccessCount.nearHit]! : 0),
            'get',
            name,
          ),
        );
        const others = OPERATIONS.flatMap(([operation, place, results]) =>
          results.map(([name, result]) => this.#point(ledger.operations[place]!.totalOf(result), operation, name)),
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
            histogram: ledger.operations[place]!.totalTimesOf(0),
          })),
        ],
      ),
      gauge(
        'cache_hit_rate',
        'Share of accesses answered by the cache; for several instances use the counters.',
        ['window'],
        () =>
          ledger.countersIn(WINDOWS).flatMap((sum, at) => {
            const rate = hitRateOf(sum);
            return rate === null ? [] : [this.#point(rate, WINDOWS[at]!)];
          }),
        'ratio',
      ),
      counter('cache_misses_by_reason_total', 'Misses by why there was nothing fresh.', ['reason'], () => {
        const counters = counted();
        return REASONS.map(([name, reason]) => this.#point(counters[reasonAt(reason)]!, name));
      }),
      counter('cache_bypasses_total', 'Requests that went past the cache, by why.', ['reason'], () =>
        Object.entries(BypassReason).map(([name, reason]) => this.#point(ledger.bypasses[reason]!, name)),
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
    const { layers } = this.#ledger;
    const ofLayers = (count: (place: number) => number) => () =>
      layers.map(({ name }, at) => this.#point(count(at), name));
    const total = (at: number, counter: number): number => layers[at]!.track.totalOf(counter);
    const held = (read: (status: HeldStatus) => number | null) => () =>
      this.#status()
        .slice(0, layers.length)
        .flatMap((status, at) => {
          const value = read(status);
          return value === null ? [] : [this.#point(value, layers[at]!.name)];
        });
    const failed = (at: number): number =>
      Object.values(LayerOperation).reduce<number>(
        (sum, operation) =>
          sum +
          total(at, layerOperationAt(operation, LayerResult.error)) +
          total(at, layerOperationAt(operation, LayerResult.timeout)),
        0,
      );
    return [
      gauge(
        'cache_memory_usage_bytes',
        'Bytes of keys and values held, estimated.',
        ['layer'],
        held((status) => status.bytes),
        'bytes',
      ),
      gauge(
        'cache_entries',
        'Entries held.',
        ['layer'],
        held((status) => status.entries),
      ),
      counter('cache_layer_hits_total', 'Keys that a layer had.', ['layer'], () => {
        const near = overall().counters[AccessCount.nearHit]!;
        return layers.map(({ name }, at) =>
          this.#point(total(at, layerOperationAt(LayerOperation.get, LayerResult.hit)) + (at === 0 ? near : 0), name),
        );
      }),
      counter(
        'cache_layer_misses_total',
        'Keys that a layer did not have.',
        ['layer'],
        ofLayers((at) => total(at, layerOperationAt(LayerOperation.get, LayerResult.miss))),
      ),
      counter(
        'cache_layer_errors_total',
        'Operations that a layer failed or did not answer in time.',
        ['layer'],
        ofLayers(failed),
      ),
      duration('cache_layer_operation_duration_seconds', 'Time of operations on a layer.', ['layer', 'operation'], () =>
        layers.flatMap(({ name, track }, at) =>
          Object.entries(LayerOperation).map(([operation, place]) => {
            const histogram = track.totalTimesOf(place);
            if (at === 0 && place === LayerOperation.get) histogram.add(overall().nearTimes);
            return { labels: this.#named(name, operation), histogram };
          }),
        ),
      ),
      gauge(
        'cache_layer_queue_depth',
        'Writes that wait behind a layer.',
        ['layer'],
        ofLayers((at) => layers[at]!.queueDepth),
      ),
      counter(
        'cache_layer_writes_dropped_total',
        'Writes dropped because the queue was full.',
        ['layer'],
        ofLayers((at) => total(at, LayerCount.writesDropped)),
      ),
      counter(
        'cache_layer_writes_failed_total',
        'Keys of asynchronous writes that failed.',
        ['layer'],
        ofLayers((at) => total(at, LayerCount.writesFailed)),
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
      ),
      counter('cache_layer_circuit_transitions_total', "Changes of a layer's circuit breaker.", ['layer', 'to'], () =>
        layers.flatMap(({ name }, at) =>
          STATES.map((state) => this.#point(total(at, transitionAt(state)), name, circuitStateNamed(state))),
        ),
      ),
      counter('cache_evictions_total', 'Entries that a layer let go by itself, by why.', ['layer', 'reason'], () =>
        layers.flatMap(({ name }, at) =>
          Object.entries(EvictionReason).map(([reason, place]) =>
            this.#point(total(at, evictionAt(place)), name, reason),
          ),
        ),
      ),
    ];
  }

  #patterns(): MetricFamily[] {
    const { patterns, endpoints } = this.#ledger;
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
        () => each(patterns, ({ name, track }) => [this.#point(track.totalOf(AccessCount.savedUs) / 1e6, name)]),
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
        'bytes',
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
              const near = outcome === Outcome.hit ? track.totalOf(AccessCount.nearHit) : 0;
              const value = track.totalOf(outcomeAt(outcome)) + near;
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
        this.#point(this.#ledger.series),
      ]),
      counter(
        'cache_metrics_overflow_total',
        'Patterns, endpoints and methods counted as __other__ for want of room.',
        [],
        () => [this.#point(this.#ledger.overflow)],
      ),
    ];
  }

  /** All results of `get`; of the other operations those that happened. */
  #operationsOf(access: AccessTrack): MetricPoint[] {
    const { name, track } = access;
    const points: MetricPoint[] = [];
    const own = this.#labelsOf(access);
    for (const [result, outcome] of OUTCOMES) {
      const near = outcome === Outcome.hit ? track.totalOf(AccessCount.nearHit) : 0;
      const labels = (own[outcomeAt(outcome)] ??= [name, 'get', result]);
      points.push({ labels, value: track.totalOf(outcomeAt(outcome)) + near });
    }
    for (const [operation, place, results] of OPERATIONS) {
      for (const [result, how] of results) {
        const count = track.totalOf(operationAt(place, how));
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
