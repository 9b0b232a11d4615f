/** The code of layers in stores of texts. It is loaded at their first use. */
export { KeyvTextStore } from './keyv-text-store.js';
export { LegacyTextStore } from './legacy-text-store.js';
export { StoreLayer } from './store-layer.js';
