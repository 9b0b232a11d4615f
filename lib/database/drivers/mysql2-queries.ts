import { errorMonitor, type EventEmitter } from 'node:events';
import type { Mysql2Pool } from './mysql2-pool.js';
import { hasMethods, patch } from './patch.js';
import { settling, type QueryWatch } from './query-watch.js';

/** A command in the queue of a mysql2 connection. Only queries and executions of prepared statements have `sql`. */
interface Command extends EventEmitter {
  readonly sql?: unknown;
  statement?: { readonly query?: unknown };
  onResult?: unknown;
}

/** Returns the callback connection of a mysql2 connection: the connection itself, or the one inside its promise wrapper. */
export function mysql2ConnectionOf(connection: object): object | undefined {
  if (hasMethods(connection, 'addCommand', 'query', 'execute')) return connection;
  const inner: unknown = Reflect.get(connection, 'connection');
  return hasMethods(inner, 'addCommand', 'query', 'execute') ? inner : undefined;
}

/** Times every query of a pool's connections: of the open connections and of later ones. */
export function observeMysql2PoolQueries(pool: Mysql2Pool, watch: QueryWatch): void {
  const open = pool._allConnections as Partial<{ get(index: number): object | undefined; length: number }>;
  for (let index = 0; index < (open.length ?? 0); index++) {
    const connection = open.get?.(index);
    if (connection !== undefined) observeMysql2Queries(connection, watch);
  }
  (pool as unknown as EventEmitter).on('connection', (connection: object) => observeMysql2Queries(connection, watch));
}

/** Times the queries of a connection at its command queue, which `query`, `execute` and prepared statements all use. */
export function observeMysql2Queries(connection: object, watch: QueryWatch): void {
  if (!watch.metrics.claim(connection, 'queries')) return;
  // `query` queues a text in which values are already inserted. Use the text without them, because it is the same for each
  // call.
  let unformatted: string | undefined;
  patch(
    connection,
    'query',
    (query) =>
      function (this: unknown, ...args: unknown[]): unknown {
        const [sql] = args;
        const text: unknown = typeof sql === 'object' && sql !== null ? Reflect.get(sql, 'sql') : sql;
        // `??` is a placeholder for a name, which may be the name of the table.
        unformatted = typeof text === 'string' && !text.includes('??') ? text : undefined;
        try {
          return query.apply(this, args);
        } finally {
          unformatted = undefined;
        }
      },
  );
  patch(
    connection,
    'addCommand',
    (addCommand) =>
      function (this: unknown, ...args: unknown[]): unknown {
        const command = args[0] as Command;
        const text = 'sql' in command ? (unformatted ?? command.sql ?? command.statement?.query) : undefined;
        unformatted = undefined;
        if (typeof text === 'string') follow(command, text, watch);
        return addCommand.apply(this, args);
      },
  );
}

function follow(command: Command, text: string, watch: QueryWatch): void {
  const settle = watch.begin(text);
  if (typeof command.onResult === 'function') command.onResult = settling(command.onResult, settle);
  command.once(errorMonitor, settle);
  // If its statement could not be prepared, an execution ends without an error.
  command.once('end', () =>
    settle('statement' in command && command.statement === undefined ? new Error('not prepared') : undefined),
  );
}
