import type { IncomingHttpHeaders } from 'node:http';
import {
  applyDecorators,
  Controller,
  Get,
  Inject,
  Param,
  Post,
  Req,
  Res,
  type Type,
  UseFilters,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { Write } from '../monitoring/access.js';
import { LateHandlers } from '../monitoring/late-handlers.js';
import { LiveEvents } from '../monitoring/live-events.js';
import { MonitoredRoutes } from '../monitoring/monitored-routes.js';
import type { Monitoring } from '../monitoring/monitoring.options.js';
import { MonitoringError, MonitoringErrorFilter } from '../monitoring/monitoring-error.js';
import type { MonitoringRequest } from '../monitoring/parameters.js';
import { Reply } from '../monitoring/reply.js';
import { ClientFiles, preferred } from './client-files.js';
import { DASHBOARD_FACTS, type DashboardFacts } from './dashboard-facts.js';
import type { Overview } from './overview.js';

/**
 * Limits scripts, styles, images and requests to this module's own files and routes. The page sends this policy instead of the
 * application's: the policy of helmet has `upgrade-insecure-requests`, which breaks plain HTTP.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join('; ');

interface PageRequest extends MonitoringRequest {
  readonly headers: IncomingHttpHeaders;
}

/** Serves the page and its files. They contain no data, so `monitoring.guards` do not apply. */
export function dashboardController(monitoring: Monitoring): Type {
  @applyDecorators(
    Controller({ path: monitoring.path, version: VERSION_NEUTRAL }),
    UseFilters(MonitoringErrorFilter),
    undocumented,
    ...monitoring.decorators,
  )
  class CacheDashboardController {
    constructor(
      @Inject(ClientFiles) private readonly files: ClientFiles,
      @Inject(Reply) private readonly reply: Reply,
    ) {}

    @Get('dashboard')
    async dashboard(@Req() request: PageRequest, @Res() response: unknown): Promise<void> {
      const [path, query] = (request.originalUrl ?? request.url ?? '').split('?');
      this.reply.header(response, 'Cache-Control', 'no-cache');
      // URLs in the page are relative to its folder, and a slash at the end of the address would change the folder.
      if (path!.endsWith('/')) {
        this.reply.header(response, 'Location', `../dashboard${query === undefined ? '' : `?${query}`}`);
        return this.reply.text(response, '', 'text/plain; charset=utf-8', 301);
      }
      this.reply.header(response, 'Content-Security-Policy', CONTENT_SECURITY_POLICY);
      this.reply.header(response, 'X-Content-Type-Options', 'nosniff');
      this.reply.header(response, 'Referrer-Policy', 'no-referrer');
      this.reply.text(response, await this.files.page(), 'text/html; charset=utf-8');
    }

    @Get('dashboard/assets/:name')
    async asset(@Param('name') name: string, @Req() request: PageRequest, @Res() response: unknown): Promise<void> {
      const file = await this.files.find(name, String(request.headers['accept-encoding'] ?? ''));
      if (file === undefined) {
        this.reply.header(response, 'Cache-Control', 'no-store');
        throw new MonitoringError(
          404,
          'UNKNOWN_ASSET',
          'This file is not part of the dashboard that runs here. Load the page again.',
        );
      }
      this.reply.header(response, 'Cache-Control', 'public, max-age=31536000, immutable');
      this.reply.header(response, 'Vary', 'Accept-Encoding');
      this.reply.header(response, 'X-Content-Type-Options', 'nosniff');
      if (file.encoding !== 'identity') this.reply.header(response, 'Content-Encoding', file.encoding);
      this.reply.bytes(response, file.bytes, file.type);
    }
  }
  return CacheDashboardController;
}

/** Serves the routes that only the page uses. */
export function dashboardContextController(monitoring: Monitoring): Type {
  @MonitoredRoutes({ ...monitoring, swagger: false })
  class CacheDashboardContextController {
    #overview: Promise<Overview> | undefined;

    constructor(
      @Inject(DASHBOARD_FACTS) private readonly facts: () => Promise<DashboardFacts>,
      @Inject(LateHandlers) private readonly handlers: LateHandlers,
      @Inject(LiveEvents) private readonly events: LiveEvents,
      @Inject(Reply) private readonly reply: Reply,
    ) {}

    @Get('dashboard/context')
    async context(@Res() response: unknown): Promise<void> {
      this.reply.json(response, await this.facts());
    }

    /** Returns all data of a page. Pages with the same parts share one answer. */
    @Get('dashboard/overview')
    async parts(@Req() request: PageRequest, @Res() response: unknown): Promise<void> {
      const overview = await (this.#overview ??= this.#makeOverview());
      const { plain, gzip, tag } = await overview.answer(request);
      const packed =
        preferred(String(request.headers['accept-encoding'] ?? ''), ['gzip']) === 'gzip' ? await gzip : undefined;
      this.reply.header(response, 'Vary', 'Accept-Encoding');
      this.reply.header(response, 'ETag', tag);
      this.reply.header(response, 'X-Cache-Pace', String(overview.pace));
      if (packed !== undefined) this.reply.header(response, 'Content-Encoding', 'gzip');
      this.reply.keepOpen(response);
      this.reply.bytes(response, packed ?? plain, 'application/json; charset=utf-8');
    }

    @Post('dashboard/write-access')
    @Write(monitoring)
    writeAccess(@Req() request: MonitoringRequest, @Res() response: unknown): Promise<void> {
      return this.handlers.answer('writeAccess', request, response);
    }

    /** Loads the code at the first request, because most processes never get one. */
    async #makeOverview(): Promise<Overview> {
      const [{ Overview }, { readings, shared }] = await Promise.all([import('./overview.js'), this.handlers.loaded()]);
      return new Overview(readings, shared, this.events, this.facts);
    }
  }
  return CacheDashboardContextController;
}

/** Excludes a controller from the document of @nestjs/swagger. */
function undocumented(target: object): void {
  Reflect.defineMetadata('swagger/apiExcludeController', [true], target);
}
