import { applyDecorators, Controller, UseFilters, UseGuards, VERSION_NEUTRAL } from '@nestjs/common';
import type { Monitoring } from './monitoring.options.js';
import { NoStore } from './access.js';
import { MonitoringErrorFilter } from './monitoring-error.js';

/** The metadata key by which @nestjs/swagger excludes a controller. */
const SWAGGER_EXCLUDED = 'swagger/apiExcludeController';

/** Decorates a monitoring controller: its path, for any version; answers that are not stored; guards; the format of errors. */
export function MonitoredRoutes(monitoring: Monitoring): ClassDecorator {
  return applyDecorators(
    Controller({ path: monitoring.path, version: VERSION_NEUTRAL }),
    UseGuards(NoStore, ...monitoring.guards),
    UseFilters(MonitoringErrorFilter),
    ...(monitoring.swagger ? [] : [(target: object) => Reflect.defineMetadata(SWAGGER_EXCLUDED, [true], target)]),
    ...monitoring.decorators,
  );
}
