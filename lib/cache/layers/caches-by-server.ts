import { OWN_CACHE } from '../base/tokens.js';
import type { Layer } from './layer.js';

/** A cache of the application with one of its layers. */
export interface ServerUser {
  readonly cache: string;
  readonly layer: Layer;
}

/** Maps each server to the caches that use it. A failure of a server affects all of them. */
export class CachesByServer {
  readonly #users: ServerUser[] = [];

  /** Adds the layers of a cache after they were created. */
  add(cache: string, layers: readonly Layer[]): void {
    this.#users.push(...layers.map((layer) => ({ cache, layer })));
  }

  /** Returns the identity of a layer's server. A layer that does not know its server shares none. Undefined for an unknown layer. */
  serverOf(cache: string, layer: string): unknown {
    const user = this.#users.find((one) => one.cache === cache && one.layer.name === layer);
    return user === undefined ? undefined : identityOf(user.layer);
  }

  /** Returns the name of the layer that carries a cache's messages between processes. */
  messengerOf(cache: string): string | undefined {
    return this.#users.find((one) => one.cache === cache && one.layer.coordination !== undefined)?.layer.name;
  }

  usersOf(server: unknown): readonly ServerUser[] {
    return this.#users.filter(({ layer }) => identityOf(layer) === server);
  }

  /**
   * Returns the names of the caches that use a server, the application's own first. The order is the same in every instance of an
   * application.
   */
  cachesOf(server: unknown): readonly string[] {
    const names = [...new Set(this.usersOf(server).map(({ cache }) => cache))];
    return names.sort(
      (one, other) => Number(other === OWN_CACHE) - Number(one === OWN_CACHE) || (one < other ? -1 : 1),
    );
  }
}

/** A layer may know its server only after it has connected. */
function identityOf(layer: Layer): unknown {
  return layer.server ?? layer;
}
