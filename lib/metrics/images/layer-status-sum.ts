import type { LayerStatus } from '../../cache/layers/layer.js';
import type { LayerState } from '../reading/ledger-reading.js';

/** What of a layer's status is shown. */
export type HeldStatus = Pick<LayerStatus, 'entries' | 'bytes' | 'connected'>;

/** One process: its layers, and how they are, in the same order. */
export interface HeldLayers {
  readonly layers: readonly { readonly name: string }[];
  readonly status: readonly HeldStatus[];
}

/**
 * How layers of several processes are together: what each has of its own is added, what they share is the same for all, and
 * one is connected where every process is.
 */
export function statusTogether(layers: readonly LayerState[], processes: readonly HeldLayers[]): HeldStatus[] {
  return layers.map(({ name, shared }) => {
    const own = processes.flatMap((process) => {
      const at = process.layers.findIndex((layer) => layer.name === name);
      return process.status[at] ?? [];
    });
    const held = (read: (status: HeldStatus) => number | null): number | null => {
      const known = own.map(read).filter((value) => value !== null);
      if (known.length === 0) return null;
      return shared ? Math.max(...known) : known.reduce((sum, value) => sum + value, 0);
    };
    return {
      entries: held(({ entries }) => entries),
      bytes: held(({ bytes }) => bytes),
      connected: own.every(({ connected }) => connected),
    };
  });
}
