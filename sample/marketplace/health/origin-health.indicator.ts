import { Inject, Injectable } from '@nestjs/common';
import { HealthIndicatorService } from '@nestjs/terminus';
import { DATABASE } from '../database/database.module.js';
import type { Pool } from 'pg';

const DEADLINE_MS = 2_000;

/** Up where the database answers in time. */
@Injectable()
export class OriginHealthIndicator {
  constructor(
    private readonly health: HealthIndicatorService,
    @Inject(DATABASE) private readonly database: Pool,
  ) {}

  async isHealthy<Key extends string>(key: Key) {
    const indicator = this.health.check(key);
    const started = performance.now();
    let timer: NodeJS.Timeout | undefined;
    try {
      const deadline = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`no answer in ${DEADLINE_MS} ms`)), DEADLINE_MS);
      });
      await Promise.race([this.database.query('SELECT 1'), deadline]);
      return indicator.up({ response_time_ms: Math.round(performance.now() - started) });
    } catch (error) {
      return indicator.down(error instanceof Error ? error.message : String(error));
    } finally {
      clearTimeout(timer);
    }
  }
}
