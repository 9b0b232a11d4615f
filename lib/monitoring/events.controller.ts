import type { ServerResponse } from 'node:http';
import { Get, Inject, Res, type Type } from '@nestjs/common';
import { LiveEvents } from './live/live-events.js';
import { type Monitoring, MonitoredRoutes } from './monitored-routes.js';

/** The answer of Fastify, as far as a stream that it does not know of needs it. */
interface FastifyAnswer {
  readonly raw: ServerResponse;
  getHeaders(): Readonly<Record<string, unknown>>;
  hijack(): unknown;
}

/** The route of the event stream; a class of its own for every registration. */
export function eventsController(monitoring: Monitoring): Type {
  @MonitoredRoutes(monitoring)
  class CacheEventsController {
    readonly #events: LiveEvents;

    constructor(@Inject(LiveEvents) events: LiveEvents) {
      this.#events = events;
    }

    @Get('events')
    events(@Res() response: ServerResponse | FastifyAnswer): void {
      this.#events.admit();
      if (!('hijack' in response)) return this.#events.connect(response);
      const headers = response.getHeaders();
      response.hijack();
      this.#events.connect(response.raw, headers);
    }
  }
  return CacheEventsController;
}
