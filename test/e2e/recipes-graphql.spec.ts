import 'reflect-metadata';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { Injectable, type LoggerService } from '@nestjs/common';
import { Args, createUnionType, Field, GraphQLModule, ID, ObjectType, Query, Resolver } from '@nestjs/graphql';
import { afterEach, expect, it } from '@jest/globals';
import { Cached, type CachedOptions, CacheObservabilityModule, redisLayer } from 'nestjs-cache-observability';
import { boot, closeApps } from '../support/apps.js';
import { RedisServer } from '../support/redis.js';

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

it('a union keeps the class that GraphQL asks for; a process that does not know the class warns once', async () => {
  const server = await RedisServer.start();
  try {
    /** As after a restart: new classes over the same Redis. */
    const start = async (listed: boolean) => {
      @ObjectType()
      class Book {
        constructor(title: string) {
          this.title = title;
        }
        @Field()
        title: string;
      }
      @ObjectType()
      class Film {
        constructor(title: string) {
          this.title = title;
        }
        @Field()
        title: string;
      }
      // Without resolveType GraphQL uses `instanceof`: a plain object is an error.
      const Found = createUnionType({ name: 'Found', types: () => [Book, Film] as const });
      const options: CachedOptions = { ttl: '5m', ...(listed && { classes: [Book, Film] }) };
      let calls = 0;

      @Resolver()
      class SearchResolver {
        @Query(() => [Found])
        @Cached('found:*', options)
        search(@Args('text') text: string) {
          calls += 1;
          return [new Book(text), new Film(text)];
        }
      }

      const warnings: string[] = [];
      const logger: LoggerService = {
        log: () => undefined,
        warn: (entry: { code: string; message: string }) => void warnings.push(`${entry.code} ${entry.message}`),
        error: (entry) => void warnings.push(String(entry)),
      };
      const { ask, close } = await boot(
        'express',
        {
          imports: [
            CacheObservabilityModule.forRoot({
              namespace: 'shop',
              prometheus: false,
              layers: [redisLayer({ url: server.url, deadline: '5s' })],
            }),
            GraphQLModule.forRoot<ApolloDriverConfig>({ driver: ApolloDriver, autoSchemaFile: true, path: '/graphql' }),
          ],
          providers: [SearchResolver],
        },
        { logger },
      );
      const search = async (text: string): Promise<unknown> => {
        const query = `{ search(text: "${text}") { __typename ... on Book { title } ... on Film { title } } }`;
        const { body } = await ask().post('/graphql').send({ query });
        return body.data?.search ?? body.errors;
      };
      return { search, close, warnings, calls: () => calls };
    };
    const answer = (title: string) => [
      { __typename: 'Book', title },
      { __typename: 'Film', title },
    ];

    const first = await start(false);
    for (const text of ['a', 'a', 'b']) expect(await first.search(text)).toEqual(answer(text));
    expect([first.calls(), first.warnings]).toEqual([2, []]);
    await first.close();

    const unaware = await start(false);
    for (const text of ['a', 'b']) expect(await unaware.search(text)).toEqual(answer(text));
    // The first load teaches the process its classes.
    expect(unaware.calls()).toBe(1);
    expect(unaware.warnings).toEqual([expect.stringMatching(/^UNKNOWN_CLASS .*Book.*classes/)]);
    await unaware.close();

    const aware = await start(true);
    for (const text of ['a', 'b']) expect(await aware.search(text)).toEqual(answer(text));
    expect([aware.calls(), aware.warnings]).toEqual([0, []]);
    await aware.close();
  } finally {
    await server.dispose();
  }
});
