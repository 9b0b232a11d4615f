import { OWN_CACHE } from '../base/tokens.js';
import type { Layer } from './layer.js';

/** A cache of the application, and one of its layers. */
export interface ServerUser {
  readonly cache: string;
  readonly layer: Layer;
}

/** Which caches of an application use which server: what happens to a server happens to all of them. */
export class CachesByServer {
  readonly #users: ServerUser[] = [];

  /** Adds the layers of a cache, once they exist. */
  add(cache: string, layers: readonly Layer[]): void {
    this.#users.push(...layers.map((layer) => ({ cache, layer })));
  }

  /** Identifies the server of a layer; a layer that does not know its server shares none. Undefined for an unknown layer. */
  serverOf(cache: string, layer: string): unknown {
    const user = this.#users.find((one) => one.cache === cache && one.layer.name === layer);
    return user === undefined ? undefined : identityOf(user.layer);
  }

  /** The name of the layer that carries a cache's messages between processes. */
  messengerOf(cache: string): string | undefined {
    return this.#users.find((one) => one.cache === cache && one.layer.coordination !== undefined)?.layer.name;
  }

  usersOf(server: unknown): readonly ServerUser[] {
    return this.#users.filter(({ layer }) => identityOf(layer) === server);
  }

  /** The names of the caches that use a server, the application's own first: every instance of an application gets the same order. */
  cachesOf(server: unknown): readonly string[] {
    const names = [...new Set(this.usersOf(server).map(({ cache }) => cache))];
    return names.sort(
      (one, other) => Number(other === OWN_CACHE) - Number(one === OWN_CACHE) || (one < other ? -1 : 1),
    );
  }
}

/** The server may become known only when the layer connects. */
function identityOf(layer: Layer): unknown {
  return layer.server ?? layer;
}
