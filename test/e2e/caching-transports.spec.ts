import { Controller, Delete, Get, Param, Post } from '@nestjs/common';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import {
  Args,
  Context,
  Field,
  GraphQLModule,
  ID,
  Int,
  Mutation,
  ObjectType,
  Parent,
  Query,
  ResolveField,
  Resolver,
} from '@nestjs/graphql';
import {
  type ClientProxy,
  ClientProxyFactory,
  Ctx,
  EventPattern,
  MessagePattern,
  Payload,
  Transport,
} from '@nestjs/microservices';
import { WsAdapter } from '@nestjs/platform-ws';
import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { AddressInfo, Server } from 'node:net';
import { lastValueFrom, of, toArray } from 'rxjs';
import { WebSocket } from 'ws';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { CacheInvalidate } from '../../lib/caching/cache-invalidate.decorator.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import { ObservedCache } from '../../lib/wiring/observed-cache.js';
import { boot, closeApps, platforms } from '../support/apps.js';

const calls: string[] = [];
const imports = [CacheObservabilityModule.forRoot({ prometheus: false })];

afterEach(async () => {
  calls.length = 0;
  await closeApps();
});

describe('RPC handlers', () => {
  @Controller()
  class Sums {
    @MessagePattern('sum')
    @Cached('sum:*')
    sum(@Payload() numbers: number[]) {
      calls.push('sum');
      return numbers.reduce((one, other) => one + other, 0);
    }

    @MessagePattern('part')
    @Cached('part:*')
    part(@Payload('id') id: number) {
      calls.push('part');
      return { id };
    }

    @MessagePattern('bare')
    @Cached('bare:*')
    bare(data: unknown) {
      calls.push('bare');
      return { data };
    }

    @MessagePattern('many')
    @Cached('many:*')
    many() {
      calls.push('many');
      return of(1, 2, 3);
    }

    @EventPattern('event')
    @Cached('event:*')
    event(_data: unknown) {
      calls.push('event');
    }
  }

  it('RPC handlers answer from the cache by payload', async () => {
    const { app } = await boot('express', { imports, controllers: [Sums] });
    const service = app.connectMicroservice({ transport: Transport.TCP, options: { port: 0 } });
    await app.startAllMicroservices();
    const { port } = service.unwrap<Server>().address() as AddressInfo;
    const client: ClientProxy = ClientProxyFactory.create({ transport: Transport.TCP, options: { port } });
    const send = (pattern: string, data: unknown) => lastValueFrom(client.send<unknown>(pattern, data));
    expect([await send('sum', [1, 2]), await send('sum', [1, 2]), await send('sum', [1, 3])]).toEqual([3, 3, 4]);
    expect([await send('part', { id: 1, junk: 1 }), await send('part', { id: 1, junk: 2 })]).toEqual([
      { id: 1 },
      { id: 1 },
    ]);
    expect([await send('bare', 1), await send('bare', '1')]).toEqual([{ data: 1 }, { data: '1' }]);
    const many = () => lastValueFrom(client.send<number>('many', 0).pipe(toArray()));
    expect([await many(), await many()]).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect(calls).toEqual(['sum', 'sum', 'part', 'bare', 'bare', 'many', 'many']);
    client.close();
  });

  it('RPC handlers with @Ctx() are refused', async () => {
    @Controller()
    class WithContext {
      @MessagePattern('x')
      @Cached('x:*')
      x(@Payload() data: unknown, @Ctx() context: unknown) {
        return [data, context];
      }
    }
    await expect(boot('express', { imports, controllers: [WithContext] })).rejects.toMatchObject({
      code: 'UNSAFE_HANDLER',
      message: expect.stringContaining('@Ctx()'),
    });
  });
});

