import { faultsError, faultsIn, isRecord, type OptionFault, type Rule } from '../options/option-rules.js';
import type { Layer, LayerContext, LayerFactory } from './layer.js';

/** What a function such as `redisLayer()` needs to create its factory. */
export interface LayerParts {
  /** The name of the function, for messages: `redisLayer`. */
  readonly maker: string;
  /** The name of the layer if its options give none. */
  readonly kind: string;
  readonly options: unknown;
  readonly rule: Rule;
  /** Faults of the function's other arguments. */
  readonly faults?: readonly OptionFault[];
  readonly shared: boolean;
  /** Where the layer stores its data, without credentials. */
  readonly address: string;
  readonly create: (context: LayerContext, name: string) => Layer;
}

/**
 * Returns the factory of a layer. The boot lists its faults together with those of all other options. Without a boot, `create` throws them.
 */
export function layerFactory(parts: LayerParts): LayerFactory {
  const { maker, kind, options, rule, shared, address, create } = parts;
  const given = isRecord(options) ? options : {};
  const name = typeof given['name'] === 'string' && given['name'] !== '' ? given['name'] : kind;
  const faults = [...(parts.faults ?? []), ...faultsIn(rule, options, maker)];
  return {
    name,
    required: given['required'] === true,
    shared,
    address,
    faults,
    create: (context) => {
      if (faults.length > 0) throw faultsError(maker, faults);
      return create(context, name);
    },
  };
}
