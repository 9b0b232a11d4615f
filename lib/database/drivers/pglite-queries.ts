import { hasMethods, patch, type Method } from './patch.js';
import type { QueryWatch } from './query-watch.js';

export function isPglite(target: object): boolean {
  return hasMethods(target, 'query', 'exec', 'transaction', 'execProtocol');
}

/** Times the queries of an embedded PGlite, including those inside its transactions. */
export function observePgliteQueries(database: object, watch: QueryWatch): void {
  if (!watch.metrics.claim(database, 'queries')) return;
  timeMethods(database, watch);
  patch(
    database,
    'transaction',
    (transaction) =>
      function (this: unknown, ...args: unknown[]): unknown {
        const [body] = args;
        if (typeof body === 'function') {
          args[0] = (tx: unknown): unknown => {
            if (hasMethods(tx, 'query', 'exec')) timeMethods(tx, watch);
            return (body as (tx: unknown) => unknown)(tx);
          };
        }
        return transaction.apply(this, args);
      },
  );
}

function timeMethods(target: object, watch: QueryWatch): void {
  // The `sql` of a database calls its `query`; the `sql` of a transaction does not. Do not count the inner call as a second
  // query.
  let inside = false;
  const timed = (original: Method): Method =>
    function (this: unknown, ...args: unknown[]): unknown {
      const [first] = args;
      // In a tagged template, the values are parameters.
      const text = Array.isArray(first) ? first.join('?') : first;
      if (inside || typeof text !== 'string') return original.apply(this, args);
      inside = true;
      try {
        return watch.run(text, () => original.apply(this, args));
      } finally {
        inside = false;
      }
    };
  for (const name of ['query', 'exec', 'sql']) {
    if (hasMethods(target, name)) patch(target, name, timed);
  }
}
