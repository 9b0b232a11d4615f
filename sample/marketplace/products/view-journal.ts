import {
  Inject,
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import type { Pool } from 'pg';
import { DATABASE } from '../database/database.module.js';

const FLUSH_EVERY_MS = 2_000;
/** Views beyond this many between two flushes are not counted: the feed can do without, the memory cannot. */
const MOST_WAITING = 20_000;

/** Product views, collected and written to the database a batch at a time. */
@Injectable()
export class ViewJournal implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #log = new Logger(ViewJournal.name);
  #waiting: number[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(@Inject(DATABASE) private readonly database: Pool) {}

  add(productId: number): void {
    if (this.#waiting.length < MOST_WAITING) this.#waiting.push(productId);
  }

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => void this.flush(), FLUSH_EVERY_MS);
    this.#timer.unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  /** Writes down what waits; a batch that cannot be written is given up, with a warning. */
  async flush(): Promise<void> {
    const views = this.#waiting;
    if (views.length === 0) return;
    this.#waiting = [];
    try {
      await this.database.query(
        'INSERT INTO marketplace.product_views (product_id, viewed_at) SELECT unnest($1::int[]), now()',
        [views],
      );
    } catch (error) {
      this.#log.warn(`${views.length} views were not written: ${error instanceof Error ? error.message : error}`);
    }
  }
}
