import { Inject, Injectable } from '@nestjs/common';
import type { Pool } from 'pg';
import { DATABASE } from '../database/database.module.js';
import { Recommendations, type Recommendation } from './recommendations.js';

interface Product {
  readonly id: number;
  readonly title: string;
  readonly description: string;
  readonly priceCents: number;
  readonly stock: number;
  readonly category: { readonly slug: string; readonly name: string };
  readonly seller: { readonly id: number; readonly name: string };
  readonly rating: { readonly average: number | null; readonly reviews: number };
  readonly soldIn30Days: number;
  /** Place among the products of its category by price, from the cheapest, 0–1. */
  readonly pricePercentile: number;
}

export interface ProductPage extends Product {
  readonly alsoBought: readonly Recommendation[];
}

const PRODUCT = /* sql */ `
SELECT p.id, p.title, p.description, p.price_cents AS "priceCents", p.stock,
       json_build_object('slug', c.slug, 'name', c.name) AS category,
       json_build_object('id', s.id, 'name', s.name) AS seller,
       (SELECT json_build_object('average', round(avg(r.rating), 2), 'reviews', count(*))
        FROM marketplace.reviews r WHERE r.product_id = p.id) AS rating,
       (SELECT coalesce(sum(b.quantity), 0)::int FROM marketplace.purchases b
        WHERE b.product_id = p.id AND b.bought_at > now() - interval '30 days') AS "soldIn30Days",
       (SELECT round(avg((other.price_cents < p.price_cents)::int), 3)::float8
        FROM marketplace.products other WHERE other.category_id = p.category_id) AS "pricePercentile"
FROM marketplace.products p
JOIN marketplace.categories c ON c.id = p.category_id
JOIN marketplace.sellers s ON s.id = p.seller_id
WHERE p.id = $1`;

@Injectable()
export class ProductPages {
  constructor(
    @Inject(DATABASE) private readonly database: Pool,
    private readonly recommendations: Recommendations,
  ) {}

  async find(id: number): Promise<ProductPage | undefined> {
    const { rows } = await this.database.query<Product>(PRODUCT, [id]);
    const product = rows[0];
    if (product === undefined) return undefined;
    return { ...product, alsoBought: await this.recommendations.alsoBought(id) };
  }
}
