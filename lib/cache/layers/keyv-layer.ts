import type { LayerFactory } from './layer.js';
import type { RemoteLayerOptions } from './remote-layer-options.js';
import { remoteLayer } from './remote-layer.js';

/** The methods of a Keyv 5 storage adapter, or of a Keyv instance, that a layer uses. */
export interface KeyvStoreLike {
  get(key: string): unknown;
  set(key: string, value: never, ttl?: number): unknown;
  delete(key: never): unknown;
  getMany?(keys: string[]): unknown;
  setMany?(entries: never): unknown;
  deleteMany?(keys: string[]): unknown;
  iterator?: unknown;
  disconnect?(): unknown;
  on?(event: 'error', listener: (error: unknown) => void): unknown;
}

export type KeyvLayerOptions = RemoteLayerOptions;

/**
 * A layer in any store of Keyv 5: an adapter such as `new KeyvRedis(url)`, a Keyv instance, or a function that makes one.
 * Only keys of the cache's own namespace are read or removed.
 */
export function keyvLayer(
  store: KeyvStoreLike | (() => KeyvStoreLike | Promise<KeyvStoreLike>),
  options: KeyvLayerOptions = {},
): LayerFactory {
  void store;
  return remoteLayer('keyv', options, () => {
    throw new Error('not reached');
  });
}
