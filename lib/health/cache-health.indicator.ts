import type { HealthIndicatorResult } from '@nestjs/terminus';
import { Inject, Injectable } from '@nestjs/common';
import { optionalPackage } from '../cache/optional-package.js';
import { isInUse, type Layer } from '../cache/layers/layer.js';
import { CacheMetrics } from '../metrics/cache-metrics.js';
import type { HealthReport } from '../metrics/snapshot.js';

/** The parts of a cache that the indicator checks; the module binds the indicator to its own cache. */
export interface HealthSubject {
  readonly layers: readonly Layer[];
  /** Names of the layers without which the application does not start. */
  readonly required: ReadonlySet<string>;
  /** The address of each layer's server as its errors name it, by the name of the layer. */
  readonly addresses: ReadonlyMap<string, string | undefined>;
  /** True once the cache is closed. */
  closed(): boolean;
}

export const HEALTH_SUBJECT = Symbol('cache-observability:health-subject');

/**
 * Reports the cache's health to Terminus: `up`; `degraded` if the cache answers but is slow, misses too often or has lost a layer;
 * `down` only if a `required` layer cannot be reached or the cache is closed. So an instance stays in service without its cache while it
 * can answer. Terminus before 12 has no `degraded`: then the result is `up`, and `health` is the status of `/cache/health`.
 * Health routes are often public, so the details contain no address of a server.
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
  constructor(
    @Inject(CacheMetrics) private readonly metrics: CacheMetrics,
    @Inject(HEALTH_SUBJECT) private readonly subject: HealthSubject,
  ) {}

  async isHealthy<const Key extends string>(key: Key): Promise<HealthIndicatorResult<Key>> {
    // Loaded at the first check: an application without health checks needs no Terminus.
    const load = () => import('@nestjs/terminus');
    const { HealthIndicatorService } = await optionalPackage('@nestjs/terminus', 'CacheHealthIndicator', load);
    const session = new HealthIndicatorService().check(key);
    if (this.subject.closed()) return session.down('the cache is closed');
    const report = await this.metrics.collectHealth();
    const layers = this.subject.layers.map((layer) => {
      const status = layer.status();
      // If a server hangs, its connections remain, but the layer is not used.
      return { name: layer.name, reached: status.connected, used: isInUse(status), failure: status.failure };
    });
    const lost = layers.filter(({ reached }) => !reached);
    const details = detailsOf(report, layers, (text, layer) => this.#withoutAddress(text, layer));
    const missing = lost.filter(({ name }) => this.subject.required.has(name));
    if (missing.length > 0) {
      const named = missing.map(({ name, failure }) =>
        failure === undefined ? name : `${name} (${this.#withoutAddress(failure, name)})`,
      );
      return session.down({ ...details, message: `required and out of reach: ${named.join(', ')}` });
    }
    const isLeftOut = layers.some(({ used }) => !used) || report.warnings.some(concernsALayer);
    const impaired = isLeftOut || report.status === 'degraded';
    if (!impaired) return session.up(details);
    const older = typeof (session as Partial<typeof session>).degraded !== 'function';
    return older ? session.up(details) : session.degraded(details);
  }

  #withoutAddress(text: string, layer: string): string {
    const address = this.subject.addresses.get(layer);
    return address === undefined ? text : text.replaceAll(address, 'its server');
  }
}

function concernsALayer({ code }: HealthReport['warnings'][number]): boolean {
  return code === 'CIRCUIT_OPEN' || code === 'LAYER_DOWN';
}

function detailsOf(
  report: HealthReport,
  layers: readonly { name: string; used: boolean }[],
  withoutAddress: (text: string, layer: string) => string,
) {
  return {
    health: report.status,
    hitRate: report.hitRate,
    avgResponseTimeMs: report.avgResponseTimeMs,
    p95ResponseTimeMs: report.p95ResponseTimeMs,
    totalRequests: report.totalRequests,
    layers: Object.fromEntries(layers.map(({ name, used }) => [name, used ? 'up' : 'down'])),
    warnings: report.warnings.map(({ code, message, layer }) => ({
      code,
      message: layer === undefined ? message : withoutAddress(message, layer),
    })),
  };
}
