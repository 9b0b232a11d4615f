import { CacheError } from './base/errors.js';
import { installedRequire, isNotInstalled } from './own-file.js';

/** The versions of optional packages that this library works with, oldest first: `peerDependencies` of package.json, which a test compares. */
export const OPTIONAL_VERSIONS = {
  '@nestjs/swagger': ['^11.0.0', '^12.0.0'],
  '@nestjs/terminus': ['^11.0.0', '^12.0.0'],
  '@opentelemetry/api': ['^1.9.0'],
  'hot-shots': ['^11.0.0', '^12.0.0', '^13.0.0', '^14.0.0', '^15.0.0', '^16.0.0', '^17.0.0'],
  'light-my-request': ['^6.0.0'],
} as const satisfies Record<string, readonly [string, ...string[]]>;

export type OptionalPackage = keyof typeof OPTIONAL_VERSIONS;

/**
 * Loads a package that only some features need.
 * @throws CacheError `MISSING_PACKAGE` if it is not installed. Other errors of the import are thrown unchanged.
 */
export async function optionalPackage<T>(name: OptionalPackage, neededBy: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if (!isNotInstalled(cause)) throw cause;
    throw new CacheError('MISSING_PACKAGE', `${neededBy} needs the package ${name}: ${installCommand(name)}`, {
      cause,
    });
  }
}

/** The command that installs an optional package: its newest major version that works; of those of Nest, the one for the installed Nest. */
export function installCommand(name: OptionalPackage, nest: number | undefined = installedNest()): string {
  const versions = OPTIONAL_VERSIONS[name];
  const version = name.startsWith('@nestjs/') && nest === 11 ? versions[0] : versions.at(-1)!;
  return `npm install ${name}@${Number.parseInt(version.slice(1), 10)}`;
}

/** The major version of the installed Nest; undefined if it cannot be read, as in a bundle. */
function installedNest(): number | undefined {
  try {
    const { version } = installedRequire()('@nestjs/core/package.json') as { readonly version: string };
    return Number.parseInt(version, 10);
  } catch {
    return undefined;
  }
}
