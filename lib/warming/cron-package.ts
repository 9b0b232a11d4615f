import type * as CronPackage from 'cron';
import { installedRequire } from '../cache/own-file.js';

/** Loads the cron package of @nestjs/schedule with the first expression, because most applications have none. */
export class CronLoader {
  #loaded: typeof CronPackage | undefined;

  async load(): Promise<typeof CronPackage> {
    return (this.#loaded ??= await import('cron'));
  }

  /** The package, loaded synchronously; undefined in a bundle that has not loaded it yet. */
  get loaded(): typeof CronPackage | undefined {
    try {
      return (this.#loaded ??= installedRequire()('cron') as typeof CronPackage);
    } catch {
      return undefined;
    }
  }
}
