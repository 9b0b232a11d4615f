import { LRUCache } from 'lru-cache';
import { hasMethods, patch } from './patch.js';
import { settling, type QueryWatch, type Settle } from './query-watch.js';

/** The first argument of `query`, if it is an object: one with a text, or a query object that submits itself. */
interface QueryConfig {
  readonly text?: unknown;
  readonly name?: unknown;
  readonly callback?: unknown;
  readonly cursor?: { readonly text?: unknown };
}

/** How many names of prepared statements are remembered for each client. */
const PREPARED = 500;

/** Times every query of a pool's clients: of the open clients and of later ones. */
export function observePgPoolQueries(pool: object, watch: QueryWatch): void {
  const observe = (client: unknown): void => {
    if (hasMethods(client, 'query')) observePgClientQueries(client, watch);
  };
  const clients: unknown = Reflect.get(pool, '_clients');
  if (Array.isArray(clients)) clients.forEach(observe);
  (pool as { on(event: 'connect', listener: (client: unknown) => void): void }).on('connect', observe);
}

/**
 * Times the queries of a node-postgres client, or of any other object with a `query(text, values?, callback?)`. It supports
 * callbacks, promises, named prepared statements, and query objects such as cursors and streams.
 */
export function observePgClientQueries(client: object, watch: QueryWatch): void {
  if (!watch.metrics.claim(client, 'queries')) return;
  const prepared = new LRUCache<string, string>({ max: PREPARED });
  patch(
    client,
    'query',
    (query) =>
      function (this: unknown, ...args: unknown[]): unknown {
        const text = textOf(args[0], prepared);
        if (text === undefined) return query.apply(this, args);
        if (hasMethods(args[0], 'submit', 'handleError')) {
          followSubmittable(args[0], watch.begin(text));
          return query.apply(this, args);
        }
        return watchCallback(args, text, watch, (own) => query.apply(this, own));
      },
  );
}

function watchCallback(args: unknown[], text: string, watch: QueryWatch, query: (args: unknown[]) => unknown): unknown {
  const at = args.findIndex((argument, index) => index > 0 && typeof argument === 'function');
  const configured = (args[0] as QueryConfig).callback;
  if (at < 0 && typeof configured !== 'function') return watch.run(text, () => query(args));
  const settle = watch.begin(text);
  if (at > 0) args[at] = settling(args[at], settle);
  else args[0] = withCallback(args[0] as object, settling(configured, settle));
  try {
    return query(args);
  } catch (error) {
    settle(error);
    throw error;
  }
}

/** Copies the caller's query object, including its getters, with another callback. */
function withCallback(config: object, callback: unknown): object {
  return Object.create(config, {
    callback: { value: callback, writable: true, enumerable: true, configurable: true },
  }) as object;
}

function textOf(config: unknown, prepared: LRUCache<string, string>): string | undefined {
  if (typeof config === 'string') return config;
  if (typeof config !== 'object' || config === null) return undefined;
  const { text, name, cursor } = config as QueryConfig;
  const named = typeof name === 'string' && name !== '';
  if (typeof text === 'string') {
    if (named) prepared.set(name, text);
    return text;
  }
  if (named) return prepared.get(name);
  return typeof cursor?.text === 'string' ? cursor.text : undefined;
}

/** Ends the query of a query object when the server is ready for the next query, or when it fails. */
function followSubmittable(query: object, settle: Settle): void {
  if (hasMethods(query, 'handleReadyForQuery')) {
    patch(
      query,
      'handleReadyForQuery',
      (handle) =>
        function (this: unknown, ...args: unknown[]): unknown {
          settle();
          return handle.apply(this, args);
        },
    );
  }
  patch(
    query,
    'handleError',
    (handle) =>
      function (this: unknown, ...args: unknown[]): unknown {
        settle(args[0] ?? new Error('failed'));
        return handle.apply(this, args);
      },
  );
}
