import { Controller, Get, Inject, Injectable, Module, Scope } from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import { firstValueFrom, Observable, of } from 'rxjs';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { CacheInvalidate } from '../../lib/caching/cache-invalidate.decorator.js';
import { cacheMetricsOf } from '../../lib/caching/cache-metrics-of.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import { ObservedCache } from '../../lib/wiring/observed-cache.js';
import { boot, closeApps } from '../support/apps.js';

const LIST = Symbol('list');

class Repository {
  calls = 0;

  @Cached('entity:*')
  async inherited(id: number) {
    this.calls += 1;
    return { id, by: this.constructor.name };
  }
}

@Injectable()
class SellerService extends Repository {
  bound: (id: number) => Promise<unknown>;

  constructor() {
    super();
    this.bound = this.find.bind(this);
  }

  @Cached('seller:*')
  async find(id: unknown, _options?: unknown) {
    this.calls += 1;
    return { id: String(id), at: new Date(0), call: this.calls };
  }

  @Cached('seller-by:{0.id}')
  async byObject(seller: { id: number | string }) {
    this.calls += 1;
    return { id: seller.id };
  }

  async viaSelf(id: number) {
    return this.find(id);
  }

  @Cached('list:*')
  async [LIST](page: number) {
    this.calls += 1;
    return [page];
  }

  @Cached('observable:*')
  stream(id: number): Observable<{ id: number; call: number }> {
    this.calls += 1;
    return of({ id, call: this.calls });
  }

  @Cached('null:*')
  async nothing() {
    this.calls += 1;
    return null;
  }

  @Cached('fails:*')
  async fails(): Promise<never> {
    this.calls += 1;
    throw new RangeError(`no ${this.calls}`);
  }

  @CacheInvalidate({ keys: ['seller-by:{result.id}'], tags: ['sellers'] })
  async rename(id: number) {
    return { id };
  }

  @Cached('tagged:*', { tags: ['sellers', 'seller:{0}'] })
  async tagged(_id: number) {
    this.calls += 1;
    return this.calls;
  }

  @CacheInvalidate({ tags: ['seller:{0}'] })
  async touch(_id: number) {}
}

@Injectable()
class ProductService extends Repository {}

@Injectable({ scope: Scope.TRANSIENT })
class TransientService {
  static calls = 0;

  @Cached('transient:*', { shared: true })
  async find(id: number) {
    TransientService.calls += 1;
    return id;
  }
}

@Injectable({ scope: Scope.REQUEST })
class RequestService {
  static calls = 0;
  constructor(@Inject(REQUEST) readonly request: { headers: Record<string, string> }) {}

  get tenant() {
    return this.request.headers['x-tenant'];
  }

  @Cached('request:*', { vary: 'this.tenant' })
  async find(id: number) {
    RequestService.calls += 1;
    return { id, tenant: this.tenant };
  }
}

@Controller('request')
class RequestController {
  constructor(@Inject(RequestService) readonly service: RequestService) {}

  @Get()
  find() {
    return this.service.find(1);
  }
}

@Injectable()
class HolderOne {
  constructor(@Inject(TransientService) readonly service: TransientService) {}
}

const providers = [SellerService, ProductService, TransientService, RequestService, HolderOne];
const start = async (extra: { providers?: any[]; controllers?: any[] } = {}) => {
  const module = await Test.createTestingModule({
    imports: [CacheObservabilityModule.forRoot({ prometheus: false, monitoring: false })],
    providers: [...providers, ...(extra.providers ?? [])],
    controllers: extra.controllers ?? [],
  }).compile();
  await module.init();
  open.add(module);
  return module;
};
const open = new Set<{ close(): Promise<void> }>();

afterEach(async () => {
  TransientService.calls = 0;
  RequestService.calls = 0;
  await Promise.all([...open].map((module) => module.close()));
  open.clear();
  await closeApps();
});

