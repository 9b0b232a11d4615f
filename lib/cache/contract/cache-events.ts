import { EventEmitter } from 'node:events';
import type { CacheEvent, CacheEventPayloads } from './cache-contract.js';
import type { OnceLog } from '../once-log.js';

/** cache-manager's events. A listener that throws is named in the log and felt by nobody. */
export class CacheEvents {
  readonly emitter = new EventEmitter();
  readonly #log: OnceLog;

  constructor(log: OnceLog) {
    this.#log = log;
  }

  /** True where building a payload is worth it. */
  heard(event: CacheEvent): boolean {
    return this.emitter.listenerCount(event) > 0;
  }

  emit<E extends CacheEvent>(event: E, payload: CacheEventPayloads[E]): void {
    for (const listener of this.emitter.rawListeners(event)) {
      try {
        (listener as (payload: CacheEventPayloads[E]) => void).call(this.emitter, payload);
      } catch (cause) {
        this.#log.say('error', 'LISTENER_FAILED', event, `A listener of the cache's "${event}" event threw.`, cause);
      }
    }
  }
}
