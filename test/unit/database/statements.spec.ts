import { describe, expect, it } from '@jest/globals';
import { describeStatement } from '../../../lib/database/statements/statement.js';
import { LONGEST_SHAPE, statementShape, WITHHELD } from '../../../lib/database/statements/shape.js';
import type { Dialect } from '../../../lib/database/statements/dialect.js';

const parsed = (text: string, dialect: Dialect = 'postgresql'): string => {
  const { type, table } = describeStatement(text, dialect);
  return `${type} ${table}`;
};

describe('the type and table of a statement', () => {
  it.each([
    ['SELECT * FROM users', 'SELECT users'],
    ['select id from Users where id = 1', 'SELECT users'],
    ['SELECT 1', 'SELECT __none__'],
    ['INSERT INTO orders (id, total) VALUES (1, 2)', 'INSERT orders'],
    ['UPDATE orders SET total = 1 WHERE id = 2', 'UPDATE orders'],
    ['DELETE FROM orders WHERE id = 2', 'DELETE orders'],
    ['TRUNCATE TABLE ONLY orders', 'TRUNCATE orders'],
    ['CREATE TABLE IF NOT EXISTS shop.orders (id int, FOREIGN KEY (x) REFERENCES users (id))', 'CREATE orders'],
    ['CREATE UNIQUE INDEX CONCURRENTLY i ON orders (id)', 'CREATE orders'],
    ['CREATE MATERIALIZED VIEW sums AS SELECT * FROM orders', 'CREATE sums'],
    ['DROP TABLE IF EXISTS orders CASCADE', 'DROP orders'],
    ['ALTER TABLE ONLY orders ADD COLUMN a int', 'ALTER orders'],
    ['COPY orders (id) FROM STDIN', 'COPY orders'],
    ['COPY (SELECT * FROM orders) TO STDOUT', 'COPY orders'],
    ['LOCK TABLE orders IN SHARE MODE', 'LOCK orders'],
    ['TABLE orders', 'TABLE orders'],
    ['VALUES (1), (2)', 'VALUES __none__'],
    ['CALL refresh_totals(1)', 'CALL __none__'],
    ['BEGIN', 'BEGIN __none__'],
    ['START TRANSACTION', 'BEGIN __none__'],
    ['END', 'COMMIT __none__'],
    ['SET search_path TO shop', 'SET __none__'],
    ['SHOW server_version', 'SHOW __none__'],
    ['frobnicate the thing', 'OTHER __none__'],
    ['', 'OTHER __none__'],
    ['   ;;; ', 'OTHER __none__'],
  ])('the type and table of a statement: %s', (text, expected) => expect(parsed(text)).toBe(expected));

  it.each([
    ['/* from a */ SELECT -- from b\n * FROM /* from c */ users', 'SELECT users'],
    ['/* outer /* inner */ from still_a_comment */ SELECT * FROM users', 'SELECT users'],
    ["SELECT 'from a' FROM users WHERE x = $$ from b $$", 'SELECT users'],
    ["SELECT $body$ ' from a $$ $body$ FROM users", 'SELECT users'],
    ["SELECT E'it\\'s from a' FROM users", 'SELECT users'],
  ])('the type and table ignore comments and strings: %s', (text, expected) => expect(parsed(text)).toBe(expected));

  it.each([
    ['SELECT * FROM public.users', 'postgresql', 'SELECT users'],
    ['SELECT * FROM "Public"."User Accounts" AS u', 'postgresql', 'SELECT User Accounts'],
    ['SELECT * FROM "say ""hi"""', 'postgresql', 'SELECT say "hi"'],
    ['SELECT * FROM `shop`.`orders`', 'mysql', 'SELECT orders'],
    ['SELECT * FROM Orders', 'mysql', 'SELECT Orders'],
    ['SELECT "from a" FROM orders', 'mysql', 'SELECT orders'],
    ["SELECT 'it\\'s from a' FROM orders # from b", 'mysql', 'SELECT orders'],
    ['SELECT 5--3 FROM orders', 'mysql', 'SELECT orders'],
    ['SELECT TOP (10) * FROM [dbo].[Order Lines] WITH (NOLOCK)', 'mssql', 'SELECT Order Lines'],
    ['SELECT * FROM shop..orders', 'mssql', 'SELECT orders'],
    ['UPDATE o SET total = 1 FROM orders o JOIN users u ON u.id = o.user_id', 'mssql', 'UPDATE orders'],
    ['INSERT OR REPLACE INTO orders VALUES (1)', 'sqlite', 'INSERT orders'],
    ['REPLACE INTO orders VALUES (1)', 'mysql', 'REPLACE orders'],
    ['INSERT IGNORE INTO orders VALUES (1) ON DUPLICATE KEY UPDATE id = 1', 'mysql', 'INSERT orders'],
    ['DELETE o FROM orders AS o JOIN users u ON u.id = o.user_id', 'mysql', 'DELETE orders'],
    ['SELECT data #>> 1 FROM orders', 'postgresql', 'SELECT orders'],
  ] as const)('the type and table follow the quotes of the dialect: %s (%s)', (text, dialect, expected) =>
    expect(parsed(text, dialect)).toBe(expected),
  );

  it.each([
    ['WITH recent AS (SELECT * FROM orders) SELECT * FROM recent', 'SELECT orders'],
    ['WITH RECURSIVE t(n) AS (SELECT id FROM nodes UNION ALL SELECT n FROM t) SELECT * FROM t', 'SELECT nodes'],
    ['WITH a AS NOT MATERIALIZED (SELECT 1), b AS (SELECT * FROM users) SELECT * FROM a, b', 'SELECT users'],
    ['WITH gone AS (DELETE FROM carts RETURNING *) INSERT INTO orders SELECT * FROM gone', 'INSERT orders'],
    ['WITH "Mine" AS (SELECT * FROM orders) SELECT * FROM "Mine"', 'SELECT orders'],
  ])('the type and table are read through common table expressions: %s', (text, expected) =>
    expect(parsed(text)).toBe(expected),
  );

  it.each([
    ['SELECT * FROM (SELECT * FROM orders) o JOIN users u ON true', 'SELECT orders'],
    ['SELECT * FROM (SELECT a, b FROM orders) o JOIN users u ON true', 'SELECT orders'],
    ['SELECT (SELECT max(id) FROM orders) FROM users', 'SELECT users'],
    ['SELECT EXISTS (SELECT 1 FROM orders WHERE id = 1)', 'SELECT orders'],
    ['SELECT * FROM (orders JOIN users ON true)', 'SELECT orders'],
    ['(SELECT * FROM orders) UNION (SELECT * FROM users)', 'SELECT orders'],
    ['SELECT EXTRACT(year FROM created_at), TRIM(BOTH FROM name) FROM users', 'SELECT users'],
    ['SELECT a IS DISTINCT FROM b FROM users', 'SELECT users'],
    ['SELECT * FROM generate_series(1, 3) g, orders', 'SELECT orders'],
    ['SELECT * FROM generate_series(1, 3) g JOIN LATERAL (SELECT * FROM orders) o ON true', 'SELECT orders'],
    ['SELECT * FROM ONLY orders FOR UPDATE', 'SELECT orders'],
    ['INSERT INTO archive SELECT * FROM orders archive', 'INSERT archive'],
    ['UPDATE orders o SET total = u.x FROM users u WHERE u.id = o.id', 'UPDATE orders'],
    ['DELETE FROM orders USING users WHERE users.id = orders.user_id', 'DELETE orders'],
    [
      'MERGE INTO orders o USING (SELECT * FROM carts) c ON o.id = c.id WHEN MATCHED THEN UPDATE SET x = 1',
      'MERGE orders',
    ],
    ['EXPLAIN (ANALYZE, FORMAT JSON) SELECT * FROM orders', 'EXPLAIN orders'],
    ['PREPARE p (int) AS SELECT * FROM orders WHERE id = $1', 'PREPARE orders'],
    ['EXECUTE p (1)', 'EXECUTE __none__'],
    ['DECLARE c CURSOR FOR SELECT * FROM orders', 'DECLARE orders'],
    ['FETCH NEXT FROM c', 'FETCH __none__'],
    ['SELECT * FROM $1', 'SELECT __none__'],
  ])('the type and table are found: %s', (text, expected) => expect(parsed(text)).toBe(expected));

  it.each([
    ['SELECT * FROM users; SELECT * FROM users;', 'SELECT users'],
    ['BEGIN; UPDATE orders SET x = 1; COMMIT', 'BATCH orders'],
    ['SELECT * FROM users; DELETE FROM orders', 'BATCH __other__'],
    ["SELECT ';' FROM users", 'SELECT users'],
    ['CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT * FROM x; END', 'CREATE __none__'],
  ])('statements that are sent together have the type and table: %s', (text, expected) =>
    expect(parsed(text)).toBe(expected),
  );

  it('a statement has no table if strings of an unknown dialect cannot be distinguished from the rest', () => {
    expect(parsed("SELECT 'it\\'s from hunter2'", 'unknown')).toBe('SELECT __none__');
  });
});

