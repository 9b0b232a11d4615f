import { createRequire } from 'node:module';

/**
 * Returns the path of the file that holds this code: the compiled file of this package, or a bundle that contains it. The path is read from a stack,
 * because neither `__filename` nor `import.meta` exists in both module systems and in every bundle. Undefined if stacks cannot be read.
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
    // Code that freezes intrinsics makes the assignment throw.
    return undefined;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    if (before === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace');
    else Error.prepareStackTrace = before;
  }
}

/**
 * Returns a `require` that loads installed packages, for callers that cannot wait for `import()`. It does not find packages inside a bundle; the
 * errors of its callers explain what to do then.
 */
export function installedRequire(): NodeJS.Require {
  const file = ownFile();
  const isPath = file !== undefined && /^(?:\/|file:|[a-z]:[\\/])/i.test(file);
  return createRequire(isPath ? file : `${process.cwd()}/`);
}

/** Returns true if a package was not found, by the error code of either module system. */
export function isNotInstalled(error: unknown): boolean {
  const { code } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  return code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
}
