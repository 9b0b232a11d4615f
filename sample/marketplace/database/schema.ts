/** The marketplace's tables. They live in a schema of their own, so that a database shared with others stays tidy. */
export const TABLES = /* sql */ `
CREATE SCHEMA marketplace;

-- Evenly spread over 0–1 and the same on every run: the catalogue is deterministic.
CREATE FUNCTION marketplace.noise(n bigint, salt bigint) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(n, salt) & 2147483647)::float8 / 2147483648 $$;

-- One of 1…total, a few of them far more often than the rest, and those few scattered over the range.
CREATE FUNCTION marketplace.popular(n bigint, salt bigint, total int) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT (1 + (floor(total * power(marketplace.noise(n, salt), 2))::bigint * 4801) % total)::int $$;

CREATE TABLE marketplace.categories (
  id int PRIMARY KEY,
  slug text NOT NULL UNIQUE,
  name text NOT NULL,
  department text NOT NULL,
  things text[] NOT NULL
);

CREATE TABLE marketplace.sellers (
  id int PRIMARY KEY,
  name text NOT NULL,
  country text NOT NULL,
  joined_at timestamptz NOT NULL
);

CREATE TABLE marketplace.live_streams (
  id int PRIMARY KEY,
  seller_id int NOT NULL,
  title text NOT NULL,
  viewers int NOT NULL,
  started_at timestamptz NOT NULL,
  ended_at timestamptz
);

CREATE TABLE marketplace.products (
  id int PRIMARY KEY,
  seller_id int NOT NULL,
  category_id int NOT NULL,
  title text NOT NULL,
  description text NOT NULL,
  price_cents int NOT NULL,
  stock int NOT NULL CHECK (stock >= 0),
  listed_at timestamptz NOT NULL,
  document tsvector GENERATED ALWAYS AS (
    setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', description), 'B')
  ) STORED
);

CREATE TABLE marketplace.purchases (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  product_id int NOT NULL,
  customer_id int NOT NULL,
  quantity int NOT NULL CHECK (quantity > 0),
  unit_price_cents int NOT NULL,
  bought_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE marketplace.product_views (
  product_id int NOT NULL,
  viewed_at timestamptz NOT NULL
);

CREATE TABLE marketplace.reviews (
  product_id int NOT NULL,
  rating int NOT NULL CHECK (rating BETWEEN 1 AND 5),
  written_at timestamptz NOT NULL
);

CREATE TABLE marketplace.searches (
  term text NOT NULL,
  searched_at timestamptz NOT NULL
);

CREATE TABLE marketplace.sessions (
  token text PRIMARY KEY,
  visitor text NOT NULL,
  opened_at timestamptz NOT NULL DEFAULT now()
);
`;

/** Made after the rows are in: building an index once is far cheaper than keeping it through the inserts. */
export const INDEXES = /* sql */ `
CREATE INDEX ON marketplace.products (seller_id);
CREATE INDEX ON marketplace.products (category_id);
CREATE INDEX ON marketplace.products USING gin (document);
CREATE INDEX ON marketplace.purchases (product_id);
CREATE INDEX ON marketplace.purchases (customer_id);
CREATE INDEX ON marketplace.purchases (bought_at);
CREATE INDEX ON marketplace.product_views (viewed_at);
CREATE INDEX ON marketplace.reviews (product_id);
CREATE INDEX ON marketplace.searches (searched_at);
CREATE INDEX ON marketplace.live_streams (seller_id) WHERE ended_at IS NULL;

ALTER TABLE marketplace.live_streams ADD FOREIGN KEY (seller_id) REFERENCES marketplace.sellers;
ALTER TABLE marketplace.products ADD FOREIGN KEY (seller_id) REFERENCES marketplace.sellers;
ALTER TABLE marketplace.products ADD FOREIGN KEY (category_id) REFERENCES marketplace.categories;
ALTER TABLE marketplace.purchases ADD FOREIGN KEY (product_id) REFERENCES marketplace.products;
ALTER TABLE marketplace.reviews ADD FOREIGN KEY (product_id) REFERENCES marketplace.products;
`;
