import assert from 'node:assert/strict';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { Module } from '@nestjs/common';
import { Args, GraphQLModule, ID, Int, Query, Resolver } from '@nestjs/graphql';
import { Cached } from 'nestjs-cache-observability';

let calls = 0;

@Resolver()
class StockResolver {
  @Query(() => Int)
  @Cached('stock:{args.id}')
  stock(@Args('id', { type: () => ID }) id: string) {
    assert.equal(id, '1');
    return ++calls;
  }
}

@Module({
  imports: [GraphQLModule.forRoot<ApolloDriverConfig>({ driver: ApolloDriver, autoSchemaFile: true })],
  providers: [StockResolver],
})
export class Graph {}

/** Two queries, one call of the resolver. */
export async function askGraphQL(url: string) {
  for (let time = 0; time < 2; time++) {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ stock(id: "1") }' }),
    });
    assert.deepEqual(await response.json(), { data: { stock: 1 } });
  }
}
