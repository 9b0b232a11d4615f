import { milliseconds } from '../../base/duration.js';
import { CheckedLayer } from '../checked-layer.js';
import { layerFactory, type LayerParts } from '../layer-options.js';
import type { Layer, LayerContext, LayerFactory } from '../layer.js';
import { shape } from '../../options/option-rules.js';
import type { BreakerSettings } from './circuit-breaker.js';
import type { RemoteLayerOptions, WriteBehindOptions } from './remote-layer-options.js';
import { remoteFields } from './remote-layer-rules.js';
import { ResilientLayer } from './resilient-layer.js';
import { WriteBehindLayer, type WriteBehindSettings } from './write-behind-layer.js';

export const DEFAULT_DEADLINE_MS = 500;

/**
 * Returns the factory of a layer outside this process: the bare layer, made resilient, with write-behind if the options say so.
 * @param about describes the function that creates it; without it the layer is a store of this kind.
 */
export function remoteLayer(
  kind: string,
  options: RemoteLayerOptions,
  create: (context: LayerContext, name: string) => Layer,
  about: Partial<Omit<LayerParts, 'kind' | 'options' | 'create'>> = {},
): LayerFactory {
  return layerFactory({
    maker: kind,
    rule: shape(remoteFields),
    shared: true,
    address: kind,
    ...about,
    kind,
    options,
    create: (context, name) => {
      const { clock, events } = context;
      const deadlineMs = milliseconds(options.deadline ?? DEFAULT_DEADLINE_MS, 'deadline');
      const breaker = breakerSettings(options.breaker, deadlineMs);
      const behind = writeBehindSettings(options.writes);
      const resilient = new ResilientLayer(create(context, name), { deadlineMs, breaker }, clock, events);
      return new CheckedLayer(
        behind === undefined ? resilient : new WriteBehindLayer(resilient, behind, clock, events),
      );
    },
  });
}

function breakerSettings(options: RemoteLayerOptions['breaker'], deadlineMs: number): BreakerSettings | undefined {
  if (options === false) return undefined;
  const { window = 10_000, threshold = 0.5, minimumCalls = 5, slowCall, halfOpenAfter = 1_000 } = options ?? {};
  return {
    windowMs: milliseconds(window),
    threshold,
    minimumCalls,
    slowCallMs: slowCall === undefined ? deadlineMs / 2 : milliseconds(slowCall),
    halfOpenAfterMs: milliseconds(halfOpenAfter),
  };
}

function writeBehindSettings(writes: RemoteLayerOptions['writes']): WriteBehindSettings | undefined {
  if (writes === undefined || writes === 'through') return undefined;
  const options: WriteBehindOptions = writes === 'behind' ? {} : writes;
  return {
    maxQueue: options.maxQueue ?? 10_000,
    maxQueueBytes: options.maxQueueBytes ?? 64 * 1024 * 1024,
    batchSize: options.batchSize ?? 500,
    flushEveryMs: milliseconds(options.flushEvery ?? 5),
    drainWithinMs: milliseconds(options.drainWithin ?? 2_000),
  };
}
