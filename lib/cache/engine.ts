import type { Clock } from './clock.js';
import { CacheEvents } from './contract/cache-events.js';
import { InvalidationBus } from './coordination/bus.js';
import { Invalidations } from './invalidations.js';
import type { LayeredCacheOptions } from './layered-cache-options.js';
import { LayerChain } from './layers/layer-chain.js';
import type { Layer, LayerEvents } from './layers/layer.js';
import { Answering } from './loading/answering.js';
import { BatchLoad } from './loading/batch-load.js';
import { BatchOrigin } from './loading/batch-origin.js';
import { Keeping } from './loading/keeping.js';
import { OriginLoad } from './loading/origin-load.js';
import { OriginThrottle } from './loading/origin-throttle.js';
import { ReadThrough } from './loading/read-through.js';
import { RunningLoads } from './loading/running-loads.js';
import { SingleFlight } from './loading/single-flight.js';
import type { CacheObserver } from './observer.js';
import { OnceLog } from './once-log.js';
import { PlanBook } from './policies/plan-book.js';
import { MissReasons } from './reading/miss-reasons.js';
import { NearHits } from './reading/near-hits.js';
import { PlainReads } from './reading/plain-reads.js';
import { Reads } from './reading/reads.js';
import { Watchers } from './reading/watchers.js';
import { Removing } from './writing/removing.js';
import { Storing } from './writing/storing.js';
import { Writes } from './writing/writes.js';

/** The parts of one cache, put together. */
export interface Engine {
  readonly log: OnceLog;
  readonly events: CacheEvents;
  readonly watchers: Watchers;
  readonly plans: PlanBook;
  readonly chain: LayerChain;
  readonly bus: InvalidationBus;
  readonly flights: SingleFlight;
  readonly running: RunningLoads;
  readonly nearHits: NearHits;
  readonly reads: Reads;
  readonly plainReads: PlainReads;
  readonly answering: Answering;
  readonly batchLoad: BatchLoad;
  readonly writes: Writes;
  readonly storing: Storing;
  readonly removing: Removing;
}

export function assemble(options: LayeredCacheOptions & { clock: Clock; random: () => number }): Engine {
  const { observer, clock, random, tracer } = options;
  const log = new OnceLog(options.log);
  const invalidations = new Invalidations();
  const reasons = new MissReasons();
  const layers = layersOf(options, invalidations, reasons, log);
  const chain = new LayerChain(layers, observer, clock, log);
  const plans = new PlanBook({ ...options.policy, ttl: options.ttl });
  const watchers = new Watchers();
  const shared = {
    observer, clock, random, tracer, log, invalidations, reasons, chain, plans, watchers,
    near: chain.near,
    policy: plans.defaults,
    flights: new SingleFlight(),
    running: new RunningLoads(),
    throttle: new OriginThrottle(),
    events: new CacheEvents(log),
    bus: new InvalidationBus(layers.find((layer) => layer.coordination !== undefined)?.coordination, clock, log),
  }; // prettier-ignore
  const nearHits = new NearHits(shared);
  const reads = new Reads({ ...shared, nearHits });
  const reading = { ...shared, nearHits, reads };
  const keeping = new Keeping(shared);
  const originLoad = new OriginLoad({ ...shared, keeping });
  const readThrough = new ReadThrough({ ...shared, originLoad });
  const batchOrigin = new BatchOrigin({ ...shared, keeping, originLoad });
  const writes = new Writes(shared);
  return {
    ...reading,
    plainReads: new PlainReads(reading),
    answering: new Answering({ ...shared, readThrough }),
    batchLoad: new BatchLoad({ ...reading, readThrough, batchOrigin }),
    writes,
    storing: new Storing({ ...shared, writes }),
    removing: new Removing({ ...reading, writes }),
  };
}

function layersOf(
  { layers: factories, namespace, version, observer, clock }: LayeredCacheOptions & { clock: Clock },
  invalidations: Invalidations,
  reasons: MissReasons,
  log: OnceLog,
): Layer[] {
  const prefix = version === undefined ? namespace : `${namespace}:${version}`;
  const layers = factories.map((factory, index) => {
    const events = layerEvents(factory.name, index, observer, reasons, log);
    return factory.create({ clock, prefix, invalidations, events });
  });
  observer.attach(layers.map(({ name, shared }) => ({ name, shared })));
  return layers;
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
