import { Inject, Injectable } from '@nestjs/common';
import type { Pool } from 'pg';
import { DATABASE } from '../database/database.module.js';

export interface SearchHit {
  readonly id: number;
  readonly title: string;
  readonly priceCents: number;
  readonly category: string;
  readonly seller: string;
  readonly sold: number;
}

export interface SearchResult {
  readonly term: string;
  readonly total: number;
  readonly items: readonly SearchHit[];
  /** In which categories the matches are. */
  readonly categories: readonly { readonly name: string; readonly matches: number }[];
}

export interface TrendingSearch {
  readonly term: string;
  readonly searches: number;
  /** Searches of the last three days against those of the three days before: 2 is twice as many. */
  readonly growth: number | null;
}

const FIND = /* sql */ `
WITH matches AS (
  SELECT p.id, p.title, p.price_cents, p.category_id, p.seller_id,
         ts_rank_cd(p.document, websearch_to_tsquery('english', $1)) AS relevance
  FROM marketplace.products p
  WHERE p.document @@ websearch_to_tsquery('english', $1)
), scored AS (
  SELECT m.*, coalesce(b.sold, 0)::int AS sold
  FROM matches m
  LEFT JOIN LATERAL (
    SELECT sum(quantity) AS sold FROM marketplace.purchases
    WHERE product_id = m.id AND bought_at > now() - interval '30 days'
  ) b ON true
)
SELECT (SELECT count(*)::int FROM scored) AS total,
       coalesce((SELECT json_agg(hits) FROM (
         SELECT s.id, s.title, s.price_cents AS "priceCents", c.name AS category, seller.name AS seller, s.sold
         FROM scored s
         JOIN marketplace.categories c ON c.id = s.category_id
         JOIN marketplace.sellers seller ON seller.id = s.seller_id
         ORDER BY s.relevance * ln(2 + s.sold) DESC, s.id LIMIT 20) AS hits), '[]') AS items,
       coalesce((SELECT json_agg(facets) FROM (
         SELECT c.name, count(*)::int AS matches
         FROM scored s JOIN marketplace.categories c ON c.id = s.category_id
         GROUP BY c.name ORDER BY matches DESC, c.name LIMIT 5) AS facets), '[]') AS categories`;

const TRENDING = /* sql */ `
SELECT term, count(*)::int AS searches,
       round(count(*) FILTER (WHERE searched_at > now() - interval '3 days')::numeric
             / nullif(count(*) FILTER (WHERE searched_at BETWEEN now() - interval '6 days' AND now() - interval '3 days'), 0),
             2)::float8 AS growth
FROM marketplace.searches
WHERE searched_at > now() - interval '14 days'
GROUP BY term
ORDER BY searches DESC, term
LIMIT $1`;

/** Full-text search over the catalogue, best sellers first among the equally relevant. */
@Injectable()
export class ProductSearch {
  constructor(@Inject(DATABASE) private readonly database: Pool) {}

  async find(term: string): Promise<SearchResult> {
    const { rows } = await this.database.query<Omit<SearchResult, 'term'>>(FIND, [term]);
    return { term, total: 0, items: [], categories: [], ...rows[0] };
  }

  async trending(limit: number): Promise<TrendingSearch[]> {
    const { rows } = await this.database.query<TrendingSearch>(TRENDING, [limit]);
    return rows;
  }
}
