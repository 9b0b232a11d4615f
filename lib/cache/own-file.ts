import { createRequire } from 'node:module';

/**
 * The file that holds this code: ours, or the bundle that contains it. It is read from a stack, since neither `__filename` nor
 * `import.meta` exists in both module systems and in every bundle. Undefined if stacks cannot be read.
 */
export function ownFile(): string | undefined {
  const { prepareStackTrace: before, stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = 1;
    Error.prepareStackTrace = (_, sites) => sites;
    const holder: { stack?: unknown } = {};
    Error.captureStackTrace(holder);
    return (holder.stack as NodeJS.CallSite[])[0]?.getFileName() ?? undefined;
  } catch {
    // Intrinsics may be frozen.
    return undefined;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    if (before === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace');
    else Error.prepareStackTrace = before;
  }
}

/**
 * Loads installed packages synchronously, for the few callers that cannot wait for `import()`. It does not find packages inside a bundle: the
 * errors of those callers explain what to do then.
 */
export function installedRequire(): NodeJS.Require {
  const file = ownFile();
  const isPath = file !== undefined && /^(?:\/|file:|[a-z]:[\\/])/i.test(file);
  return createRequire(isPath ? file : `${process.cwd()}/`);
}

/** True if a package was not found, by the error code of either module system. */
export function isNotInstalled(error: unknown): boolean {
  const { code } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  return code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
}
