import { AsyncLocalStorage } from 'node:async_hooks';
import { createSecretKey } from 'node:crypto';
import { Readable } from 'node:stream';
import { CACHE_MANAGER, CacheInterceptor, CacheKey } from '@nestjs/cache-manager';
import {
  type CallHandler,
  ClassSerializerInterceptor,
  Controller,
  type ExecutionContext,
  Get,
  Inject,
  Injectable,
  type NestInterceptor,
  type Provider,
  Scope,
  SerializeOptions,
  UseInterceptors,
} from '@nestjs/common';
import { APP_INTERCEPTOR, Reflector } from '@nestjs/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Exclude, Expose, instanceToPlain, Transform, Type } from 'class-transformer';
import { map } from 'rxjs';
import {
  CacheObservabilityModule,
  Cached,
  type CacheObservabilityOptions,
  memoryLayer,
  type ObservedCache,
  redisLayer,
} from '../../lib/index.js';
import { boot, closeApps, platforms } from '../support/apps.js';
import { RedisServer } from '../support/redis.js';

class Address {
  readonly city = 'Ulm';
  @Exclude() readonly coordinates = [48, 10];
}

class User {
  id = 1;
  name = 'ann';
  @Exclude() password = 's3cret';
  @Expose({ groups: ['admin'] }) email = 'ann@example.org';
  @Type(() => Address) address = new Address();
  born = new Date(0);
  @Expose() get label(): string {
    return `${this.name} (${this.id})`;
  }
}

class PriceDto {
  @Transform(({ value }) => (value as number) / 100, { toPlainOnly: true }) cents!: number;
}

class Money {
  constructor(readonly cents: number) {}
  toJSON() {
    return { amount: (this.cents / 100).toFixed(2) };
  }
}

/** Private state that cannot be copied. */
class Vault {
  readonly name = 'vault';
  readonly #secret = 42;
  reveal(): number {
    return this.#secret;
  }
  toJSON() {
    return { name: this.name, revealed: this.#secret };
  }
}

const values = {
  user: () => new User(),
  users: () => ({ list: [new User(), new User()], total: 2 }),
  money: () => ({ price: new Money(1250), history: new Map([['a', new Money(1)]]) }),
};
type Name = keyof typeof values;
const names = Object.keys(values) as Name[];

let calls = 0;
const valueOf = (name: Name): unknown => {
  calls += 1;
  return values[name]();
};

@Controller('cached')
class CachedValues {
  @Get('user')
  @Cached('value:user', { shared: true })
  user(): User {
    return valueOf('user') as User;
  }
  @Get('users')
  @Cached('value:users', { shared: true })
  users() {
    return valueOf('users');
  }
  @Get('money')
  @Cached('value:money', { shared: true })
  money() {
    return valueOf('money');
  }
}

/** The same handlers without a cache, for comparison. */
@Controller('plain')
class PlainValues {
  @Get('user')
  user() {
    return valueOf('user');
  }
  @Get('users')
  users() {
    return valueOf('users');
  }
  @Get('money')
  money() {
    return valueOf('money');
  }
}

@Injectable()
class UserService {
  @Cached('service:*')
  async find(_id: number): Promise<User> {
    calls += 1;
    return Promise.resolve(new User());
  }
}

@Controller('service')
class ServiceUsers {
  constructor(private readonly users: UserService) {}
  @Get('user')
  user() {
    return this.users.find(1);
  }
}

@Controller('manager')
@UseInterceptors(CacheInterceptor)
class ManagedUsers {
  constructor(@Inject(CACHE_MANAGER) readonly cache: unknown) {}
  @Get('user')
  @CacheKey('managed-user')
  user() {
    return valueOf('user');
  }
}

const controllers = [CachedValues, PlainValues, ServiceUsers, ManagedUsers];

@Injectable()
class Wrapping implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler) {
    return next.handle().pipe(map((data: unknown) => ({ data: instanceToPlain(data) })));
  }
}

class Revealing implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler) {
    return next.handle().pipe(map((vault: Vault) => vault.reveal()));
  }
}

const serializers: [string, Provider][] = [
  ['a serializer', { provide: APP_INTERCEPTOR, useClass: ClassSerializerInterceptor }],
  [
    'a request-scoped serializer',
    { provide: APP_INTERCEPTOR, useClass: ClassSerializerInterceptor, scope: Scope.REQUEST },
  ],
  ['an interceptor that converts instances', { provide: APP_INTERCEPTOR, useClass: Wrapping }],
];

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start();
});
afterEach(async () => {
  calls = 0;
  await closeApps();
});
afterAll(() => server.dispose());

