import { Inject, Injectable } from '@nestjs/common';
import type { Pool } from 'pg';
import { DATABASE } from '../database/database.module.js';

export interface FeedItem {
  readonly id: number;
  readonly title: string;
  readonly priceCents: number;
  readonly category: string;
  readonly seller: string;
  readonly rating: number | null;
  readonly views: number;
  readonly sold: number;
}

export interface FeedPage {
  readonly page: number;
  readonly pages: number;
  readonly items: readonly FeedItem[];
}

const PAGE_SIZE = 24;

/**
 * What is talked about now: views and purchases of four days, each worth half as much a day and a half later, no more than
 * three products of one seller in a row of the ranking.
 */
const DISCOVER = /* sql */ `
WITH interest AS (
  SELECT product_id, sum(weight) AS score, sum(viewed)::int AS views, sum(bought)::int AS sold
  FROM (
    SELECT product_id, exp(-extract(epoch FROM now() - viewed_at)::float8 / 187000) AS weight, 1 AS viewed, 0 AS bought
    FROM marketplace.product_views WHERE viewed_at > now() - interval '4 days'
    UNION ALL
    SELECT product_id, 20 * quantity * exp(-extract(epoch FROM now() - bought_at)::float8 / 187000), 0, quantity
    FROM marketplace.purchases WHERE bought_at > now() - interval '4 days'
  ) AS events
  GROUP BY product_id
), ranked AS (
  SELECT p.id, p.title, p.price_cents, p.category_id, p.seller_id, i.views, i.sold, i.score,
         row_number() OVER (PARTITION BY p.seller_id ORDER BY i.score DESC, p.id) AS of_seller
  FROM interest i JOIN marketplace.products p ON p.id = i.product_id
  WHERE p.stock > 0
), page AS (
  SELECT * FROM ranked ORDER BY (of_seller - 1) / 3, score DESC, id LIMIT ${PAGE_SIZE} OFFSET $1
)
SELECT (SELECT count(*)::int FROM ranked) AS total,
       coalesce((SELECT json_agg(item) FROM (
         SELECT page.id, page.title, page.price_cents AS "priceCents", c.name AS category, s.name AS seller,
                (SELECT round(avg(rating), 1) FROM marketplace.reviews WHERE product_id = page.id) AS rating,
                page.views, page.sold
         FROM page
         JOIN marketplace.categories c ON c.id = page.category_id
         JOIN marketplace.sellers s ON s.id = page.seller_id
         ORDER BY (page.of_seller - 1) / 3, page.score DESC, page.id) AS item), '[]') AS items`;

/** The front page of the marketplace. */
@Injectable()
export class DiscoverFeed {
  constructor(@Inject(DATABASE) private readonly database: Pool) {}

  /** Undefined beyond the last page; there is always a first. */
  async page(page: number): Promise<FeedPage | undefined> {
    const { rows } = await this.database.query<{ total: number; items: FeedItem[] }>(DISCOVER, [
      (page - 1) * PAGE_SIZE,
    ]);
    const { total, items } = rows[0] ?? { total: 0, items: [] };
    const pages = Math.max(1, Math.ceil(total / PAGE_SIZE));
    return page <= pages ? { page, pages, items } : undefined;
  }
}
