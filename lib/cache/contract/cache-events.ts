import { EventEmitter } from 'node:events';
import type { CacheEvent, CacheEventPayloads } from './cache-contract.js';
import type { CallbackErrors } from '../base/callback-errors.js';

/** Emits cache-manager's events. If a listener throws or its promise rejects, the error is counted, and logged once. */
export class CacheEvents {
  readonly emitter = new EventEmitter();
  readonly #errors: CallbackErrors;

  constructor(errors: CallbackErrors) {
    this.#errors = errors;
  }

  /** Returns true if the event has listeners and therefore needs its payload. */
  heard(event: CacheEvent): boolean {
    return this.emitter.listenerCount(event) > 0;
  }

  emit<E extends CacheEvent>(event: E, payload: CacheEventPayloads[E]): void {
    if (!this.heard(event)) return;
    for (const listener of this.emitter.rawListeners(event)) {
      const call = () => (listener as (payload: CacheEventPayloads[E]) => unknown).call(this.emitter, payload);
      this.#errors.call('listener', `A listener of "${event}"`, call);
    }
  }
}
