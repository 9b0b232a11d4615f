/** One cached handler and the name of its route. */
export interface NamedRoute {
  /** The text that replaces `*` in its pattern: `GET /feeds`. */
  readonly base: string;
  readonly cls: object;
  /** Class and method: `FeedController.discover`. */
  readonly owner: string;
}

/**
 * Names the routes of one application in keys. A route that only one cached handler has stays unchanged. If several handlers
 * have one route, the order of registration decides which of them answers. Then the name of each contains its class and method:
 * otherwise a deploy with another order would serve the entries of another handler.
 */
export class RouteNames {
  readonly #byBase = new Map<string, NamedRoute[]>();

  add(route: NamedRoute): void {
    const same = this.#byBase.get(route.base);
    if (same === undefined) this.#byBase.set(route.base, [route]);
    else same.push(route);
  }

  /** Returns the name of a route; undefined if a handler of another class has the same route and the same name. */
  of({ base, cls, owner }: NamedRoute): string | undefined {
    const others = (this.#byBase.get(base) ?? []).filter((route) => route.cls !== cls || route.owner !== owner);
    if (others.length === 0) return base;
    return others.some((route) => route.owner === owner) ? undefined : `${base} (${owner})`;
  }
}
