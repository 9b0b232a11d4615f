import type { Provider, Type } from '@nestjs/common';
import { controlController } from './control.controller.js';
import { CpuProfiler } from '../profiling/cpu-profile.js';
import { eventsController } from './events.controller.js';
import { LiveEvents, MAX_EVENT_CLIENTS } from './live/live-events.js';
import type { Monitoring } from './monitored-routes.js';
import { profileController } from './profile.controller.js';
import { Reply } from './reply.js';
import { serverController } from './server.controller.js';
import { ServerInformation } from './server-information.js';
import { statisticsController } from './statistics.controller.js';
import { describeForSwagger } from './swagger.js';

/** The monitoring routes of one registration: their controllers, and what those inject beside cache, metrics and warmer. */
export function monitoringRoutes(monitoring: Monitoring): { controllers: Type[]; providers: Provider[] } {
  const controllers = [
    statisticsController,
    serverController,
    controlController,
    eventsController,
    profileController,
  ].map((make) => make(monitoring));
  const description: Provider[] = monitoring.swagger
    ? [{ provide: Symbol('cache-observability:swagger'), useFactory: () => describeForSwagger(controllers) }]
    : [];
  const clients = { provide: MAX_EVENT_CLIENTS, useValue: monitoring.maxEventClients };
  return { controllers, providers: [Reply, ServerInformation, CpuProfiler, clients, LiveEvents, ...description] };
}
