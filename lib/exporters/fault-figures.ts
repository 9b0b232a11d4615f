import type { CallbackErrors } from '../cache/base/callback-errors.js';
import type { Layer } from '../cache/layers/layer.js';
import { counter, type FamilySource, type MetricFamily } from '../metrics/family.js';

/** Counts faults that did not fail a call: errors thrown by the application's callbacks, and unreadable values in layers. */
export class FaultFigures implements FamilySource {
  constructor(
    private readonly layers: () => readonly Layer[],
    private readonly callbacks: CallbackErrors,
  ) {}

  families(): MetricFamily[] {
    return [
      counter(
        'cache_callback_errors_total',
        'Failures of collectors, exporters, observers, listeners, subscribers, tracers and logs.',
        ['kind'],
        () => [...this.callbacks.counts].map(([kind, value]) => ({ labels: [kind], value })),
      ),
      counter(
        'cache_layer_undecodable_total',
        'Values of a layer that were not written by this library, or not in this form; each is a miss.',
        ['layer'],
        () =>
          this.layers().flatMap((layer) => {
            const { undecodable } = layer.status();
            return undecodable === undefined ? [] : [{ labels: [layer.name], value: undecodable }];
          }),
      ),
    ];
  }
}
