import { CacheError } from '../cache/errors.js';

/**
 * Loads a package that only some need.
 * @throws CacheError `MISSING_PACKAGE` where it is not installed.
 */
export async function optionalPackage<T>(name: string, neededBy: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    throw new CacheError('MISSING_PACKAGE', `${neededBy} needs the package ${name}: npm install ${name}`, { cause });
  }
}
