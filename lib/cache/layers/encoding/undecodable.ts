import type { LayerEvents } from '../layer.js';

/** Tells once a layer that it holds what it cannot read; what it cannot read counts as absent every time. */
export function undecodableOnce(layer: string, events: LayerEvents): (cause: unknown) => void {
  let told = false;
  return (cause) => {
    if (told) return;
    told = true;
    events.log(
      'warn',
      'UNDECODABLE_VALUE',
      `Layer '${layer}' holds a value that it cannot read, of another version or of somebody else; such values count as absent.`,
      cause,
    );
  };
}
