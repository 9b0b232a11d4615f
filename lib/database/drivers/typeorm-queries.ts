import { hasMethods, patch, isThenable } from './patch.js';
import type { QueryWatch } from './query-watch.js';

/** The part of a TypeORM DataSource that is used. */
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

/** Times the queries of a DataSource by a subscriber, added again whenever TypeORM initialises, since that clears its subscribers. */
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

/** A query runner runs one query at a time; an error's event comes without a duration. */
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
