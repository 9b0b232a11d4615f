import { LateLayer, type LateLayerFacts } from '../late-layer.js';
import { layerFactory, type LayerParts } from '../layer-options.js';
import type { Layer, LayerContext, LayerFactory } from '../layer.js';
import { shape } from '../../options/option-rules.js';
import type { RemoteLayerOptions } from './remote-layer-options.js';
import { remoteFields } from './remote-layer-rules.js';

/** A bare layer whose code is not loaded yet. */
export interface UnloadedLayer extends Omit<LateLayerFacts, 'name'> {
  load(): Promise<Layer>;
}

/**
 * Returns the factory of a layer outside this process. The code of the layer, and the code that makes it resilient, is loaded at its first
 * use.
 * @param about describes the function that creates the layer. Without it, the layer is a store of this kind.
 */
export function remoteLayer(
  kind: string,
  options: RemoteLayerOptions,
  create: (context: LayerContext, name: string) => UnloadedLayer,
  about: Partial<Omit<LayerParts, 'kind' | 'options' | 'create'>> = {},
): LayerFactory {
  return layerFactory({
    maker: kind,
    rule: shape(remoteFields),
    shared: true,
    address: kind,
    ...about,
    kind,
    options,
    create: (context, name) => {
      const { load, ...facts } = create(context, name);
      return new LateLayer({ name, ...facts }, async () => {
        const [bare, { guardedLayer }] = await Promise.all([load(), import('./guarded-layer.js')]);
        return guardedLayer(bare, options, context);
      });
    },
  });
}
