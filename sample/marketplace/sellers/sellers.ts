import { Inject, Injectable } from '@nestjs/common';
import type { Pool } from 'pg';
import { DATABASE } from '../database/database.module.js';

export interface LiveSeller {
  readonly id: number;
  readonly name: string;
  readonly country: string;
  readonly rating: number | null;
  readonly stream: { readonly title: string; readonly viewers: number; readonly minutes: number };
}

export interface Storefront {
  readonly id: number;
  readonly name: string;
  readonly country: string;
  readonly rating: number | null;
  readonly sold: number;
  readonly products: readonly {
    readonly id: number;
    readonly title: string;
    readonly priceCents: number;
    readonly stock: number;
  }[];
}

/** The products whose stock the page shows. */
export const tagsOfStorefront = ({ products }: Storefront): string[] => products.map(({ id }) => `product:${id}`);

const RATING = /* sql */ `
(SELECT round(avg(r.rating), 2)::float8 FROM marketplace.reviews r
 JOIN marketplace.products p ON p.id = r.product_id WHERE p.seller_id = s.id) AS rating`;

/** Of a seller with several streams the one that most people watch. */
const LIVE = /* sql */ `
WITH live AS (
  SELECT DISTINCT ON (seller_id) seller_id, title, viewers, started_at
  FROM marketplace.live_streams WHERE ended_at IS NULL
  ORDER BY seller_id, viewers DESC, id
)
SELECT s.id, s.name, s.country, ${RATING},
       json_build_object('title', live.title, 'viewers', live.viewers,
                         'minutes', floor(extract(epoch FROM now() - live.started_at) / 60)) AS stream
FROM live JOIN marketplace.sellers s ON s.id = live.seller_id
ORDER BY live.viewers DESC, s.id`;

const STOREFRONT = /* sql */ `
SELECT s.id, s.name, s.country, ${RATING},
       (SELECT coalesce(sum(b.quantity), 0)::int FROM marketplace.purchases b
        JOIN marketplace.products p ON p.id = b.product_id WHERE p.seller_id = s.id) AS sold,
       coalesce((SELECT json_agg(shown) FROM (
         SELECT p.id, p.title, p.price_cents AS "priceCents", p.stock FROM marketplace.products p
         WHERE p.seller_id = s.id ORDER BY p.listed_at DESC, p.id LIMIT 24) AS shown), '[]') AS products
FROM marketplace.sellers s
WHERE s.id = $1`;

@Injectable()
export class Sellers {
  constructor(@Inject(DATABASE) private readonly database: Pool) {}

  /** Those who stream at this moment, the most watched first. */
  async live(): Promise<LiveSeller[]> {
    const { rows } = await this.database.query<LiveSeller>(LIVE);
    return rows;
  }

  async storefront(id: number): Promise<Storefront | undefined> {
    const { rows } = await this.database.query<Storefront>(STOREFRONT, [id]);
    return rows[0];
  }
}
