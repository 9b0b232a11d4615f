import { Inject, Injectable } from '@nestjs/common';
import type { Pool } from 'pg';
import { DATABASE } from '../database/database.module.js';

export interface TopCategory {
  readonly rank: number;
  readonly slug: string;
  readonly name: string;
  readonly department: string;
  readonly revenueCents: number;
  readonly sold: number;
  readonly customers: number;
  /** Revenue of these 30 days against the 30 days before: 2 is twice as much. */
  readonly growth: number | null;
}

export interface CategoryPage {
  readonly slug: string;
  readonly name: string;
  readonly department: string;
  readonly products: number;
  readonly bestSellers: readonly { readonly id: number; readonly title: string; readonly sold: number }[];
}

const TOP = /* sql */ `
WITH sales AS (
  SELECT p.category_id,
         sum(b.quantity * b.unit_price_cents) FILTER (WHERE b.bought_at > now() - interval '30 days') AS revenue,
         sum(b.quantity * b.unit_price_cents) FILTER (WHERE b.bought_at <= now() - interval '30 days') AS revenue_before,
         sum(b.quantity) FILTER (WHERE b.bought_at > now() - interval '30 days') AS sold,
         count(DISTINCT b.customer_id) AS customers
  FROM marketplace.purchases b JOIN marketplace.products p ON p.id = b.product_id
  WHERE b.bought_at > now() - interval '60 days'
  GROUP BY p.category_id
)
SELECT rank() OVER (ORDER BY s.revenue DESC NULLS LAST)::int AS rank, c.slug, c.name, c.department,
       coalesce(s.revenue, 0)::float8 AS "revenueCents", coalesce(s.sold, 0)::int AS sold, s.customers::int AS customers,
       round(s.revenue::numeric / nullif(s.revenue_before, 0), 2)::float8 AS growth
FROM sales s JOIN marketplace.categories c ON c.id = s.category_id
ORDER BY rank, c.id
LIMIT $1`;

const PAGE = /* sql */ `
SELECT c.slug, c.name, c.department,
       (SELECT count(*)::int FROM marketplace.products WHERE category_id = c.id) AS products,
       coalesce((SELECT json_agg(best) FROM (
         SELECT p.id, p.title, sum(b.quantity)::int AS sold
         FROM marketplace.products p JOIN marketplace.purchases b ON b.product_id = p.id
         WHERE p.category_id = c.id AND b.bought_at > now() - interval '30 days'
         GROUP BY p.id ORDER BY sold DESC, p.id LIMIT 12) AS best), '[]') AS "bestSellers"
FROM marketplace.categories c
WHERE c.slug = $1`;

@Injectable()
export class Categories {
  constructor(@Inject(DATABASE) private readonly database: Pool) {}

  /** By the revenue of the last 30 days. */
  async top(count: number): Promise<TopCategory[]> {
    const { rows } = await this.database.query<TopCategory>(TOP, [count]);
    return rows;
  }

  async page(slug: string): Promise<CategoryPage | undefined> {
    const { rows } = await this.database.query<CategoryPage>(PAGE, [slug]);
    return rows[0];
  }
}
