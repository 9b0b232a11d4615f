import { CacheError } from '../../cache/base/errors.js';
import { milliseconds } from '../../cache/base/duration.js';
import { hasMethods, isThenable } from './patch.js';
import { databaseMetrics } from '../records/process-metrics.js';
import { dialectOf } from '../statements/dialect.js';
import type { QueryType } from '../statements/query-type.js';
import { NO_TABLE } from '../statements/statement.js';
import type { ObserveQueriesOptions } from './observe-queries.options.js';
import { QueryWatch } from './query-watch.js';

/** The part of a Prisma client that this file uses. */
export interface PrismaClient {
  $on(event: 'query', listener: (event: { readonly query: string; readonly duration: number }) => void): unknown;
}

export function isPrismaClient(target: object): target is PrismaClient {
  return hasMethods(target, '$on', '$extends');
}

/**
 * Counts Prisma's `query` events. They need `log: [{ emit: 'event', level: 'query' }]`, and Prisma sends none for a query that
 * fails.
 */
export function observePrismaQueries(client: PrismaClient, watch: QueryWatch): void {
  if (!watch.metrics.claim(client, 'queries')) return;
  try {
    client.$on('query', ({ query, duration }) => watch.record(query, true, duration));
  } catch (cause) {
    throw new CacheError(
      'INVALID_OPTIONS',
      "observeQueries: this Prisma client emits no query events. Construct it with log: [{ emit: 'event', level: 'query' }], " +
        'or extend it: prisma.$extends(prismaQueries()).',
      { cause },
    );
  }
}

/** Returns the SQL dialect of a Prisma client; `unknown` if its provider cannot be read. */
export function prismaDialect(client: PrismaClient): ReturnType<typeof dialectOf> {
  return dialectOf(Reflect.get(client, '_activeProvider'));
}

/** One operation as Prisma passes it to an extension. */
export interface PrismaOperation {
  readonly model?: string | undefined;
  readonly operation: string;
  readonly args: unknown;
  query(args: unknown): Promise<unknown>;
}

/** The argument of `prisma.$extends()`. */
export interface PrismaQueries {
  readonly name: string;
  readonly query: { $allOperations(operation: PrismaOperation): Promise<unknown> };
}

const VERBS: readonly (readonly [prefix: string, type: QueryType])[] = [
  ['find', 'SELECT'],
  ['count', 'SELECT'],
  ['aggregate', 'SELECT'],
  ['groupBy', 'SELECT'],
  ['create', 'INSERT'],
  ['update', 'UPDATE'],
  ['upsert', 'MERGE'],
  ['delete', 'DELETE'],
];

/**
 * Creates an extension that times Prisma's operations by model, including failed ones: `prisma.$extends(prismaQueries())`. The
 * table of a raw query is read from its text. Use either this extension or `observeQueries(prisma)`, which times the statements
 * that Prisma sends.
 */
export function prismaQueries(options: ObserveQueriesOptions = {}): PrismaQueries {
  const metrics = options.metrics ?? databaseMetrics;
  const slow = options.slowThreshold;
  const watch = new QueryWatch(
    metrics,
    options.dialect ?? 'unknown',
    slow === undefined ? undefined : milliseconds(slow),
  );
  return {
    name: 'nestjs-cache-observability',
    query: {
      $allOperations: ({ model, operation, args, query }) => {
        const text = operation.startsWith('$') ? rawText(args) : undefined;
        if (text !== undefined) return watch.run(text, () => query(args)) as Promise<unknown>;
        const startedAt = metrics.clock.now();
        const type = VERBS.find(([prefix]) => operation.startsWith(prefix))?.[1] ?? 'OTHER';
        const settle = (ok: boolean): void =>
          metrics.operation(type, model ?? NO_TABLE, ok, metrics.clock.now() - startedAt, watch.slowThresholdMs);
        const answer = query(args);
        if (isThenable(answer)) {
          answer.then(
            () => settle(true),
            () => settle(false),
          );
        }
        return answer;
      },
    },
  };
}

/** Returns the text of a raw query: from a tagged template, a `Prisma.sql`, or the first argument of an unsafe query. */
function rawText(args: unknown): string | undefined {
  if (typeof args !== 'object' || args === null) return typeof args === 'string' ? args : undefined;
  const strings: unknown = Reflect.get(args, 'strings') ?? (Array.isArray(args) ? (args as unknown[])[0] : undefined);
  if (Array.isArray(strings)) return strings.join('?');
  return typeof strings === 'string' ? strings : undefined;
}
