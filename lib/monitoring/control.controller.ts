import { Get, Inject, Post, Req, Res, type Type, UseGuards } from '@nestjs/common';
import { DatabaseMetrics } from '../database/database-metrics.js';
import { CacheMetrics } from '../metrics/cache-metrics.js';
import { CacheWarmer } from '../warming/cache-warmer.js';
import { closedInProduction } from './access.js';
import { invalidationsOf, noBodyOf, warmBodyOf } from './bodies.js';
import { MONITORED_CACHE, type MonitoredCache } from './monitored-cache.js';
import { type Monitoring, MonitoredRoutes } from './monitored-routes.js';
import { MonitoringError } from './monitoring-error.js';
import { type MonitoringRequest, pathParameterOf, waitOf } from './parameters.js';
import { Reply } from './reply.js';

/**
 * The routes that change something, and the one that follows a run; a class of its own for every registration. They
 * answer 200, not 201: nothing is made that has an address. A run that is not waited for is 202, with its address.
 */
export function controlController(monitoring: Monitoring): Type {
  const Write = () => UseGuards(closedInProduction(monitoring));

  @MonitoredRoutes(monitoring)
  class CacheControlController {
    readonly #cache: MonitoredCache;
    readonly #metrics: CacheMetrics;
    readonly #databases: DatabaseMetrics;
    readonly #warmer: CacheWarmer;
    readonly #reply: Reply;

    constructor(
      @Inject(MONITORED_CACHE) cache: MonitoredCache,
      @Inject(CacheMetrics) metrics: CacheMetrics,
      @Inject(DatabaseMetrics) databases: DatabaseMetrics,
      @Inject(CacheWarmer) warmer: CacheWarmer,
      @Inject(Reply) reply: Reply,
    ) {
      this.#cache = cache;
      this.#metrics = metrics;
      this.#databases = databases;
      this.#warmer = warmer;
      this.#reply = reply;
    }

    @Post('warm')
    @Write()
    async warm(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      const wait = waitOf(request);
      const { id, done } = this.#warmer.start(warmBodyOf(request));
      if (wait) return this.#reply.json(response, await done);
      this.#reply.header(response, 'Location', `${pathOf(request)}/${id}`);
      this.#reply.json(response, this.#warmer.getReport(id), 202);
    }

    @Get('warm/:id')
    run(@Req() request: MonitoringRequest, @Res() response: unknown): void {
      const report = this.#warmer.getReport(pathParameterOf(request, 'id'));
      if (report === undefined) {
        throw new MonitoringError(404, 'UNKNOWN_RUN', 'No warming run of this id is known; only the latest are kept.');
      }
      this.#reply.json(response, report);
    }

    @Post('reset-metrics')
    @Write()
    reset(@Req() request: MonitoringRequest, @Res() response: unknown): void {
      noBodyOf(request);
      this.#metrics.reset();
      this.#databases.reset();
      this.#reply.json(response, { reset: true, timestamp: new Date().toISOString() });
    }

    @Post('invalidate')
    @Write()
    async invalidate(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      const { keys, patterns, tags } = invalidationsOf(request);
      const present = keys.length > 0 ? await this.#cache.freshKeys(keys) : new Set();
      const [removed] = await Promise.all([
        Promise.all(patterns.map((glob) => this.#cache.deleteByPattern(glob))),
        keys.length > 0 ? this.#cache.mdel([...keys]) : undefined,
        tags.length > 0 ? this.#cache.invalidateTags(...tags) : undefined,
      ]);
      this.#reply.json(response, {
        keys: present.size,
        patterns: removed.reduce((sum, count) => sum + count, 0),
        tags: tags.length,
      });
    }
  }
  return CacheControlController;
}

function pathOf(request: MonitoringRequest): string {
  return (request.originalUrl ?? request.url ?? '').split('?')[0]!;
}
