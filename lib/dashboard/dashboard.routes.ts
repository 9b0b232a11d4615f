import type { Provider, Type } from '@nestjs/common';
import type { Monitoring } from '../monitoring/monitoring.options.js';
import { ClientFiles } from './client-files.js';
import { dashboardContextController, dashboardController } from './dashboard.controller.js';

/** Returns the controllers and providers of the dashboard; none with `monitoring: { dashboard: false }`. */
export function dashboardRoutes(monitoring: Monitoring): { controllers: Type[]; providers: Provider[] } {
  if (!monitoring.dashboard) return { controllers: [], providers: [] };
  const controllers = [dashboardController, dashboardContextController].map((make) => make(monitoring));
  return { controllers, providers: [ClientFiles] };
}
