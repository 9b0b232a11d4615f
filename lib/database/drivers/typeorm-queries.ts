import { hasMethods, patch, isThenable } from './patch.js';
import type { QueryWatch } from './query-watch.js';

/** The part of a TypeORM DataSource that this file uses. */
export interface TypeOrmDataSource {
  readonly isInitialized: boolean;
  readonly options: { readonly type?: unknown };
  readonly subscribers: unknown[];
}

interface QueryEvent {
  readonly queryRunner: object;
  readonly query: string;
}

interface AfterQueryEvent extends QueryEvent {
  readonly success: boolean;
  readonly executionTime?: number;
}

export function isTypeOrmDataSource(target: object): target is TypeOrmDataSource {
  return hasMethods(target, 'initialize', 'createQueryRunner') && 'subscribers' in target && 'options' in target;
}

/**
 * Times the queries of a DataSource with a subscriber. TypeORM removes all subscribers when it initialises, so the subscriber
 * is added again each time.
 */
export function observeTypeOrmQueries(dataSource: TypeOrmDataSource, watch: QueryWatch): void {
  if (!watch.metrics.claim(dataSource, 'queries')) return;
  const subscriber = new QuerySubscriber(watch);
  const join = (): void => {
    if (!dataSource.subscribers.includes(subscriber)) dataSource.subscribers.push(subscriber);
  };
  if (dataSource.isInitialized) join();
  patch(
    dataSource,
    'initialize',
    (initialize) =>
      function (this: unknown, ...args: unknown[]): unknown {
        const initialized = initialize.apply(this, args);
        if (!isThenable(initialized)) return initialized;
        return initialized.then((value) => {
          join();
          return value;
        });
      },
  );
}

/**
 * Times queries from their events. Each query runner runs one query at a time. An event of an error has no duration, so the
 * start time is kept.
 */
class QuerySubscriber {
  readonly #watch: QueryWatch;
  readonly #startedAt = new WeakMap<object, number>();

  constructor(watch: QueryWatch) {
    this.#watch = watch;
  }

  beforeQuery({ queryRunner }: QueryEvent): void {
    this.#startedAt.set(queryRunner, this.#watch.metrics.clock.now());
  }

  afterQuery({ queryRunner, query, success, executionTime }: AfterQueryEvent): void {
    const startedAt = this.#startedAt.get(queryRunner);
    this.#startedAt.delete(queryRunner);
    const durationMs = startedAt === undefined ? (executionTime ?? 0) : this.#watch.metrics.clock.now() - startedAt;
    this.#watch.record(query, success, durationMs);
  }
}