describe('the shape of a statement', () => {
  it.each([
    ["SELECT * FROM users WHERE name = 'hunter2' AND age > 42", 'SELECT * FROM users WHERE name = ? AND age > ?'],
    ["SELECT 1.5e-3, 0x1F, E'a\\'b', $tag$hunter2$tag$, N'x', B'01'", 'SELECT ?, ?, ?, ?, ?, ?'],
    ['SELECT *  -- hunter2\nFROM /* hunter2 */ users', 'SELECT * FROM users'],
    ["SELECT * FROM users WHERE id IN (1, -2, 'x', NULL, $4)", 'SELECT * FROM users WHERE id IN (?)'],
    ['INSERT INTO t (a, b) VALUES (1, $1), (2, $2), (3, DEFAULT)', 'INSERT INTO t (a, b) VALUES (?)'],
    ['SELECT * FROM "Order Lines" WHERE id = $1', 'SELECT * FROM "Order Lines" WHERE id = $1'],
    ["SELECT 'unterminated hunter2", 'SELECT ?'],
    ['SELECT "unterminated hunter2', 'SELECT ?'],
    ['SELECT f(a, 1)', 'SELECT f(a, ?)'],
  ])('the shape of a statement: %s', (text, expected) => expect(statementShape(text, 'postgresql')).toBe(expected));

  it('a shape treats double quotes as a literal if the dialect does', () => {
    expect(statementShape('SELECT * FROM `t` WHERE a = "hunter2" # hunter2', 'mysql')).toBe(
      'SELECT * FROM `t` WHERE a = ?',
    );
    expect(statementShape('SELECT * FROM t WHERE a = "hunter2"')).toBe('SELECT * FROM t WHERE a = ?');
  });

  it('a shape is omitted if an unknown dialect may end its strings elsewhere', () => {
    expect(statementShape("SELECT 'it\\'s hunter2'")).toBe(WITHHELD);
    expect(statementShape("SELECT 'it\\'s hunter2'", 'mysql')).toBe('SELECT ?');
  });

  it('a shape has a bounded length', () => {
    const shape = statementShape(`SELECT ${'a, '.repeat(10_000)} b`, 'postgresql');
    expect(shape).toHaveLength(LONGEST_SHAPE);
    expect(statementShape(`INSERT INTO t VALUES ${"(1, 'x'), ".repeat(5_000)}(1, 'x')`)).toBe(
      'INSERT INTO t VALUES (?)',
    );
  });
});
