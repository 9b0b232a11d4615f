import { CallbackErrors } from './base/callback-errors.js';
import type { Clock } from './base/clock.js';
import { CacheEvents } from './contract/cache-events.js';
import { type AccessStream, HitOffer, Removal } from './entries/access-stream.js';
import type { Entry } from './entries/entry.js';
import { InvalidationBus } from './invalidation/invalidation-bus.js';
import { KnownClasses } from './entries/known-classes.js';
import { listedClasses } from './entries/listed-classes.js';
import { Invalidations } from './invalidation/invalidations.js';
import type { LayeredCacheOptions } from './layered-cache-options.js';
import { failureEnded, LayerChain } from './layers/layer-chain.js';
import type { Layer, LayerEvents } from './layers/layer.js';
import { EntryWriter } from './loads/entry-writer.js';
import { sharedPrefix } from './base/namespace.js';
import { type CacheObserver, CircuitState, EvictionReason } from './base/observer.js';
import { OnceLog } from './base/once-log.js';
import { KeyPolicies } from './policies/key-policies.js';
import { PolicyCache } from './policies/policy-cache.js';
import { PolicyOverrides } from './policies/policy-overrides.js';
import { MissReasons } from './freshness/miss-reasons.js';
import { GetOrLoad } from './get-or-load.js';
import { LoadLock } from './loads/load-lock.js';
import { AbortSignals } from './loads/abort-signals.js';
import { Deadlines } from './loads/deadlines.js';
import { FailedOrigins } from './loads/failed-origins.js';
import { InFlightLoads } from './loads/in-flight-loads.js';
import { NestedLoads } from './loads/nested-loads.js';
import { LocalHits } from './reads/local-hits.js';
import { PlainReads } from './reads/plain-reads.js';
import { RemoteReads } from './reads/remote-reads.js';
import { Watchers } from './reads/watchers.js';
import { WaitingCallers } from './base/waiting-callers.js';
import { DeleteOperations } from './writes/delete-operations.js';
import { SetOperations } from './writes/set-operations.js';
import { ReceivedInvalidations } from './writes/received-invalidations.js';
import { Writes } from './writes/writes.js';

/** The parts of one cache, connected. */
export interface Engine {
  readonly log: OnceLog;
  readonly events: CacheEvents;
  readonly callers: WaitingCallers;
  readonly watchers: Watchers;
  readonly policies: PolicyCache;
  readonly overrides: PolicyOverrides;
  readonly classes: KnownClasses;
  readonly keyPolicies: KeyPolicies;
  readonly chain: LayerChain;
  readonly bus: InvalidationBus;
  readonly inFlight: InFlightLoads;
  readonly signals: AbortSignals;
  readonly localHits: LocalHits;
  readonly reads: RemoteReads;
  readonly plainReads: PlainReads;
  readonly getOrLoad: GetOrLoad;
  readonly writes: Writes;
  readonly receivedInvalidations: ReceivedInvalidations;
  readonly sets: SetOperations;
  readonly deletes: DeleteOperations;
}

export function assemble(options: LayeredCacheOptions & { clock: Clock; random: () => number }): Engine {
  const { observer, clock, random, tracer, accesses } = options;
  const log = new OnceLog(options.log);
  const events = new CacheEvents(options.callbacks ?? new CallbackErrors(options.log));
  const invalidations = new Invalidations();
  const reasons = new MissReasons();
  const policies = new PolicyCache({ ...options.policy, ttl: options.ttl });
  const policy = policies.defaults;
  const overrides = new PolicyOverrides(policies);
  const keyPolicies = new KeyPolicies();
  const classes = new KnownClasses([...listedClasses(options.classes ?? []), ...policy.classes]);

  const layers = layersOf(options, invalidations, reasons, log);
  const chain = new LayerChain(layers, observer, clock, log, classes);
  const coordination = layers.find((layer) => layer.coordination !== undefined)?.coordination;
  const bus = new InvalidationBus(coordination, clock, log);

  const callers = new WaitingCallers(clock);
  const watchers = new Watchers();
  const offer = new HitOffer(accesses);
  const localHits = new LocalHits(chain.local, invalidations, observer, clock, watchers, offer);
  const reads = new RemoteReads(
    localHits, chain, invalidations, reasons, observer, clock, tracer, policy, keyPolicies, accesses,
  ); // prettier-ignore
  const plainReads = new PlainReads(localHits, reads, observer, clock, events, watchers, policy, callers);

  const inFlight = new InFlightLoads(invalidations);
  const signals = new AbortSignals();
  const getOrLoad = new GetOrLoad({
    observer, offer, clock, random, tracer, log, events, invalidations, reasons, chain, inFlight, signals, callers,
    nested: new NestedLoads(),
    deadlines: new Deadlines(clock),
    failedOrigins: new FailedOrigins(),
    lock: coordination === undefined ? undefined : new LoadLock(coordination, clock),
    entryWriter: new EntryWriter(chain, observer, clock, log, invalidations, reasons, classes, random),
  }); // prettier-ignore

  const writes = new Writes(chain, inFlight, invalidations, reasons, bus, clock, accesses);
  const receivedInvalidations = new ReceivedInvalidations(chain, reasons, writes);
  const sets = new SetOperations(
    writes, invalidations, observer, clock, events, policy, overrides, keyPolicies, random, tracer, classes, accesses,
  ); // prettier-ignore
  const deletes = new DeleteOperations(writes, invalidations, reads, observer, clock, events, tracer);
  return {
    log, events, callers, watchers, policies, overrides, classes, keyPolicies, chain, bus, inFlight, signals, localHits, reads,
    plainReads, getOrLoad, writes, receivedInvalidations, sets, deletes,
  }; // prettier-ignore
}

function layersOf(
  { layers: factories, namespace, version, observer, clock, accesses }: LayeredCacheOptions & { clock: Clock },
  invalidations: Invalidations,
  reasons: MissReasons,
  log: OnceLog,
): Layer[] {
  const prefix = sharedPrefix(namespace, version);
  const layers = factories.map((factory, index) => {
    const events = layerEvents(factory.name, index, observer, reasons, log, clock, accesses);
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
  clock: Clock,
  accesses: AccessStream | undefined,
): LayerEvents {
  return {
    evicted(reason, count, key, track, at = clock.now()) {
      if (key !== undefined && index === 0) reasons.evicted(key);
      if (index === 0 && track !== undefined && track !== 0) {
        accesses?.removed(track, reason === EvictionReason.expired ? Removal.expired : Removal.evicted, at);
      }
      observer.evicted(index, reason, count, at);
    },
    // Only the entries of the first layer have tracks.
    ...(index === 0 &&
      accesses !== undefined && {
        held: (key: string, entry: Entry) => accesses.held(key, entry),
        released: (entry: Entry) => accesses.released(entry),
      }),
    invalidated: (key) => {
      if (index === 0) reasons.invalidated(key);
    },
    answered: () => failureEnded(log, name),
    circuit: (state) => {
      observer.circuit(index, state);
      // The circuit may close without a call that would show that the failure has ended.
      if (state === CircuitState.closed) failureEnded(log, name);
    },
    queueDepth: (depth) => observer.queueDepth(index, depth),
    writeDropped: (count) => observer.writeDropped(index, count),
    asyncWrite: (result, durationMs, keys) => observer.asyncWrite(index, result, durationMs, keys),
    log: (level, code, message, cause) =>
      log.write(level, code, message, cause === undefined ? { layer: name } : { layer: name, cause }),
  };
}
