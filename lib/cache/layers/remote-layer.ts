import type { Layer, LayerContext, LayerFactory } from './layer.js';
import type { RemoteLayerOptions } from './remote-layer-options.js';

export const DEFAULT_DEADLINE_MS = 500;

/** The factory of a layer outside this process: the bare layer, made resilient, and written behind where it is asked for. */
export function remoteLayer(
  kind: string,
  options: RemoteLayerOptions,
  create: (context: LayerContext, name: string) => Layer,
): LayerFactory {
  const name = options.name ?? kind;
  return { name, required: options.required ?? false, create: (context) => create(context, name) };
}
