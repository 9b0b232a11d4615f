import 'reflect-metadata';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { Injectable } from '@nestjs/common';
import { Args, Field, GraphQLModule, ID, ObjectType, Query, Resolver } from '@nestjs/graphql';
import { afterEach, expect, it } from '@jest/globals';
import { Cached, CacheObservabilityModule } from 'nestjs-cache-observability';
import { boot, closeApps } from '../support/apps.js';

afterEach(closeApps);

it("the recipe for GraphQL answers a resolver's second request from the cache", async () => {
  const found: string[] = [];
  @ObjectType()
  class Product {
    @Field(() => ID)
    id!: string;
  }
  @Injectable()
  class Products {
    find(id: string): Product {
      found.push(id);
      return { id };
    }
  }

  @Resolver()
  class ProductResolver {
    constructor(private readonly products: Products) {}

    @Query(() => Product)
    @Cached('product:*', { ttl: '5m' })
    product(@Args('id') id: string) {
      return this.products.find(id);
    }
  }

  const { ask } = await boot('express', {
    imports: [
      CacheObservabilityModule.forRoot({ prometheus: false }),
      GraphQLModule.forRoot<ApolloDriverConfig>({ driver: ApolloDriver, autoSchemaFile: true, path: '/graphql' }),
    ],
    providers: [Products, ProductResolver],
  });
  const product = async (id: string) => {
    const { body } = await ask()
      .post('/graphql')
      .send({ query: `{ product(id: "${id}") { id } }` });
    return body.data.product as Product;
  };

  expect([await product('1'), await product('1'), await product('2')]).toEqual([{ id: '1' }, { id: '1' }, { id: '2' }]);
  expect(found).toEqual(['1', '2']);
});
