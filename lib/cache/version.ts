/** The version of this package. It repeats package.json, which a bundle does not contain. */
export const VERSION = '0.1.0';

/** All copies of this package in a process share this set. */
const IN_USE = Symbol.for('nestjs-cache-observability:versions');

/** Records that this copy decorates a class or runs in an application. */
export function noteVersion(): void {
  versionsInUse().add(VERSION);
}

/** The versions of this package in use in this process. */
export function versionsInUse(): Set<string> {
  return ((globalThis as { [IN_USE]?: Set<string> })[IN_USE] ??= new Set());
}