let namespaces = 0;
const layers: [string, (namespace: string) => Partial<CacheObservabilityOptions>][] = [
  ['memory', () => ({ layers: [memoryLayer()] })],
  ['Redis', (namespace) => ({ namespace, layers: [redisLayer({ url: server.url })] })],
];
const cacheWith = (options: Partial<CacheObservabilityOptions>) =>
  CacheObservabilityModule.forRoot({ prometheus: false, monitoring: false, ...options });

describe.each(platforms)('instances of classes on %s', (platform) => {
  describe.each(layers)('stored in %s', (_layer, optionsIn) => {
    it.each(serializers)('instances of classes reach %s on a miss and on a hit', async (_name, serializer) => {
      const imports = [cacheWith(optionsIn(`values-${++namespaces}`))];
      const { ask } = await boot(platform, { imports, controllers, providers: [UserService, serializer] });
      const expected = await ask().get('/plain/user').expect(200);
      expect(expected.text).not.toContain('s3cret');
      expect(expected.text).toContain('ann (1)');
      calls = 0;
      for (const path of ['/cached/user', '/service/user', '/manager/user']) {
        for (const _ of ['miss', 'hit', 'hit']) {
          const { text } = await ask().get(path).expect(200);
          expect(text).toBe(expected.text);
        }
      }
      expect(calls).toBe(3);
    });

    it('instances of classes are written as the same JSON as without a cache', async () => {
      const imports = [cacheWith(optionsIn(`values-${++namespaces}`))];
      const { ask } = await boot(platform, { imports, controllers, providers: [UserService] });
      for (const name of names) {
        const expected = await ask().get(`/plain/${name}`).expect(200);
        for (const kind of ['MISS', 'HIT']) {
          const { text } = await ask().get(`/cached/${name}`).expect('x-cache', kind).expect(200);
          expect(text).toBe(expected.text);
        }
      }
    });
  });

  it('instances of classes are restored in another application that declares or lists their classes', async () => {
    const namespace = `values-${++namespaces}`;
    const imports = () => [
      cacheWith({ namespace, layers: [memoryLayer(), redisLayer({ url: server.url })], classes: [Address, Money] }),
    ];
    const serializer = { provide: APP_INTERCEPTOR, useClass: ClassSerializerInterceptor };
    const one = await boot(platform, { imports: imports(), controllers, providers: [UserService, serializer] });
    const texts = await Promise.all(names.map(async (name) => (await one.ask().get(`/cached/${name}`)).text));
    calls = 0;
    const other = await boot(platform, { imports: imports(), controllers, providers: [UserService, serializer] });
    const answers = await Promise.all(names.map((name) => other.ask().get(`/cached/${name}`)));
    expect(answers.map(({ text }) => text)).toEqual(texts);
    // No method returns a declared `User` in a list.
    expect(answers.map(({ headers }) => headers['x-cache'])).toEqual(['HIT', 'MISS', 'HIT']);
  });

  it('instances of classes are transformed once by the type of SerializeOptions', async () => {
    @Controller()
    class Prices {
      @Get('price')
      @Cached('price:*')
      @SerializeOptions({ type: PriceDto })
      price() {
        calls += 1;
        return { cents: 1250 };
      }
    }
    const { ask } = await boot(platform, {
      imports: [cacheWith({})],
      controllers: [Prices],
      providers: [{ provide: APP_INTERCEPTOR, useClass: ClassSerializerInterceptor }],
    });
    for (const _ of ['miss', 'hit']) expect((await ask().get('/price').expect(200)).body).toEqual({ cents: 12.5 });
    expect(calls).toBe(1);
  });

  it('instances of classes are serialized per caller by options from its request or its asynchronous context', async () => {
    const groups = new AsyncLocalStorage<string[]>();

    class ByRequest extends ClassSerializerInterceptor {
      protected override getContextOptions(context: ExecutionContext) {
        const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string> }>();
        return { groups: [headers['x-group'] ?? 'none', ...(groups.getStore() ?? [])] };
      }
    }
    const { ask } = await boot(
      platform,
      { imports: [cacheWith({})], controllers, providers: [UserService] },
      {
        configure: (app) => {
          app.use((request: { headers: Record<string, string> }, _response: unknown, next: () => void) =>
            groups.run(request.headers['x-role'] === undefined ? [] : [request.headers['x-role']], next),
          );
          app.useGlobalInterceptors(new ByRequest(new Reflector()));
        },
      },
    );
    const emailFor = async (headers: Record<string, string>) =>
      ((await ask().get('/cached/user').set(headers).expect(200)).body as { email?: string }).email;
    expect(await emailFor({ 'x-group': 'admin' })).toBe('ann@example.org');
    expect(await emailFor({ 'x-group': 'guest' })).toBeUndefined();
    expect(await emailFor({ 'x-role': 'admin' })).toBe('ann@example.org');
    expect(await emailFor({})).toBeUndefined();
    expect(calls).toBe(1);
  });
});

