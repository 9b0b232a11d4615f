import type { Pool, PoolClient } from 'pg';
import { INDEXES, TABLES } from './schema.js';
import { ADJECTIVES, DEPARTMENTS, MATERIALS, SELLER_NAMES } from './words.js';

/** How large the catalogue is; everything else follows from these two. */
export interface CatalogueSize {
  readonly products: number;
  readonly sellers: number;
}

/** What the database holds when the seeding has ended. */
export interface Catalogue extends CatalogueSize {
  readonly categories: number;
  readonly purchases: number;
  readonly views: number;
  /** False where the database had been seeded before. */
  readonly fresh: boolean;
}

/** Two processes that start together on one database must not both fill it. */
const SEED_LOCK = 7_261_001;

/**
 * Creates and fills the marketplace's tables unless they are there, in one transaction. The rows are made by the
 * database itself, set by set, and are the same on every run save that their dates count back from now.
 */
export async function seed(pool: Pool, size: CatalogueSize, progress: (line: string) => void): Promise<Catalogue> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    await client.query('SELECT pg_advisory_xact_lock($1)', [SEED_LOCK]);
    const { rows } = await client.query<{ there: boolean }>(
      `SELECT to_regclass('marketplace.searches') IS NOT NULL AS there`,
    );
    const fresh = rows[0]?.there !== true;
    if (fresh) await fill(client, size, progress);
    await client.query('COMMIT');
    if (fresh) await client.query('ANALYZE');
    return { ...(await count(client)), fresh };
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
}

