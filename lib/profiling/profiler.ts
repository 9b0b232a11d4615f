import type { Clock } from '../cache/base/clock.js';
import type { Series } from '../cache/base/observer.js';
import {
  type CacheTracer,
  type Phase,
  SILENT_SPAN,
  type SpanHandle,
  type TracedOperation,
} from '../cache/base/tracer.js';
import { callStack, frameName } from './call-stack.js';
import { FoldedStacks, type FoldedStack } from './folded-stacks.js';

export interface ProfilerOptions {
  /** Records one in this many operations. @default 100 */
  every?: number;
  /** The limit of separate stacks. The time of further stacks is added to `__other__`. @default 2000 */
  maxStacks?: number;
}

/**
 * Samples where operations of the cache spend their time: by endpoint or call stack, and by phase (local and remote layers,
 *   origin, encoding, writing). Hits in memory are recorded by {@link CacheProfiler.hit}. Samples contain names of functions
 *   and patterns, never a key or a value.
 */
export class CacheProfiler implements CacheTracer {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #share: number;
  readonly #stacks: FoldedStacks;

  constructor(clock: Clock, options: ProfilerOptions = {}, random: () => number = Math.random) {
    this.#clock = clock;
    this.#random = random;
    this.#share = 1 / (options.every ?? 100);
    this.#stacks = new FoldedStacks(options.maxStacks ?? 2000);
  }

  /** Records a hit in memory, which has no span. */
  hit(series: Series, startedAt: number): void {
    if (!this.#sampled()) return;
    this.#stacks.add([...framesOf('get', series), 'local'], (this.#clock.now() - startedAt) * 1000);
  }

  span<T>(operation: TracedOperation, series: Series, _key: string, run: (span: SpanHandle) => T): T {
    if (!this.#sampled()) return run(SILENT_SPAN);
    const frames = framesOf(operation, series);
    const startedAt = this.#clock.now();
    let phasesMs = 0;
    const end = () => {
      const own = (this.#clock.now() - startedAt - phasesMs) * 1000;
      // The time outside all phases: building the key, waiting for another caller's load, waiting for the event loop.
      if (own > 0 || phasesMs === 0) this.#stacks.add(frames, Math.max(0, own));
    };
    const phase = (name: Phase, durationMs: number, layer?: string) => {
      phasesMs += durationMs;
      this.#stacks.add([...frames, layer === undefined ? name : `${name}_${frameName(layer)}`], durationMs * 1000);
    };
    return ending(() => run({ ...SILENT_SPAN, phase }), end);
  }

  /** The samples since the start or the last reset. */
  stacks(): FoldedStack[] {
    return this.#stacks.list();
  }

  reset(): void {
    this.#stacks.clear();
  }

  #sampled(): boolean {
    return this.#random() < this.#share;
  }
}

/**
 * Returns the frames of an operation: the endpoint, or without one the callers, then operation and pattern. Only framework code
 * calls an endpoint, so its callers are not needed.
 */
function framesOf(operation: TracedOperation, { endpoint, pattern }: Series): string[] {
  const callers = endpoint === undefined ? callStack() : [frameName(endpoint)];
  return [...callers, frameName(`cache.${operation}(${pattern})`)];
}

/** Calls `run`, and calls `end` when the result has resolved or failed. */
function ending<T>(run: () => T, end: () => void): T {
  let result: T;
  try {
    result = run();
  } catch (error) {
    end();
    throw error;
  }
  if (result instanceof Promise) void result.then(end, end);
  else end();
  return result;
}