describe.each(platforms)('values that cannot be copied, on %s', (platform) => {
  const warnings: string[] = [];
  const logger = {
    log() {},
    error() {},
    warn: (message: unknown) => void warnings.push(typeof message === 'string' ? message : JSON.stringify(message)),
  };
  afterEach(() => void (warnings.length = 0));

  const unique: Record<string, () => object> = {
    response: () => new Response('text'),
    headers: () => new Headers({ a: '1' }),
    blob: () => new Blob(['text']),
    form: () => new FormData(),
    query: () => new URLSearchParams({ a: '1' }),
    iterator: () => new Map([['a', 1]]).entries(),
    key: () => createSecretKey(Buffer.alloc(8)),
    vault: () => new Vault(),
    lazy: () => Object.defineProperty(new User(), 'posts', { get: () => Promise.resolve([]), configurable: true }),
    handler: () => Object.assign(new User(), { greet: () => 'hello' }),
    promise: () => ({ later: Promise.resolve(1) }),
  };

  @Injectable()
  class Uniques {
    @Cached('unique:*')
    async make(kind: string): Promise<object> {
      calls += 1;
      await new Promise((resolve) => setImmediate(resolve));
      return unique[kind]!();
    }

    @Cached('stream:*')
    async stream(): Promise<Readable> {
      calls += 1;
      await new Promise((resolve) => setImmediate(resolve));
      return Readable.from(['one', 'two']);
    }
  }

  it.each(Object.keys(unique))('uncopyable values reach their caller and are never stored: %s', async (kind) => {
    const { app } = await boot(platform, { imports: [cacheWith({})], providers: [Uniques] }, { logger });
    const service = app.get(Uniques);
    const prototype: unknown = Object.getPrototypeOf(unique[kind]!());
    const together = await Promise.all([service.make(kind), service.make(kind), service.make(kind)]);
    const later = await service.make(kind);
    expect(new Set([...together, later]).size).toBe(4);
    for (const value of [...together, later]) expect(Object.getPrototypeOf(value)).toBe(prototype);
    expect(calls).toBe(4);
    expect(warnings.filter((warning) => warning.includes('VALUE_NOT_SERIALIZABLE'))).toHaveLength(1);
  });

  it('two concurrent callers get separate streams', async () => {
    const { app } = await boot(platform, { imports: [cacheWith({})], providers: [Uniques] }, { logger });
    const service = app.get(Uniques);
    const read = async () => (await (await service.stream()).toArray()).join();
    expect(await Promise.all([read(), read()])).toEqual(['one,two', 'one,two']);
    expect(calls).toBe(2);
  });

  @Controller()
  class Vaults {
    @Get('vault')
    @Cached('vault:*')
    vault() {
      calls += 1;
      return { vault: new Vault(), at: 1 };
    }
    @Get('revealed')
    @Cached('revealed:*')
    @UseInterceptors(Revealing)
    revealed() {
      calls += 1;
      return new Vault();
    }
  }

  it('uncopyable values are stored as their JSON if no outer interceptor needs the value', async () => {
    const { ask } = await boot(platform, { imports: [cacheWith({})], controllers: [Vaults] }, { logger });
    const body = { vault: { name: 'vault', revealed: 42 }, at: 1 };
    expect((await ask().get('/vault').expect('x-cache', 'MISS')).body).toEqual(body);
    expect((await ask().get('/vault').expect('x-cache', 'HIT')).body).toEqual(body);
    expect(calls).toBe(1);
    expect(warnings).toEqual([]);
  });

  it('uncopyable values reach an outer interceptor unchanged', async () => {
    const { ask } = await boot(platform, { imports: [cacheWith({})], controllers: [Vaults] }, { logger });
    for (const _ of [1, 2]) expect((await ask().get('/revealed')).text).toBe('42');
    expect(calls).toBe(2);
    expect(warnings.filter((warning) => warning.includes('Vault'))).toHaveLength(1);
  });
});

it('values are copied for each caller and never frozen', async () => {
  const { app } = await boot('express', { imports: [cacheWith({})], providers: [UserService] });
  const cache = app.get<ObservedCache>(CACHE_MANAGER);
  const own = new User();
  const load = () => own;
  const [first, second] = await Promise.all([cache.getOrSet('user:1', load), cache.getOrSet('user:1', load)]);
  first.name = 'changed';
  first.address.coordinates.push(1);
  for (const read of [second, await cache.getOrSet('user:1', load), await cache.get<User>('user:1')])
    expect(read).toStrictEqual(new User());
  expect(own).toStrictEqual(new User());
  expect(Object.isFrozen(own)).toBe(false);
});
