import type { Provider, Type } from '@nestjs/common';
import { controlController } from './control.controller.js';
import type { Monitoring } from './monitored-routes.js';
import { Reply } from './reply.js';
import { serverController } from './server.controller.js';
import { ServerInformation } from './server-information.js';
import { statisticsController } from './statistics.controller.js';
import { describeForSwagger } from './swagger.js';

/** The monitoring routes of one registration: their controllers, and what those inject beside cache, metrics and warmer. */
export function monitoringRoutes(monitoring: Monitoring): { controllers: Type[]; providers: Provider[] } {
  const controllers = [statisticsController, serverController, controlController].map((make) => make(monitoring));
  const description: Provider[] = monitoring.swagger
    ? [{ provide: Symbol('cache-observability:swagger'), useFactory: () => describeForSwagger(controllers) }]
    : [];
  return { controllers, providers: [Reply, ServerInformation, ...description] };
}
