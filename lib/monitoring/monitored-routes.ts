import { applyDecorators, Controller, UseFilters, UseGuards, VERSION_NEUTRAL } from '@nestjs/common';
import type { Monitoring } from './monitoring.options.js';
import { NoStore } from './access.js';
import { MonitoringErrorFilter } from './monitoring-error.js';

/** Where @nestjs/swagger reads that a controller stays out of the document. */
const SWAGGER_EXCLUDED = 'swagger/apiExcludeController';

/** What every monitoring controller has in common: path, any version, no storing, guards, errors in their own form. */
export function MonitoredRoutes(monitoring: Monitoring): ClassDecorator {
  return applyDecorators(
    Controller({ path: monitoring.path, version: VERSION_NEUTRAL }),
    UseGuards(NoStore, ...monitoring.guards),
    UseFilters(MonitoringErrorFilter),
    ...(monitoring.swagger ? [] : [(target: object) => Reflect.defineMetadata(SWAGGER_EXCLUDED, [true], target)]),
    ...monitoring.decorators,
  );
}
