import { milliseconds } from '../../base/duration.js';
import { CheckedLayer } from '../checked-layer.js';
import type { Layer, LayerContext } from '../layer.js';
import type { BreakerSettings } from './circuit-breaker.js';
import { DEFAULT_DEADLINE_MS, type RemoteLayerOptions, type WriteBehindOptions } from './remote-layer-options.js';
import { ResilientLayer } from './resilient-layer.js';
import { WriteBehindLayer, type WriteBehindSettings } from './write-behind-layer.js';

/** Makes a layer resilient, adds write-behind if the options require it, and refuses invalid keys before that. */
export function guardedLayer(bare: Layer, options: RemoteLayerOptions, { clock, events }: LayerContext): Layer {
  const deadlineMs = milliseconds(options.deadline ?? DEFAULT_DEADLINE_MS, 'deadline');
  const breaker = breakerSettings(options.breaker, deadlineMs);
  const behind = writeBehindSettings(options.writes);
  const resilient = new ResilientLayer(bare, { deadlineMs, breaker }, clock, events);
  return new CheckedLayer(behind === undefined ? resilient : new WriteBehindLayer(resilient, behind, clock, events));
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
