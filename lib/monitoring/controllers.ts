import type { Provider, Type } from '@nestjs/common';
import { NoStore } from './access.js';
import { controlController } from './control.controller.js';
import type { Monitoring } from './monitored-routes.js';
import { MonitoringErrorFilter } from './monitoring-error.filter.js';
import { Reply } from './reply.js';
import { serverController } from './server.controller.js';
import { ServerInformation } from './server-information.js';
import { statisticsController } from './statistics.controller.js';

/** Every controller of the monitoring routes, made for one registration. */
export function monitoringControllers(monitoring: Monitoring): Type[] {
  return [statisticsController(monitoring), serverController(monitoring), controlController(monitoring)];
}

/** What those controllers inject beside the cache, the metrics and the warmer. */
export const monitoringProviders: Provider[] = [Reply, NoStore, MonitoringErrorFilter, ServerInformation];
