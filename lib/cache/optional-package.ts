import { CacheError } from './base/errors.js';
import { isNotInstalled } from './own-file.js';

/**
 * Loads a package that only some features need.
 * @throws CacheError `MISSING_PACKAGE` if it is not installed. Other errors of the import are thrown unchanged.
 */
export async function optionalPackage<T>(name: string, neededBy: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if (!isNotInstalled(cause)) throw cause;
    throw new CacheError('MISSING_PACKAGE', `${neededBy} needs the package ${name}: npm install ${name}`, { cause });
  }
}
