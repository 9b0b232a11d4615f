// The application around the code blocks of README and docs.
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { Keyv } from 'keyv';
import type { CacheWarmer, ObservedCache } from 'nestjs-cache-observability';
import type { Redis } from 'ioredis';

export class User {
  id = '1';
}
export class Address {}
export class Order {}
export class Product {
  id = '1';
}
export class Decimal {
  constructor(readonly text: string) {}
}
export interface Storefront {
  readonly products: readonly Product[];
}

export const CurrentUser = createParamDecorator((_: unknown, context: ExecutionContext): unknown =>
  context.switchToHttp().getRequest<{ user: User }>(),
);

export declare class Categories {
  top(limit: number): Promise<{ slug: string }[]>;
  page(slug: string): Promise<unknown>;
}
export declare class Products {
  find(id: string): Promise<Product>;
  purchase(id: string): Promise<{ sellerId: string }>;
}
export declare class Catalogue {
  product(id: number): Promise<Product>;
}
/** A stand-in for `@nestjs/config`. */
export declare class ConfigService {
  getOrThrow<T>(name: string): T;
}

/** Members that the examples use: a block with members of a class is compiled as a class that extends this one. */
export abstract class Example {
  protected abstract readonly products: Products;
  protected abstract readonly baskets: { of(id: string): Promise<unknown> };
  protected abstract readonly orders: { latest(): Promise<Order> };
}

export declare const cache: ObservedCache;
export declare const warmer: CacheWarmer;
export declare const client: Redis;
export declare const exporter: PushMetricExporter;
export declare const stores: Keyv[];
export declare const id: string;
export declare const url: string;
export declare const product: Product;
export declare const first: Product;
export declare const second: Product;
export declare const recommendations: { alsoBought(id: number): Promise<Product[]> };
export declare function log(text: string): void;
export declare function note(message: unknown): void;
export declare function loadUser(id: string): Promise<User>;