describe('@Cached methods', () => {
  it('@Cached methods answer from the cache by argument values and types', async () => {
    const service = (await start()).get(SellerService);
    expect(await service.find(1)).toEqual({ id: '1', at: new Date(0), call: 1 });
    expect(await service.find(1)).toEqual({ id: '1', at: new Date(0), call: 1 });
    expect(await service.find('1')).toMatchObject({ call: 2 });
    expect(await service.find({ b: 1, a: 2 })).toMatchObject({ call: 3 });
    expect(await service.find({ a: 2, b: 1 })).toMatchObject({ call: 3 });
  });

  it('@Cached methods use the cache for self-calls, symbols and methods bound in a constructor', async () => {
    const service = (await start()).get(SellerService);
    await service.viaSelf(1);
    await service.bound(1);
    await service.find(1);
    expect(service.calls).toBe(1);
    await service[LIST](1);
    expect(await service[LIST](1)).toEqual([1]);
    expect(service.calls).toBe(2);
  });

  it('@Cached methods have separate entries for classes that inherit one method', async () => {
    const module = await start();
    expect(await module.get(SellerService).inherited(1)).toEqual({ id: 1, by: 'SellerService' });
    expect(await module.get(ProductService).inherited(1)).toEqual({ id: 1, by: 'ProductService' });
    await module.get(ProductService).inherited(1);
    expect(module.get(ProductService).calls).toBe(1);
  });

  it('@Cached methods work in transient classes', async () => {
    const service = (await start()).get(HolderOne).service;
    await service.find(1);
    await service.find(1);
    expect(TransientService.calls).toBe(1);
  });

  it('@Cached methods work in request-scoped classes that declare what they vary by', async () => {
    const { ask } = await boot('express', {
      imports: [CacheObservabilityModule.forRoot({ prometheus: false })],
      providers: [RequestService],
      controllers: [RequestController],
    });
    const one = await ask().get('/request').set('X-Tenant', 'one');
    const two = await ask().get('/request').set('X-Tenant', 'two');
    const again = await ask().get('/request').set('X-Tenant', 'one');
    expect([one, two, again].map(({ body }) => body.tenant)).toEqual(['one', 'two', 'one']);
    expect(RequestService.calls).toBe(2);
  });

  it('@Cached methods on controllers work if they are not handlers', async () => {
    @Controller()
    class Plain {
      @Cached('helper:*')
      async helper(id: number) {
        return { id, random: Math.random() };
      }
    }
    const controller = (await start({ controllers: [Plain] })).get(Plain);
    expect(await controller.helper(1)).toEqual(await controller.helper(1));
  });

  it('@Cached methods return Observables if their declared type is one', async () => {
    const service = (await start()).get(SellerService);
    expect(await firstValueFrom(service.stream(1))).toEqual({ id: 1, call: 1 });
    expect(await firstValueFrom(service.stream(1))).toEqual({ id: 1, call: 1 });
  });

  it('@Cached methods pass an error through unchanged and never cache it', async () => {
    const service = (await start()).get(SellerService);
    await expect(service.fails()).rejects.toThrow(new RangeError('no 1'));
    await expect(service.fails()).rejects.toThrow(new RangeError('no 2'));
  });

  it('@Cached methods throw an error that names a parameter that cannot be part of a key', async () => {
    const service = (await start()).get(SellerService);
    await expect(service.find(1, { deep: () => 1 })).rejects.toMatchObject({
      code: 'ARGUMENT_NOT_ENCODABLE',
      message: expect.stringContaining("SellerService.find(): parameter 1 ('_options').deep is a function"),
    });
  });

  it('@Cached methods use a template as the whole key', async () => {
    const module = await start();
    await module.get(SellerService).byObject({ id: 7 });
    expect(await module.get(ObservedCache).get('seller-by:7')).toEqual({ id: 7 });
    await module.get(SellerService).byObject({ id: '7' });
    expect(module.get(SellerService).calls).toBe(2);
  });

  it('@Cached methods are invalidated by keys and tags that name arguments and results', async () => {
    const service = (await start()).get(SellerService);
    await service.byObject({ id: 7 });
    await service.byObject({ id: '7' });
    await service.tagged(1);
    await service.tagged(2);
    expect(await service.rename(7)).toEqual({ id: 7 });
    await service.byObject({ id: 7 });
    await service.byObject({ id: '7' });
    await service.tagged(1);
    expect(service.calls).toBe(7);
    await service.tagged(2);
    await service.touch(1);
    await service.tagged(2);
    expect(service.calls).toBe(8);
    await service.tagged(1);
    expect(service.calls).toBe(9);
  });

  it('@Cached methods use the cache of the application that created their instance', async () => {
    const [one, two] = [await start(), await start()];
    await one.get(SellerService).find(1);
    await two.get(SellerService).find(1);
    await two.get(SellerService).find(1);
    expect([one.get(SellerService).calls, two.get(SellerService).calls]).toEqual([1, 1]);
    one.get(ObservedCache).enabled = false;
    await one.get(SellerService).find(1);
    await two.get(SellerService).find(1);
    expect([one.get(SellerService).calls, two.get(SellerService).calls]).toEqual([2, 1]);
  });

  it('@Cached methods run uncached without the module', async () => {
    const module = await Test.createTestingModule({ providers: [SellerService] }).compile();
    await module.init();
    const service = module.get(SellerService);
    await service.find(1);
    await service.find(1);
    expect(service.calls).toBe(2);
    const loose = new SellerService();
    await loose.find(1);
    expect(await loose.find.call(loose, 1)).toMatchObject({ call: 2 });
  });

  it('@Cached methods cache objects from factories, each object separately', async () => {
    class Rates {
      constructor(readonly currency: string) {}

      @Cached('rate:*')
      async of(day: string) {
        return `${this.currency} ${day}`;
      }
    }
    const module = await start({
      providers: [
        { provide: 'EUR', useFactory: () => new Rates('EUR') },
        { provide: 'USD', useValue: new Rates('USD') },
      ],
    });
    const [eur, usd] = [module.get<Rates>('EUR'), module.get<Rates>('USD')];
    expect([await eur.of('today'), await usd.of('today'), await eur.of('today')]).toEqual([
      'EUR today',
      'USD today',
      'EUR today',
    ]);
    expect(cacheMetricsOf(eur.of).getStats().totalRequests).toBe(3);
  });

  it('@Cached methods have separate statistics', async () => {
    const service = (await start()).get(SellerService);
    await service.find(1);
    await service.find(1);
    await service.nothing();
    expect(cacheMetricsOf(service.find).getStats()).toMatchObject({ totalRequests: 2, cacheHits: 1 });
    expect(cacheMetricsOf(SellerService.prototype.nothing).getStats()).toMatchObject({ totalRequests: 1 });
    expect(() => cacheMetricsOf(service.viaSelf)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
  });

  it('@Cached methods keep their name and length', () => {
    expect([SellerService.prototype.find.name, SellerService.prototype.find.length]).toEqual(['find', 2]);
  });

  it('@Cached methods run uncached with a warning if their module does not import ours', async () => {
    @Module({ providers: [SellerService] })
    class Outside {}
    const warnings: unknown[] = [];
    const logger = { log() {}, error() {}, warn: (message: unknown) => warnings.push(message) };
    const module = await Test.createTestingModule({
      imports: [CacheObservabilityModule.forRoot({ prometheus: false, monitoring: false, isGlobal: false }), Outside],
    })
      .setLogger(logger)
      .compile();
    await module.init();
    open.add(module);
    expect(warnings).toContainEqual(expect.objectContaining({ code: 'MODULE_NOT_IMPORTED' }));
    const service = module.get(SellerService, { strict: false });
    await service.find(1);
    await service.find(1);
    expect(service.calls).toBe(2);
  });
});
