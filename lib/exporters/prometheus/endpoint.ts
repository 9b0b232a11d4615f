import {
  applyDecorators,
  type CanActivate,
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
  UseGuards,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import type * as PromClient from 'prom-client';
import { CacheMetrics } from '../../metrics/cache-metrics.js';
import { EXEMPLARS, type ExemplarSource } from './exemplars.js';
import { ProcessMetrics } from './process-metrics.js';
import { PROM_CLIENT, promClient } from './prom-client.js';
import { registerFamilies } from './registry.js';
import { registryOpenMetrics } from './registry-text.js';
import { CONTENT_TYPES, formatFor, PrometheusExposition, type TextFormat } from './text.js';

/** The options of the endpoint that Prometheus scrapes. */
export interface PrometheusOptions {
  /** @default '/metrics' */
  path?: string;
  /** Puts the endpoint under the prefix of `app.setGlobalPrefix()`; `false` ignores that prefix. @default true */
  globalPrefix?: boolean;
  /** Guards of the endpoint. Classes that a guard injects are resolved as for `monitoring.guards`. @default [] */
  guards?: (Type<CanActivate> | CanActivate)[];
  /** Includes Node's own metrics, measured from the first scrape on. @default true */
  defaultMetrics?: boolean;
}

/** The module of @willsoto/nestjs-prometheus, which serves prom-client's registry. */
const PROMETHEUS_MODULE = 'PrometheusModule';

/** The part of a request that determines the format. */
interface ScrapeRequest {
  readonly headers?: { readonly accept?: string };
}

/** The last line of OpenMetrics; it must end the exposition. */
const END_OF_EXPOSITION = /# EOF\n?$/;

/**
 * Serves the exposition: the contents of prom-client's registry if that is installed, Node's own metrics, then the metrics of this
 * application's cache. If the application has a PrometheusModule, there is no route; the families are registered in its registry instead.
 */
export function prometheusEndpoint(
  options: Required<PrometheusOptions>,
  decorators: readonly ClassDecorator[],
): { controllers: Type[]; providers: Provider[] } {
  const controller = expositionController(options, decorators);

  @Injectable()
  class CachePrometheus implements OnApplicationShutdown {
    readonly #withdraw: () => void = () => undefined;

    // The controller must be removed in the constructor, because routes are registered as soon as every instance exists.
    constructor(
      @Inject(ModulesContainer) modules: ModulesContainer,
      @Inject(CacheMetrics) metrics: CacheMetrics,
      @Inject(PROM_CLIENT) client: typeof PromClient | null,
    ) {
      if (client === null) return;
      for (const { controllers } of modules.values()) controllers.delete(controller);
      this.#withdraw = registerFamilies(client.register, metrics, metrics.prefix);
    }

    onApplicationShutdown(): void {
      this.#withdraw();
    }
  }
  const client: Provider = {
    provide: PROM_CLIENT,
    inject: [ModulesContainer],
    useFactory: (modules: ModulesContainer) => (hasPrometheusModule(modules) ? promClient() : null),
  };
  return { controllers: [controller], providers: [client, CachePrometheus] };
}

function expositionController(
  { path, guards, defaultMetrics }: Required<PrometheusOptions>,
  decorators: readonly ClassDecorator[],
): Type {
  @applyDecorators(
    Controller({ path, version: VERSION_NEUTRAL }),
    ...(guards.length > 0 ? [UseGuards(...guards)] : []),
    ...decorators,
  )
  class CachePrometheusController {
    readonly #metrics: CacheMetrics;
    readonly #classic: PrometheusExposition;
    readonly #openMetrics: PrometheusExposition;
    readonly #host: HttpAdapterHost;
    /** Loaded at the first scrape, because loading it would slow down the start of the application. */
    #client: Promise<typeof PromClient | null> | undefined;
    #process: ProcessMetrics | undefined;

    constructor(
      @Inject(CacheMetrics) metrics: CacheMetrics,
      @Inject(HttpAdapterHost) host: HttpAdapterHost,
      @Optional() @Inject(EXEMPLARS) exemplars?: ExemplarSource | null,
    ) {
      this.#metrics = metrics;
      this.#classic = new PrometheusExposition(metrics);
      this.#openMetrics = new PrometheusExposition(metrics, {
        format: 'openmetrics',
        ...(exemplars ? { exemplars } : {}),
      });
      this.#host = host;
    }

    // Sends through the adapter: an interceptor that wraps or maps every answer of the application would break the format.
    @Get()
    async index(@Res() response: unknown, @Req() request: ScrapeRequest): Promise<void> {
      const client = await (this.#client ??= promClient());
      if (defaultMetrics && client !== null) this.#process ??= new ProcessMetrics(client);
      await this.#metrics.refresh();
      const format = formatOf(client?.register, request);
      const own = format === 'openmetrics' ? this.#openMetrics : this.#classic;
      const parts = [
        await registeredText(client?.register, format),
        lines((await this.#process?.text(format)) ?? ''),
        (await own.collectBytes()).toString(),
      ];
      const adapter = this.#host.httpAdapter;
      adapter.setHeader(response, 'Content-Type', CONTENT_TYPES[format]);
      adapter.setHeader(response, 'Vary', 'Accept');
      adapter.reply(response, parts.join(''), 200);
    }
  }
  return CachePrometheusController;
}

/** If the application chose OpenMetrics for its registry, every client gets OpenMetrics. */
function formatOf(registry: PromClient.Registry | undefined, request: ScrapeRequest): TextFormat {
  if (registry?.contentType.includes('openmetrics') === true) return 'openmetrics';
  return formatFor(request.headers?.accept);
}

async function registeredText(registry: PromClient.Registry | undefined, format: TextFormat): Promise<string> {
  if (registry === undefined) return '';
  const converted = format === 'openmetrics' && !registry.contentType.includes('openmetrics');
  const text = converted ? await registryOpenMetrics(registry) : await registry.metrics();
  return lines(text.replace(END_OF_EXPOSITION, ''));
}

/** Returns the text with one line end after it, or nothing if it is empty. */
function lines(text: string): string {
  const trimmed = text.trim();
  return trimmed === '' ? '' : `${trimmed}\n`;
}

function hasPrometheusModule(modules: ModulesContainer): boolean {
  return [...modules.values()].some(({ metatype }) => metatype.name === PROMETHEUS_MODULE);
}
