import type { OptionFault } from '../../options/option-rules.js';
import { shown } from '../../base/shown.js';

/** Returns the faults of a value that a layer was given as its store. */
export function storeFaults(maker: string, store: unknown, methods: readonly string[], wanted: string): OptionFault[] {
  const usable =
    (typeof store === 'object' || typeof store === 'function') &&
    store !== null &&
    methods.every((method) => typeof (store as Record<string, unknown>)[method] === 'function');
  return usable
    ? []
    : [{ code: 'INVALID_OPTIONS', text: `${maker}: the store must be ${wanted}, not ${shown(store)}` }];
}

/** Returns the name of a store's class, for logs. */
export function classNameOf(store: object): string {
  const { constructor } = store as { constructor?: unknown };
  return typeof constructor === 'function' && constructor.name !== '' ? constructor.name : 'a store';
}