async function fill(client: PoolClient, size: CatalogueSize, progress: (line: string) => void): Promise<void> {
  const started = performance.now();
  await client.query(TABLES);
  for (const [what, sql, parameters] of steps(size)) {
    const { rowCount } = await client.query(sql, parameters);
    progress(`${(rowCount ?? 0).toLocaleString('en')} ${what}`);
  }
  await client.query(INDEXES);
  progress(`indexes, after ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

function steps({ products, sellers }: CatalogueSize): [what: string, sql: string, parameters: unknown[]][] {
  const categories = DEPARTMENTS.flatMap(({ name, categories }) =>
    Object.entries(categories).map(([category, things]) => ({ name: category, department: name, things })),
  );
  return [
    ['categories', CATEGORIES, [JSON.stringify(categories)]],
    ['sellers', SELLERS, [sellers, JSON.stringify(SELLER_NAMES)]],
    ['live streams', LIVE_STREAMS, [Math.ceil(sellers / 3), sellers]],
    ['products', PRODUCTS, [products, sellers, JSON.stringify({ adjectives: ADJECTIVES, materials: MATERIALS })]],
    ['purchases', PURCHASES, [products * 8, products]],
    ['product views', VIEWS, [products * 15, products]],
    ['reviews', REVIEWS, [products * 4, products]],
    ['searches', SEARCHES, [products * 4]],
  ];
}

const CATEGORIES = /* sql */ `
INSERT INTO marketplace.categories (id, slug, name, department, things)
SELECT n, lower(c->>'name'), c->>'name', c->>'department',
       ARRAY(SELECT jsonb_array_elements_text(c->'things'))
FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS list(c, n)`;

const SELLERS = /* sql */ `
INSERT INTO marketplace.sellers (id, name, country, joined_at)
SELECT n,
       format('%s %s %s', $2::jsonb->'first'->>(n % 10), $2::jsonb->'second'->>((n / 10) % 10), n),
       $2::jsonb->'countries'->>(floor(10 * marketplace.noise(n, 1))::int),
       now() - interval '2000 days' * marketplace.noise(n, 2)
FROM generate_series(1, $1::int) AS n`;

/** A quarter of the streams goes on, the others have ended. */
const LIVE_STREAMS = /* sql */ `
INSERT INTO marketplace.live_streams (id, seller_id, title, viewers, started_at, ended_at)
SELECT n, marketplace.popular(n, 11, $2::int), format('%s, live: %s', c.name, c.things[1 + n % cardinality(c.things)]),
       1 + floor(5000 * power(marketplace.noise(n, 12), 4))::int, began,
       CASE WHEN n % 4 = 0 THEN NULL ELSE began + interval '90 minutes' END
FROM (SELECT n, now() - CASE WHEN n % 4 = 0 THEN interval '3 hours' * marketplace.noise(n, 13)
                        ELSE interval '1 day' + interval '60 days' * marketplace.noise(n, 13) END AS began
      FROM generate_series(1, $1::int) AS n) AS streams
JOIN marketplace.categories c ON c.id = 1 + (n * 7) % (SELECT count(*) FROM marketplace.categories)`;

const PRODUCTS = /* sql */ `
INSERT INTO marketplace.products (id, seller_id, category_id, title, description, price_cents, stock, listed_at)
SELECT n, marketplace.popular(n, 21, $2::int), c.id,
       initcap(format('%s %s %s', adjective, material, thing)),
       format('A %s %s in %s, from our %s collection for the %s department. Item %s.',
              adjective, thing, material, lower(c.name), lower(c.department), n),
       500 + 5 * floor(6000 * power(marketplace.noise(n, 22), 2))::int,
       20 + floor(480 * marketplace.noise(n, 23))::int,
       now() - interval '700 days' * power(marketplace.noise(n, 24), 2)
FROM generate_series(1, $1::int) AS n
JOIN marketplace.categories c
  ON c.id = 1 + floor((SELECT count(*) FROM marketplace.categories) * power(marketplace.noise(n, 25), 1.5))::int
CROSS JOIN LATERAL (SELECT
  $3::jsonb->'adjectives'->>(floor(16 * marketplace.noise(n, 26))::int) AS adjective,
  $3::jsonb->'materials'->>(floor(16 * marketplace.noise(n, 27))::int) AS material,
  c.things[1 + floor(cardinality(c.things) * marketplace.noise(n, 28))::int] AS thing) AS words`;

const PURCHASES = /* sql */ `
INSERT INTO marketplace.purchases (product_id, customer_id, quantity, unit_price_cents, bought_at)
SELECT p.id, 1 + floor(5000 * power(marketplace.noise(n, 31), 1.3))::int, 1 + floor(3 * power(marketplace.noise(n, 32), 4))::int, p.price_cents,
       now() - interval '60 days' * power(marketplace.noise(n, 33), 1.2)
FROM generate_series(1, $1::int) AS n
JOIN marketplace.products p ON p.id = marketplace.popular(n, 34, $2::int)`;

const VIEWS = /* sql */ `
INSERT INTO marketplace.product_views (product_id, viewed_at)
SELECT marketplace.popular(n, 41, $2::int), now() - interval '20 days' * marketplace.noise(n, 42)
FROM generate_series(1, $1::int) AS n`;

const REVIEWS = /* sql */ `
INSERT INTO marketplace.reviews (product_id, rating, written_at)
SELECT marketplace.popular(n, 51, $2::int), 5 - floor(5 * power(marketplace.noise(n, 52), 2.5))::int,
       now() - interval '300 days' * marketplace.noise(n, 53)
FROM generate_series(1, $1::int) AS n`;

const SEARCHES = /* sql */ `
WITH terms AS (
  SELECT array_agg(thing ORDER BY marketplace.noise(hashtext(thing), 61)) AS list
  FROM marketplace.categories, unnest(things) AS thing
)
INSERT INTO marketplace.searches (term, searched_at)
SELECT list[marketplace.popular(n, 62, cardinality(list))], now() - interval '14 days' * marketplace.noise(n, 63)
FROM terms, generate_series(1, $1::int) AS n`;

async function count(client: PoolClient): Promise<Omit<Catalogue, 'fresh'>> {
  const { rows } = await client.query<Omit<Catalogue, 'fresh'>>(/* sql */ `
    SELECT (SELECT count(*)::int FROM marketplace.products) AS products,
           (SELECT count(*)::int FROM marketplace.sellers) AS sellers,
           (SELECT count(*)::int FROM marketplace.categories) AS categories,
           (SELECT count(*)::int FROM marketplace.purchases) AS purchases,
           (SELECT count(*)::int FROM marketplace.product_views) AS views`);
  const counts = rows[0];
  if (counts === undefined) throw new Error('The catalogue cannot be counted.');
  return counts;
}
