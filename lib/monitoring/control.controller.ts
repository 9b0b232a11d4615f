import { Get, Inject, Post, Req, Res, type Type } from '@nestjs/common';
import { TimeSlice } from '../cache/base/slices.js';
import { DatabaseMetrics } from '../database/records/database-metrics.js';
import { CacheMetrics } from '../metrics/cache-metrics.js';
import { CacheWarmer } from '../warming/cache-warmer.js';
import { invalidationsOf, noBodyOf, warmBodyOf } from './bodies.js';
import { MONITORED_CACHE, MONITORED_CACHES, type MonitoredCache, type MonitoredCaches } from './monitored-cache.js';
import { MonitoredRoutes } from './monitored-routes.js';
import type { Monitoring } from './monitoring.options.js';
import { MonitoringError } from './monitoring-error.js';
import { cachesOf, type MonitoringRequest, pathParameterOf, waitOf, writtenCacheOf } from './parameters.js';
import { ReadingReply } from './reading-reply.js';
import { Reply } from './reply.js';
import { SharedAnswers } from './shared-answers.js';
import { Write } from './access.js';

/** The answer of `POST invalidate`: fresh keys removed, entries that globs removed, tags given. */
export interface WriteCounts {
  readonly keys: number;
  readonly patterns: number;
  readonly tags: number;
}

/**
 * The routes that change data, and the routes of warming runs; each registration has its own class. They
 * answer 200, not 201: no resource with a URL is created. A run that is not waited for returns 202 with its `Location`.
 */
export function controlController(monitoring: Monitoring): Type {
  @MonitoredRoutes(monitoring)
  class CacheControlController {
    constructor(
      @Inject(MONITORED_CACHE) private readonly cache: MonitoredCache,
      @Inject(CacheMetrics) private readonly metrics: CacheMetrics,
      @Inject(DatabaseMetrics) private readonly databases: DatabaseMetrics,
      @Inject(CacheWarmer) private readonly warmer: CacheWarmer,
      @Inject(ReadingReply) private readonly reading: ReadingReply,
      @Inject(Reply) private readonly reply: Reply,
      @Inject(MONITORED_CACHES) private readonly named: MonitoredCaches,
      @Inject(SharedAnswers) private readonly shared: SharedAnswers,
    ) {}

    @Post('warm')
    @Write(monitoring)
    async warm(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      const wait = waitOf(request);
      const { id, done } = this.warmer.start(warmBodyOf(request));
      if (wait) return this.reply.json(response, await done);
      this.reply.header(response, 'Location', `${pathOf(request)}/${id}`);
      this.reply.json(response, this.warmer.getReport(id), 202);
    }

    @Get('warm')
    runs(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.reading.send('warm', request, response);
    }

    @Get('warm/:id')
    run(@Req() request: MonitoringRequest, @Res() response: unknown): void {
      const report = this.warmer.getReport(pathParameterOf(request, 'id'));
      if (report === undefined) {
        throw new MonitoringError(404, 'UNKNOWN_RUN', 'No warming run of this id is known; only the latest are kept.');
      }
      this.reply.json(response, report);
    }

    @Post('reset-metrics')
    @Write(monitoring)
    reset(@Req() request: MonitoringRequest, @Res() response: unknown): void {
      noBodyOf(request);
      const own: { readonly metrics: CacheMetrics } = { metrics: this.metrics };
      const caches = cachesOf(request, own, this.named.all);
      for (const { metrics } of caches) metrics.reset();
      if (caches.includes(own)) this.databases.reset();
      this.shared.clear();
      this.reply.json(response, { reset: true, timestamp: new Date().toISOString() });
    }

    @Post('invalidate')
    @Write(monitoring)
    async invalidate(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      const { keys, patterns, tags, cache: name } = invalidationsOf(request);
      const cache = writtenCacheOf(name, request, this.named.all) ?? this.cache;
      const present = keys.length > 0 ? await cache.freshKeys(keys) : new Set();
      await Promise.all([
        keys.length > 0 ? cache.mdel([...keys]) : undefined,
        tags.length > 0 ? cache.invalidateTags(...tags) : undefined,
      ]);
      const slice = new TimeSlice();
      let removed = 0;
      // In sequence: each glob is compared with every key.
      for (const glob of patterns) {
        removed += await cache.deleteByPattern(glob);
        if (slice.over) await slice.rest();
      }
      const counts: WriteCounts = { keys: present.size, patterns: removed, tags: tags.length };
      this.reply.json(response, counts);
    }
  }
  return CacheControlController;
}

function pathOf(request: MonitoringRequest): string {
  return (request.originalUrl ?? request.url ?? '').split('?')[0]!;
}
