import type { CachingRuntime } from './caching-runtime.js';

/**
 * How decorated classes find the runtime of their application: injected into them as an optional property. It depends on
 * nothing, so that a class the module's own options depend on may be cached too; until the runtime stands, calls pass through.
 */
export class CachingLink {
  runtime: CachingRuntime | undefined;
}
