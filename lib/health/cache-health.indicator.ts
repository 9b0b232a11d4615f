import type { HealthIndicatorResult } from '@nestjs/terminus';
import { Inject, Injectable } from '@nestjs/common';
import type { Layer } from '../cache/layers/layer.js';
import { CacheMetrics } from '../metrics/cache-metrics.js';
import type { HealthReport } from '../metrics/snapshot.js';

/** What the indicator looks at; bound by the module to its own cache. */
export interface HealthSubject {
  readonly layers: readonly Layer[];
  /** Names of the layers without which the application does not start. */
  readonly required: ReadonlySet<string>;
  /** True once the cache was disconnected. */
  closed(): boolean;
}

export const HEALTH_SUBJECT = Symbol('cache-observability:health-subject');

/**
 * The cache's health for Terminus: `up`; `degraded` where it serves but is slow, misses too often or has lost a layer;
 * `down` only where a `required` layer cannot be reached or the cache is closed, so that a lost cache takes nobody out of
 * service who can still answer. Terminus before 12 knows no `degraded`: there it is `up` with `health: 'degraded'`.
 *
 * @example
 * ```ts
 * @Get() @HealthCheck()
 * check() {
 *   return this.health.check([() => this.cache.isHealthy('cache')]);
 * }
 * ```
 *
 * @publicApi
 */
@Injectable()
export class CacheHealthIndicator {
  readonly #metrics: CacheMetrics;
  readonly #subject: HealthSubject;

  constructor(@Inject(CacheMetrics) metrics: CacheMetrics, @Inject(HEALTH_SUBJECT) subject: HealthSubject) {
    this.#metrics = metrics;
    this.#subject = subject;
  }

  async isHealthy<const Key extends string>(key: Key): Promise<HealthIndicatorResult<Key>> {
    // The application has Terminus where it asks; who never asks does not load it.
    const { HealthIndicatorService } = await import('@nestjs/terminus');
    const session = new HealthIndicatorService().check(key);
    if (this.#subject.closed()) return session.down('the cache is closed');
    const report = await this.#metrics.collectHealth();
    const layers = this.#subject.layers.map((layer) => ({ name: layer.name, reached: layer.status().connected }));
    const lost = layers.filter(({ reached }) => !reached).map(({ name }) => name);
    const details = detailsOf(report, layers);
    const missing = lost.filter((name) => this.#subject.required.has(name));
    if (missing.length > 0) {
      return session.down({ ...details, message: `required and out of reach: ${missing.join(', ')}` });
    }
    const impaired = lost.length > 0 || report.status === 'degraded' || report.warnings.some(tellsOfALayer);
    if (!impaired) return session.up(details);
    const older = typeof (session as Partial<typeof session>).degraded !== 'function';
    return older ? session.up(details) : session.degraded(details);
  }
}

function tellsOfALayer({ code }: HealthReport['warnings'][number]): boolean {
  return code === 'CIRCUIT_OPEN' || code === 'LAYER_DOWN';
}

function detailsOf(report: HealthReport, layers: readonly { name: string; reached: boolean }[]) {
  return {
    health: report.status,
    hitRate: report.hitRate,
    avgResponseTimeMs: report.avgResponseTimeMs,
    p95ResponseTimeMs: report.p95ResponseTimeMs,
    totalRequests: report.totalRequests,
    layers: Object.fromEntries(layers.map(({ name, reached }) => [name, reached ? 'up' : 'down'])),
    warnings: report.warnings.map(({ code, message }) => ({ code, message })),
  };
}
