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
import { noBodyOf } from '../monitoring/bodies.js';
import { MonitoredRoutes } from '../monitoring/monitored-routes.js';
import type { Monitoring } from '../monitoring/monitoring.options.js';
import { MonitoringError, MonitoringErrorFilter } from '../monitoring/monitoring-error.js';
import type { MonitoringRequest } from '../monitoring/parameters.js';
import { Reply } from '../monitoring/reply.js';
import { ClientFiles, preferred } from './client-files.js';
import { DASHBOARD_FACTS, type DashboardFacts } from './dashboard-facts.js';
import { Overview } from './overview.js';

/**
 * Nothing but our own files runs in the page or styles it, and it talks to our own routes alone. Sent by the page itself, it takes the
 * place of an application's policy, such as that of helmet, whose `upgrade-insecure-requests` would break plain HTTP.
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

/** The page and its files: they hold no data, so they have no guard of `monitoring`. */
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
      // The page's own addresses are relative to its folder, and a slash at the end would make it another one.
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

/** What the page asks of the application beside the other routes. */
export function dashboardContextController(monitoring: Monitoring): Type {
  @MonitoredRoutes({ ...monitoring, swagger: false })
  class CacheDashboardContextController {
    constructor(
      @Inject(DASHBOARD_FACTS) private readonly facts: () => Promise<DashboardFacts>,
      @Inject(Overview) private readonly overview: Overview,
      @Inject(Reply) private readonly reply: Reply,
    ) {}

    @Get('dashboard/context')
    async context(@Res() response: unknown): Promise<void> {
      this.reply.json(response, await this.facts());
    }

    /** What the page shows, in one answer for all pages that show the same. */
    @Get('dashboard/overview')
    async parts(@Req() request: PageRequest, @Res() response: unknown): Promise<void> {
      const { plain, gzip, tag } = await this.overview.answer(request);
      const packed =
        preferred(String(request.headers['accept-encoding'] ?? ''), ['gzip']) === 'gzip' ? await gzip : undefined;
      this.reply.header(response, 'Vary', 'Accept-Encoding');
      this.reply.header(response, 'ETag', tag);
      this.reply.header(response, 'X-Cache-Pace', String(this.overview.pace));
      if (packed !== undefined) this.reply.header(response, 'Content-Encoding', 'gzip');
      this.reply.keepOpen(response);
      this.reply.bytes(response, packed ?? plain, 'application/json; charset=utf-8');
    }

    /** Changes nothing: it passes exactly where the caller may change something. */
    @Post('dashboard/write-access')
    @Write(monitoring)
    writeAccess(@Req() request: MonitoringRequest, @Res() response: unknown): void {
      noBodyOf(request);
      this.reply.json(response, { writes: true });
    }
  }
  return CacheDashboardContextController;
}

/** Keeps a controller out of the document of @nestjs/swagger. */
function undocumented(target: object): void {
  Reflect.defineMetadata('swagger/apiExcludeController', [true], target);
}
