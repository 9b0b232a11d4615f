import { milliseconds } from '../../duration.js';
import { CacheError } from '../../errors.js';
import type { BreakerSettings } from './circuit-breaker.js';
import type { Layer, LayerContext, LayerFactory } from '../layer.js';
import type { RemoteLayerOptions, WriteBehindOptions } from './remote-layer-options.js';
import { ResilientLayer } from './resilient-layer.js';
import { WriteBehindLayer, type WriteBehindSettings } from './write-behind-layer.js';

export const DEFAULT_DEADLINE_MS = 500;

/**
 * The factory of a layer outside this process: the bare layer, made resilient, and written behind where that is asked for.
 * @throws CacheError `INVALID_OPTIONS`, `INVALID_DURATION` for options that make no sense.
 */
export function remoteLayer(
  kind: string,
  options: RemoteLayerOptions,
  create: (context: LayerContext, name: string) => Layer,
): LayerFactory {
  const name = options.name ?? kind;
  const deadlineMs = atLeastOne(milliseconds(options.deadline ?? DEFAULT_DEADLINE_MS, 'deadline'), 'deadline');
  const breaker = breakerSettings(options.breaker, deadlineMs);
  const behind = writeBehindSettings(options.writes);
  return {
    name,
    required: options.required ?? false,
    create: (context) => {
      const { clock, events } = context;
      const resilient = new ResilientLayer(create(context, name), { deadlineMs, breaker }, clock, events);
      return behind === undefined ? resilient : new WriteBehindLayer(resilient, behind, clock, events);
    },
  };
}

function breakerSettings(options: RemoteLayerOptions['breaker'], deadlineMs: number): BreakerSettings | undefined {
  if (options === false) return undefined;
  const { window = 10_000, threshold = 0.5, minimumCalls = 5, slowCall, halfOpenAfter = 1_000 } = options ?? {};
  if (!(threshold > 0 && threshold <= 1)) {
    throw new CacheError(
      'INVALID_OPTIONS',
      `breaker.threshold: ${threshold} is no share; give more than 0 and at most 1.`,
    );
  }
  return {
    windowMs: atLeastOne(milliseconds(window, 'breaker.window'), 'breaker.window'),
    threshold,
    minimumCalls: atLeastOne(minimumCalls, 'breaker.minimumCalls'),
    slowCallMs: slowCall === undefined ? deadlineMs / 2 : milliseconds(slowCall, 'breaker.slowCall'),
    halfOpenAfterMs: atLeastOne(milliseconds(halfOpenAfter, 'breaker.halfOpenAfter'), 'breaker.halfOpenAfter'),
  };
}

function writeBehindSettings(writes: RemoteLayerOptions['writes']): WriteBehindSettings | undefined {
  if (writes === undefined || writes === 'through') return undefined;
  const options: WriteBehindOptions = writes === 'behind' ? {} : writes;
  return {
    maxQueue: atLeastOne(options.maxQueue ?? 10_000, 'writes.maxQueue'),
    maxQueueBytes: atLeastOne(options.maxQueueBytes ?? 64 * 1024 * 1024, 'writes.maxQueueBytes'),
    batchSize: atLeastOne(options.batchSize ?? 500, 'writes.batchSize'),
    flushEveryMs: milliseconds(options.flushEvery ?? 5, 'writes.flushEvery'),
    drainWithinMs: milliseconds(options.drainWithin ?? 2_000, 'writes.drainWithin'),
  };
}

function atLeastOne(value: number, option: string): number {
  if (value >= 1) return value;
  throw new CacheError('INVALID_OPTIONS', `${option}: ${value} is too small; give 1 or more.`);
}
