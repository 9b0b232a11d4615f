import { createRequire } from 'node:module';
import type * as CronPackage from 'cron';

/** The parser and job of @nestjs/schedule, loaded with the first cron expression: most applications name none. */
export function cronPackage(): typeof CronPackage {
  return createRequire(import.meta.url)('cron') as typeof CronPackage;
}
