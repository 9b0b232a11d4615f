import { Inject, Injectable } from '@nestjs/common';
import { Cached } from 'nestjs-cache-observability';
import type { Pool } from 'pg';
import { DATABASE } from '../database/database.module.js';

export interface Recommendation {
  readonly id: number;
  readonly title: string;
  readonly priceCents: number;
  readonly customers: number;
}

const ALSO_BOUGHT = /* sql */ `
SELECT p.id, p.title, p.price_cents AS "priceCents", count(DISTINCT theirs.customer_id)::int AS customers
FROM (SELECT product_id, customer_id FROM marketplace.purchases
      WHERE product_id = $1 ORDER BY bought_at DESC LIMIT 200) AS mine
JOIN marketplace.purchases theirs ON theirs.customer_id = mine.customer_id AND theirs.product_id <> mine.product_id
JOIN marketplace.products p ON p.id = theirs.product_id
GROUP BY p.id
ORDER BY customers DESC, p.id
LIMIT 6`;

/** What else a product's latest two hundred buyers bought: the dearest query of the marketplace, and one that may be an hour old. */
@Injectable()
export class Recommendations {
  constructor(@Inject(DATABASE) private readonly database: Pool) {}

  /** A purchase takes the product's page out of the cache, but not this: the page is loaded anew without it. */
  @Cached('recommendation:*', { ttl: '1h', jitter: 0.2 })
  async alsoBought(productId: number): Promise<Recommendation[]> {
    const { rows } = await this.database.query<Recommendation>(ALSO_BOUGHT, [productId]);
    return rows;
  }
}
