/** The version of this package, as in package.json, which bundles do not contain. */
export const VERSION = '0.1.0';

/** All copies of this package in a process share this list. */
const IN_USE = Symbol.for('nestjs-cache-observability:versions');

/** Records that this copy decorates a class or runs in an application. */
export function noteVersion(): void {
  versionsInUse().add(VERSION);
}

/** The versions of this package in use in this process. */
export function versionsInUse(): Set<string> {
  return ((globalThis as { [IN_USE]?: Set<string> })[IN_USE] ??= new Set());
}
