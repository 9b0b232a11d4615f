import { systemClock, type Clock } from '../../lib/cache/base/clock.js';
import { Invalidations } from '../../lib/cache/invalidation/invalidations.js';
import type { LayerContext, LayerEvents } from '../../lib/cache/layers/layer.js';

/** The events that a layer reported. */
export interface RecordedEvents {
  readonly events: LayerEvents;
  readonly circuit: number[];
  readonly depths: number[];
  readonly logs: { level: string; code: string; message: string }[];
  readonly asyncWrites: { result: number; keys: number }[];
  dropped: number;
}

export function recordEvents(): RecordedEvents {
  const recorded: RecordedEvents = {
    circuit: [],
    depths: [],
    logs: [],
    asyncWrites: [],
    dropped: 0,
    events: {
      evicted: () => undefined,
      circuit: (state) => recorded.circuit.push(state),
      queueDepth: (depth) => recorded.depths.push(depth),
      writeDropped: (count) => {
        recorded.dropped += count;
      },
      asyncWrite: (result, _durationMs, keys) => recorded.asyncWrites.push({ result, keys }),
      log: (level, code, message) => recorded.logs.push({ level, code, message }),
    },
  };
  return recorded;
}

/** The context of a layer that is tested alone. */
export function layerContext(
  prefix = 'cache',
  { clock = systemClock, events = recordEvents().events }: { clock?: Clock; events?: LayerEvents } = {},
): LayerContext {
  return { clock, events, prefix, invalidations: new Invalidations() };
}
