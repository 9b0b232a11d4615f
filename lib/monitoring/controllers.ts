import type { Provider, Type } from '@nestjs/common';
import { controlController } from './control.controller.js';
import { eventsController } from './events.controller.js';
import { insightsController } from './insights.controller.js';
import { LateHandlers } from './late-handlers.js';
import { LiveEvents, MAX_EVENT_CLIENTS } from './live-events.js';
import type { Monitoring } from './monitoring.options.js';
import { profileController } from './profile.controller.js';
import { Reply } from './reply.js';
import { serverController } from './server.controller.js';
import { policiesController } from './policies.controller.js';
import { statisticsController } from './statistics.controller.js';

/** Creates the monitoring routes of one registration: the controllers, and the providers that they inject. */
export function monitoringRoutes(monitoring: Monitoring): { controllers: Type[]; providers: Provider[] } {
  const controllers = [
    statisticsController,
    insightsController,
    serverController,
    controlController,
    eventsController,
    profileController,
    policiesController,
  ].map((make) => make(monitoring));
  const description: Provider[] = monitoring.swagger
    ? [
        {
          provide: Symbol('cache-observability:swagger'),
          useFactory: async () => (await import('./openapi-routes.js')).describeRoutes(controllers),
        },
      ]
    : [];
  const clients = { provide: MAX_EVENT_CLIENTS, useValue: monitoring.maxEventClients };
  return {
    controllers,
    providers: [Reply, LateHandlers, clients, LiveEvents, ...description],
  };
}