describe('WebSocket handlers', () => {
  @WebSocketGateway()
  class Gateway {
    @SubscribeMessage('price')
    @Cached('price:*')
    price(@MessageBody('id') id: number) {
      calls.push('price');
      return { event: 'price', data: { id, call: calls.length } };
    }
  }

  it('WebSocket handlers answer from the cache by message', async () => {
    const { app } = await boot(
      'express',
      { imports, providers: [Gateway] },
      { configure: (one) => void one.useWebSocketAdapter(new WsAdapter(one)) },
    );
    await app.listen(0);
    const { port } = app.getHttpServer().address() as AddressInfo;
    const socket = new WebSocket(`ws://127.0.0.1:${port}`);
    await new Promise((resolve) => socket.once('open', resolve));
    const ask = async (id: number) => {
      const answer = new Promise<string>((resolve) => socket.once('message', (data: unknown) => resolve(String(data))));
      socket.send(JSON.stringify({ event: 'price', data: { id, at: Math.random() } }));
      return JSON.parse(await answer) as unknown;
    };
    expect(await ask(1)).toEqual({ event: 'price', data: { id: 1, call: 1 } });
    expect(await ask(1)).toEqual({ event: 'price', data: { id: 1, call: 1 } });
    expect(await ask(2)).toEqual({ event: 'price', data: { id: 2, call: 2 } });
    socket.close();
  });

  it('WebSocket handlers with @ConnectedSocket() are refused', async () => {
    @WebSocketGateway()
    class WithSocket {
      @SubscribeMessage('x')
      @Cached('x:*')
      x(@MessageBody() data: unknown, @ConnectedSocket() socket: unknown) {
        return [data, socket];
      }
    }
    await expect(
      boot(
        'express',
        { imports, providers: [WithSocket] },
        { configure: (one) => void one.useWebSocketAdapter(new WsAdapter(one)) },
      ),
    ).rejects.toMatchObject({ code: 'UNSAFE_HANDLER', message: expect.stringContaining('@ConnectedSocket()') });
  });
});

describe('GraphQL resolvers', () => {
  @ObjectType()
  class Product {
    @Field(() => ID)
    id!: string;

    @Field(() => Int)
    call!: number;
  }

  @Resolver(() => Product)
  class ProductResolver {
    @Query(() => Product)
    @Cached('product:{args.id}')
    product(@Args('id', { type: () => ID }) id: string) {
      calls.push('product');
      return { id, call: calls.length };
    }

    @Query(() => [Product])
    @Cached('products:*')
    products(
      @Args('ids', { type: () => [ID] }) ids: string[],
      @Args('first', { type: () => Int, nullable: true }) first?: number,
    ) {
      calls.push('products');
      return ids.slice(0, first ?? ids.length).map((id) => ({ id, call: calls.length }));
    }

    @Query(() => String)
    @Cached('viewer:*', { vary: 'headers.x-viewer' })
    viewer(@Context() context: { req: { headers: Record<string, string> } }) {
      calls.push('viewer');
      return context.req.headers['x-viewer'] ?? 'nobody';
    }

    @Mutation(() => Boolean)
    @CacheInvalidate({ keys: ['product:{args.id}'] })
    touch(@Args('id', { type: () => ID }) id: string) {
      return id !== '';
    }

    @ResolveField(() => String)
    @Cached('label:*')
    async label(@Parent() product: Product) {
      calls.push('label');
      return `label ${product.id}`;
    }
  }

  const graphql = GraphQLModule.forRoot<ApolloDriverConfig>({
    driver: ApolloDriver,
    autoSchemaFile: true,
    path: '/graphql',
  });
  const start = async () => {
    const { ask } = await boot('express', { imports: [...imports, graphql], providers: [ProductResolver] });
    return async (query: string, headers: Record<string, string> = {}) => {
      const { body } = await ask()
        .post('/graphql')
        .set({ 'apollo-require-preflight': '1', ...headers })
        .send({ query });
      expect(body.errors).toBeUndefined();
      return body.data as Record<string, any>;
    };
  };

  it('resolvers answer from the cache by arguments', async () => {
    const ask = await start();
    expect(await ask('{ product(id: "1") { id call } }')).toEqual({ product: { id: '1', call: 1 } });
    expect(await ask('{ product(id: "1") { call } }')).toEqual({ product: { call: 1 } });
    expect(await ask('{ product(id: "2") { call } }')).toEqual({ product: { call: 2 } });
    await ask('{ products(ids: ["1", "2"]) { id } }');
    await ask('{ products(ids: ["1", "2"]) { id call } }');
    await ask('{ products(ids: ["1", "2"], first: 1) { id } }');
    expect(calls.filter((name) => name === 'products')).toHaveLength(2);
  });

  it('mutations invalidate cached queries', async () => {
    const ask = await start();
    await ask('{ product(id: "1") { call } }');
    await ask('mutation { touch(id: "1") }');
    await ask('{ product(id: "1") { call } }');
    expect(calls).toEqual(['product', 'product']);
  });

  it('resolvers with @Context() vary by what `vary` declares', async () => {
    const ask = await start();
    expect(await ask('{ viewer }', { 'X-Viewer': 'ann' })).toEqual({ viewer: 'ann' });
    expect(await ask('{ viewer }', { 'X-Viewer': 'bob' })).toEqual({ viewer: 'bob' });
    expect(await ask('{ viewer }', { 'X-Viewer': 'ann' })).toEqual({ viewer: 'ann' });
    expect(calls).toEqual(['viewer', 'viewer']);
  });

  it('resolvers bypass requests with Authorization', async () => {
    const ask = await start();
    await ask('{ product(id: "1") { call } }');
    expect(await ask('{ product(id: "1") { call } }', { Authorization: 'Bearer ann' })).toEqual({
      product: { call: 2 },
    });
  });

  it('field resolvers answer from the cache by parent', async () => {
    const ask = await start();
    await ask('{ product(id: "1") { id label } }');
    expect(await ask('{ product(id: "1") { id label } }')).toEqual({ product: { id: '1', label: 'label 1' } });
    expect(calls).toEqual(['product', 'label']);
  });

  it('resolvers with @Context() and without `vary` are refused', async () => {
    @Resolver()
    class Leaky {
      @Query(() => String)
      @Cached('x:*')
      leak(@Context() context: unknown) {
        return String(context);
      }
    }
    await expect(boot('express', { imports: [...imports, graphql], providers: [Leaky] })).rejects.toMatchObject({
      code: 'UNSAFE_HANDLER',
      message: expect.stringContaining('@Context()'),
    });
  });
});

