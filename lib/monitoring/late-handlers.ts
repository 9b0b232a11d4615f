import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { DatabaseMetrics } from '../database/records/database-metrics.js';
import { FLEET, type FleetAnswers } from '../fleet/fleet-answers.js';
import { Instances } from '../instances/instances.js';
import { CacheMetrics } from '../metrics/cache-metrics.js';
import type { CacheProfiler } from '../profiling/profiler.js';
import { CacheWarmer } from '../warming/cache-warmer.js';
import { MONITORED_CACHE, MONITORED_CACHES, type MonitoredCache, type MonitoredCaches } from './monitored-cache.js';
import type { MonitoringRequest } from './parameters.js';
import type { ReadingName } from './readings.js';
import { Reply } from './reply.js';
import type { RouteHandlers, RouteSubjects } from './route-handlers.js';

/** Token of the profiler that samples this cache; undefined if profiling is off. */
export const MONITORED_PROFILER = Symbol('cache-observability:monitored-profiler');

/** A method of {@link RouteHandlers} that answers a route. */
export type RouteName = Exclude<keyof RouteHandlers, 'shared' | 'readings' | 'read' | 'close'>;

/** Loads the code of the routes at the first request to one of them. */
@Injectable()
export class LateHandlers implements OnModuleDestroy {
  readonly #subjects: RouteSubjects;
  #loading: Promise<RouteHandlers> | undefined;
  #isClosed = false;

  constructor(
    @Inject(Reply) reply: Reply,
    @Inject(MONITORED_CACHE) cache: MonitoredCache,
    @Inject(CacheMetrics) metrics: CacheMetrics,
    @Inject(MONITORED_CACHES) named: MonitoredCaches,
    @Inject(FLEET) fleet: FleetAnswers,
    @Inject(DatabaseMetrics) databases: DatabaseMetrics,
    @Inject(Instances) instances: Instances,
    @Inject(CacheWarmer) warmer: CacheWarmer,
    @Inject(MONITORED_PROFILER) profiler: CacheProfiler | undefined,
  ) {
    this.#subjects = { reply, cache, metrics, named, fleet, databases, instances, warmer, profiler };
  }

  /** Returns the handlers, loading them if needed. After a failure, the next request loads them again. */
  loaded(): Promise<RouteHandlers> {
    return (this.#loading ??= import('./route-handlers.js').then(
      (code) => {
        const handlers = new code.RouteHandlers(this.#subjects);
        if (this.#isClosed) handlers.close();
        return handlers;
      },
      (error: unknown) => {
        this.#loading = undefined;
        throw error;
      },
    ));
  }

  /** Answers a request to a route that reads. */
  async read(name: ReadingName, request: MonitoringRequest, response: unknown): Promise<void> {
    const handlers = await this.loaded();
    return handlers.read(name, request, response);
  }

  async answer(name: RouteName, request: MonitoringRequest, response: unknown): Promise<void> {
    const handlers = await this.loaded();
    return handlers[name](request, response);
  }

  /** Runs before the server waits for its connections to end. */
  async onModuleDestroy(): Promise<void> {
    this.#isClosed = true;
    // If loading failed, there is nothing to close.
    const handlers = await this.#loading?.catch(() => undefined);
    handlers?.close();
  }
}
