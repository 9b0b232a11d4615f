import type { Channel } from 'node:diagnostics_channel';
import type { CallbackErrors } from '../cache/base/callback-errors.js';
import type { Clock } from '../cache/base/clock.js';
import {
  BypassReason,
  type CacheObserver,
  type CircuitState,
  type LayerDescription,
  MissReason,
  Operation,
  Outcome,
  Result,
  type Series,
} from '../cache/base/observer.js';
import { type AccessMessage, cacheChannels, type CacheChannels, type CircuitMessage } from './channels.js';

const namesOf = <T extends string>(places: Readonly<Record<T, number>>): readonly T[] =>
  (Object.entries(places) as [T, number][]).sort(([, a], [, b]) => a - b).map(([name]) => name);

const OUTCOMES = namesOf(Outcome);
const REASONS = namesOf(MissReason);
const BYPASSES = namesOf(BypassReason);
const RESULTS = namesOf(Result);
const STATES: readonly CircuitMessage['state'][] = ['closed', 'open', 'half_open'];

/**
 * Publishes accesses, loads, invalidations and circuit changes on node:diagnostics_channel. Without subscribers a call costs
 * one comparison. Errors and rejections of a subscriber are counted and logged once: Node itself would raise an uncaught
 * exception and end the process.
 */
export class DiagnosticsObserver implements Partial<CacheObserver> {
  readonly #clock: Clock;
  readonly #errors: CallbackErrors;
  readonly #channels: CacheChannels;
  #layers: readonly LayerDescription[] = [];

  constructor(clock: Clock, errors: CallbackErrors, channels: CacheChannels = cacheChannels()) {
    this.#clock = clock;
    this.#errors = errors;
    this.#channels = channels;
  }

  attach(layers: readonly LayerDescription[]): void {
    this.#layers = layers;
  }

  hit(series: Series, layer: number, startedAt: number): void {
    if (!this.#channels.access.hasSubscribers) return;
    const elapsed = this.#clock.now() - startedAt;
    this.#access(series, 'hit', layer, elapsed, elapsed, undefined);
  }

  access(
    series: Series,
    outcome: Outcome,
    layer: number,
    responseMs: number,
    totalMs: number,
    reason: MissReason,
  ): void {
    if (!this.#channels.access.hasSubscribers) return;
    const why = reason === MissReason.none ? undefined : REASONS[reason];
    this.#access(series, OUTCOMES[outcome]!, layer, responseMs, totalMs, why);
  }

  bypass(series: Series, reason: BypassReason): void {
    if (this.#channels.access.hasSubscribers) this.#access(series, 'bypass', -1, 0, 0, BYPASSES[reason]);
  }

  load(series: Series, operation: Operation, result: Result, durationMs: number): void {
    if (!this.#channels.load.hasSubscribers) return;
    this.#publish(this.#channels.load, {
      pattern: series.pattern,
      endpoint: series.endpoint,
      operation: operation === Operation.refresh ? 'refresh' : 'load',
      result: RESULTS[result]!,
      durationMs,
    });
  }

  operation(series: Series, operation: Operation, result: Result, durationMs: number): void {
    if (operation !== Operation.delete || !this.#channels.invalidation.hasSubscribers) return;
    this.#publish(this.#channels.invalidation, {
      kind: 'key',
      pattern: series.pattern,
      result: RESULTS[result]!,
      removed: result === Result.ok ? 1 : 0,
      durationMs,
    });
  }

  invalidation(result: Result, durationMs: number, removed: number): void {
    if (!this.#channels.invalidation.hasSubscribers) return;
    this.#publish(this.#channels.invalidation, {
      kind: 'group',
      pattern: undefined,
      result: RESULTS[result]!,
      removed,
      durationMs,
    });
  }

  circuit(layer: number, state: CircuitState): void {
    if (!this.#channels.circuit.hasSubscribers) return;
    this.#publish(this.#channels.circuit, { layer: this.#layers[layer]?.name ?? String(layer), state: STATES[state]! });
  }

  #publish<T>(channel: Channel<unknown, T>, message: T): void {
    const { _subscribers: subscribers } = channel as unknown as { _subscribers?: unknown };
    // The list of subscribers is not part of Node's public API. If it has an unexpected type, let Node publish.
    if (!Array.isArray(subscribers)) return channel.publish(message);
    const { name } = channel;
    for (const subscriber of subscribers as ((message: T, name: string | symbol) => unknown)[]) {
      this.#errors.call('subscriber', `A subscriber of ${String(name)}`, () => subscriber(message, name));
    }
  }

  #access(
    series: Series,
    outcome: AccessMessage['outcome'],
    layer: number,
    responseTimeMs: number,
    totalTimeMs: number,
    reason: string | undefined,
  ): void {
    this.#publish(this.#channels.access, {
      pattern: series.pattern,
      endpoint: series.endpoint,
      outcome,
      layer: this.#layers[layer]?.name,
      reason,
      responseTimeMs,
      totalTimeMs,
    });
  }
}
