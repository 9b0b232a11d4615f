import type { ServerResponse } from 'node:http';
import { Get, Inject, Req, Res, type Type } from '@nestjs/common';
import { LiveEvents } from './live-events.js';
import { MonitoringError } from './monitoring-error.js';
import { MonitoredRoutes } from './monitored-routes.js';
import type { MonitoringRequest } from './parameters.js';
import type { Monitoring } from './monitoring.options.js';

/** The part of Fastify's reply that a raw stream needs. */
interface FastifyAnswer {
  readonly raw: ServerResponse;
  getHeaders(): Readonly<Record<string, unknown>>;
  hijack(): unknown;
}

/** The route of the event stream; each registration has its own class. */
export function eventsController(monitoring: Monitoring): Type {
  @MonitoredRoutes(monitoring)
  class CacheEventsController {
    readonly #events: LiveEvents;

    constructor(@Inject(LiveEvents) events: LiveEvents) {
      this.#events = events;
    }

    @Get('events')
    events(@Req() request: MonitoringRequest, @Res() response: ServerResponse | FastifyAnswer): void {
      const foreign = 'hijack' in response;
      const raw = foreign ? response.raw : response;
      // Express and Fastify answer HEAD with the handler of GET: a stream without a body would never end.
      if (raw.req.method === 'HEAD') throw new MonitoringError(405, 'STREAM_ONLY', 'Events are read with GET.');
      this.#events.admit();
      const headers = foreign ? response.getHeaders() : {};
      if (foreign) response.hijack();
      this.#events.connect(raw, headers, String(request.headers?.['last-event-id'] ?? ''));
    }
  }
  return CacheEventsController;
}
