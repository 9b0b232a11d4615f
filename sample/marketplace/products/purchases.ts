import { ConflictException, Inject, Injectable, NotFoundException } from '@nestjs/common';
import type { Pool, PoolClient } from 'pg';
import { DATABASE } from '../database/database.module.js';

export interface Receipt {
  readonly purchaseId: number;
  readonly productId: number;
  readonly quantity: number;
  readonly totalCents: number;
  /** The stock after the purchase. */
  readonly stock: number;
}

/** Customers are 1 to 5000; visitors without a login buy as one of them. */
const CUSTOMERS = 5_000;

@Injectable()
export class Purchases {
  constructor(@Inject(DATABASE) private readonly database: Pool) {}

  /** Reduces the stock and records the purchase in one transaction. 404 if the product does not exist, 409 if too few are left. */
  async buy(productId: number, quantity: number): Promise<Receipt> {
    const client = await this.database.connect();
    try {
      await client.query('BEGIN');
      const receipt = await take(client, productId, quantity);
      await client.query('COMMIT');
      return receipt;
    } catch (error) {
      await client.query('ROLLBACK').catch(() => undefined);
      throw error;
    } finally {
      client.release();
    }
  }
}

async function take(client: PoolClient, productId: number, quantity: number): Promise<Receipt> {
  const taken = await client.query<{ stock: number; price: number }>(
    `UPDATE marketplace.products SET stock = stock - $2 WHERE id = $1 AND stock >= $2
     RETURNING stock, price_cents AS price`,
    [productId, quantity],
  );
  const product = taken.rows[0];
  if (product === undefined) throw await refusal(client, productId, quantity);
  const written = await client.query<{ id: string }>(
    `INSERT INTO marketplace.purchases (product_id, customer_id, quantity, unit_price_cents)
     VALUES ($1, 1 + floor(random() * ${CUSTOMERS}), $2, $3) RETURNING id`,
    [productId, quantity, product.price],
  );
  return {
    purchaseId: Number(written.rows[0]?.id),
    productId,
    quantity,
    totalCents: quantity * product.price,
    stock: product.stock,
  };
}

async function refusal(client: PoolClient, productId: number, quantity: number): Promise<Error> {
  const { rows } = await client.query<{ stock: number }>('SELECT stock FROM marketplace.products WHERE id = $1', [
    productId,
  ]);
  const product = rows[0];
  return product === undefined
    ? new NotFoundException(`There is no product ${productId}.`)
    : new ConflictException(`Product ${productId}: only ${product.stock} left, ${quantity} requested.`);
}
