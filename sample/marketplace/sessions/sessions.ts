import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { Cached, CacheInvalidate, InjectCache, type ObservedCache } from 'nestjs-cache-observability';
import type { Pool } from 'pg';
import { DATABASE } from '../database/database.module.js';

/** The name of the cache that keeps sessions apart from pages. */
export const SESSIONS = 'sessions';

export interface Session {
  readonly visitor: string;
  readonly openedAt: string;
}

/** Sessions of visitors: rows of the database, read through a cache of their own. */
@Injectable()
export class Sessions {
  constructor(
    @Inject(DATABASE) private readonly database: Pool,
    @InjectCache(SESSIONS) private readonly cache: ObservedCache,
  ) {}

  /** Returns the token of a new session. The session is in the cache at once: its first use is a hit. */
  async open(visitor: string): Promise<string> {
    const token = randomBytes(16).toString('hex');
    const { rows } = await this.database.query<Session>(
      'INSERT INTO marketplace.sessions (token, visitor) VALUES ($1, $2) RETURNING visitor, opened_at::text AS "openedAt"',
      [token, visitor],
    );
    await this.cache.set(`session:${token}`, rows[0]);
    return token;
  }

  /** Null for a token that is unknown or whose session has ended. */
  @Cached('session:{0}', { cache: SESSIONS })
  async find(token: string): Promise<Session | null> {
    const { rows } = await this.database.query<Session>(
      'SELECT visitor, opened_at::text AS "openedAt" FROM marketplace.sessions WHERE token = $1',
      [token],
    );
    return rows[0] ?? null;
  }

  @CacheInvalidate({ cache: SESSIONS, keys: ['session:{0}'] })
  async end(token: string): Promise<void> {
    await this.database.query('DELETE FROM marketplace.sessions WHERE token = $1', [token]);
  }
}
