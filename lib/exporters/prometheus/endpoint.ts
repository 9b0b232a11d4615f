import {
  applyDecorators,
  Controller,
  Get,
  Inject,
  Injectable,
  type OnApplicationShutdown,
  Optional,
  type Provider,
  Req,
  Res,
  type Type,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { PrometheusController, PrometheusModule } from '@willsoto/nestjs-prometheus';
import { collectDefaultMetrics, register } from 'prom-client';
import type { PrometheusOptions } from './prometheus.options.js';
import { CacheMetrics } from '../../metrics/cache-metrics.js';
import { EXEMPLARS, type ExemplarSource } from './exemplars.js';
import { formatFor } from './negotiation.js';
import { registerFamilies } from './registry.js';
import { registryOpenMetrics } from './registry-text.js';
import { CONTENT_TYPES, PrometheusExposition } from './text.js';

/** Where Nest notes that a handler does not send its answer itself; set by the controller that ours extends. */
const RESPONSE_PASSTHROUGH = '__responsePassthrough__';

/** One of prom-client's default metrics: where it is registered, all of them are. */
const DEFAULT_METRIC = 'process_cpu_user_seconds_total';

/** The part of a request that says which format is wanted. */
interface ScrapeRequest {
  readonly headers?: { readonly accept?: string };
}

/** The last line of OpenMetrics' format, which nothing may follow. */
const END_OF_EXPOSITION = /# EOF\n?$/;

/**
 * The exposition at a path of its own: what stands in prom-client's registry, then this application's cache. Where the
 * application has its own PrometheusModule, the route is left out and the families go into that registry instead.
 */
export function prometheusEndpoint(
  options: Required<PrometheusOptions>,
  decorators: readonly ClassDecorator[],
): { controllers: Type[]; providers: Provider[] } {
  const controller = expositionController(options.path, decorators);

  @Injectable()
  class CachePrometheus implements OnApplicationShutdown {
    readonly #withdraw: () => void = () => undefined;

    // Not later: the routes are made as soon as every instance is.
    constructor(@Inject(ModulesContainer) modules: ModulesContainer, @Inject(CacheMetrics) metrics: CacheMetrics) {
      if (hasPrometheusModule(modules)) {
        for (const { controllers } of modules.values()) controllers.delete(controller);
        this.#withdraw = registerFamilies(register, metrics, metrics.prefix);
      } else if (options.defaultMetrics && register.getSingleMetric(DEFAULT_METRIC) === undefined) {
        collectDefaultMetrics();
      }
    }

    onApplicationShutdown(): void {
      this.#withdraw();
    }
  }
  return { controllers: [controller], providers: [CachePrometheus] };
}

function expositionController(path: string, decorators: readonly ClassDecorator[]): Type {
  @applyDecorators(Controller({ path, version: VERSION_NEUTRAL }), ...decorators)
  class CachePrometheusController extends PrometheusController {
    readonly #metrics: CacheMetrics;
    readonly #classic: PrometheusExposition;
    readonly #openMetrics: PrometheusExposition;
    readonly #host: HttpAdapterHost;

    constructor(
      @Inject(CacheMetrics) metrics: CacheMetrics,
      @Inject(HttpAdapterHost) host: HttpAdapterHost,
      @Optional() @Inject(EXEMPLARS) exemplars?: ExemplarSource | null,
    ) {
      super();
      this.#metrics = metrics;
      this.#classic = new PrometheusExposition(metrics);
      this.#openMetrics = new PrometheusExposition(metrics, {
        format: 'openmetrics',
        ...(exemplars ? { exemplars } : {}),
      });
      this.#host = host;
    }

    // Sends by itself: an interceptor that wraps or maps every answer of the application would break the format.
    @Get()
    override async index(@Res() response: unknown, @Req() request?: ScrapeRequest): Promise<string> {
      await this.#metrics.refresh();
      // Where the application chose OpenMetrics for its registry, everybody gets that.
      const chosen = register.contentType.includes('openmetrics');
      const format = chosen ? 'openmetrics' : formatFor(request?.headers?.accept);
      const registered =
        format === 'openmetrics' && !chosen ? await registryOpenMetrics(register) : await super.index(response);
      const own = format === 'openmetrics' ? this.#openMetrics : this.#classic;
      const text =
        `${registered.replace(END_OF_EXPOSITION, '').trimEnd()}\n${(await own.collectBytes()).toString()}`.trimStart();
      this.#host.httpAdapter.setHeader(response, 'Content-Type', CONTENT_TYPES[format]);
      this.#host.httpAdapter.setHeader(response, 'Vary', 'Accept');
      this.#host.httpAdapter.reply(response, text, 200);
      return text;
    }
  }
  Reflect.defineMetadata(RESPONSE_PASSTHROUGH, false, CachePrometheusController, 'index');
  return CachePrometheusController;
}

function hasPrometheusModule(modules: ModulesContainer): boolean {
  return [...modules.values()].some(
    ({ metatype }) => metatype === PrometheusModule || metatype.name === PrometheusModule.name,
  );
}
