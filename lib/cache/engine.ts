import { Answering } from './loading/answering.js';
import { BatchLoad } from './loading/batch-load.js';
import { CacheEvents } from './contract/cache-events.js';
import type { CacheLog } from './cache-log.js';
import type { Clock } from './clock.js';
import { InvalidationBus } from './coordination/bus.js';
import { Invalidations } from './invalidations.js';
import { Keeping } from './loading/keeping.js';
import { LayerChain } from './layers/layer-chain.js';
import type { LayerEvents, LayerFactory } from './layers/layer.js';
import { MissReasons } from './reading/miss-reasons.js';
import type { CacheObserver } from './observer.js';
import { OnceLog } from './once-log.js';
import { ReadThrough } from './loading/read-through.js';
import { Reads } from './reading/reads.js';
import { RunningLoads } from './loading/running-loads.js';
import { SingleFlight } from './loading/single-flight.js';
import type { CacheTracer } from './tracer.js';
import { Writes } from './writing/writes.js';

/** The parts of one cache, put together. */
export interface Engine {
  readonly chain: LayerChain;
  readonly flights: SingleFlight;
  readonly invalidations: Invalidations;
  readonly running: RunningLoads;
  readonly reads: Reads;
  readonly writes: Writes;
  readonly answering: Answering;
  readonly batchLoad: BatchLoad;
  readonly bus: InvalidationBus;
  readonly events: CacheEvents;
  readonly reasons: MissReasons;
  readonly log: OnceLog;
}

export function assemble(parts: {
  readonly factories: readonly LayerFactory[];
  readonly prefix: string;
  readonly observer: CacheObserver;
  readonly clock: Clock;
  readonly log: CacheLog | undefined;
  readonly tracer: CacheTracer | undefined;
  readonly random: () => number;
}): Engine {
  const { observer, clock, tracer, random } = parts;
  const log = new OnceLog(parts.log);
  const invalidations = new Invalidations();
  const reasons = new MissReasons();
  const layers = parts.factories.map((factory, index) =>
    factory.create({
      clock,
      prefix: parts.prefix,
      invalidations,
      events: layerEvents(factory.name, index, observer, reasons, log),
    }),
  );
  observer.attach(layers.map(({ name, shared }) => ({ name, shared })));
  const chain = new LayerChain(layers, observer, clock, log);
  const flights = new SingleFlight();
  const running = new RunningLoads();
  const events = new CacheEvents(log);
  const bus = new InvalidationBus(layers.find((layer) => layer.coordination !== undefined)?.coordination, clock, log);
  const shared = { chain, flights, invalidations, running, reasons, observer, clock, log, tracer, random, bus, events };
  const keeping = new Keeping(shared);
  const readThrough = new ReadThrough({ ...shared, keeping });
  return {
    ...shared,
    reads: new Reads(shared),
    writes: new Writes(shared),
    answering: new Answering({ ...shared, readThrough }),
    batchLoad: new BatchLoad({ ...shared, keeping }),
  };
}

function layerEvents(
  name: string,
  index: number,
  observer: CacheObserver,
  reasons: MissReasons,
  log: OnceLog,
): LayerEvents {
  return {
    evicted(reason, count, key) {
      if (key !== undefined && index === 0) reasons.evicted(key);
      observer.evicted(index, reason, count);
    },
    circuit: (state) => observer.circuit(index, state),
    queueDepth: (depth) => observer.queueDepth(index, depth),
    writeDropped: (count) => observer.writeDropped(index, count),
    asyncWrite: (result, durationMs, keys) => observer.asyncWrite(index, result, durationMs, keys),
    log: (level, code, message, cause) =>
      log.tell(level, code, message, cause === undefined ? { layer: name } : { layer: name, cause }),
  };
}