describe.each(platforms)('@CacheInvalidate handlers on %s', (platform) => {
  @Controller('products')
  class Products {
    stock = 3;

    @Get(':id')
    @Cached('product:{params.id}', { tags: ['product:{params.id}', 'products'] })
    find(@Param('id') id: string) {
      calls.push('find');
      return { id, stock: this.stock };
    }

    @Post(':id/purchase')
    @CacheInvalidate({ keys: ['product:{result.id}'] })
    purchase(@Param('id') id: string) {
      this.stock -= 1;
      return { id: Number(id) };
    }

    @Delete(':id')
    @CacheInvalidate({ tags: ['product:{params.id}'] })
    remove() {
      this.stock = 0;
      return of({ removed: true });
    }

    @Post('all')
    @CacheInvalidate({ patterns: ['product:*'] })
    all() {
      this.stock = 9;
      return {};
    }

    @Post('fail')
    @CacheInvalidate({ patterns: ['product:*'] })
    fail() {
      throw new Error('no');
    }
  }

  const stock = async (ask: Awaited<ReturnType<typeof boot>>['ask'], id: number) =>
    (await ask().get(`/products/${id}`)).body.stock as number;

  it('handlers invalidate by keys, tags and patterns after they succeed', async () => {
    const { ask } = await boot(platform, { imports, controllers: [Products] });
    expect([await stock(ask, 7), await stock(ask, 8)]).toEqual([3, 3]);
    await ask().post('/products/7/purchase').expect(201, { id: 7 });
    expect([await stock(ask, 7), await stock(ask, 8)]).toEqual([2, 3]);
    await ask().delete('/products/8').expect(200, { removed: true });
    expect([await stock(ask, 7), await stock(ask, 8)]).toEqual([2, 0]);
    await ask().post('/products/all').expect(201);
    expect([await stock(ask, 7), await stock(ask, 8)]).toEqual([9, 9]);
    await ask().post('/products/fail').expect(500);
    calls.length = 0;
    await stock(ask, 7);
    expect(calls).toEqual([]);
  });

  it('handlers respond although an invalidation fails', async () => {
    const { ask, app } = await boot(platform, { imports, controllers: [Products] });
    const cache = app.get(ObservedCache);
    cache.mdel = () => Promise.reject(new Error('down'));
    await ask().post('/products/7/purchase').expect(201, { id: 7 });
  });
});
