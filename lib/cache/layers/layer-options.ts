import { faultsError, faultsIn, isRecord, type OptionFault, type Rule } from '../options/option-rules.js';
import type { Layer, LayerContext, LayerFactory } from './layer.js';

/** What a function such as `redisLayer()` makes its factory of. */
export interface LayerParts {
  /** The function, for messages: `redisLayer`. */
  readonly maker: string;
  /** The layer's name where its options give none. */
  readonly kind: string;
  readonly options: unknown;
  readonly rule: Rule;
  /** What is wrong with other arguments. */
  readonly faults?: readonly OptionFault[];
  readonly shared: boolean;
  /** Where its data is, without credentials. */
  readonly address: string;
  readonly create: (context: LayerContext, name: string) => Layer;
}

/**
 * The factory of a layer. Its faults are listed by the boot together with those of all other options; where nobody lists them,
 * `create` throws them.
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
