import { Controller, Get, Inject, Injectable, Module, type ModuleMetadata, Param, Post, Req } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { describe, expect, it } from '@jest/globals';
import {
  Cached,
  CacheInvalidate,
  CacheObservabilityModule,
  type CacheFeatureOptions,
  type CacheObservabilityOptions,
  memoryLayer,
  redisLayer,
  WarmingStrategy,
} from '../../lib/index.js';
import { boot, platforms } from '../support/apps.js';

const wrong = <T>(options: unknown) => options as T;

@Injectable()
class Prices {
  @Cached('price:{0}', wrong({ tlt: '1m' }))
  async of(id: string): Promise<unknown> {
    return id;
  }
}

@Injectable()
class Rates {
  @Cached('rate:{0}:{2}')
  of(id: string): string {
    return id;
  }
}

@Controller('shops/:shop')
class Shops {
  @Get()
  @Cached('shop:{params.shopp}', { tags: ['{params.nothing}'] })
  find(@Param('shop') shop: string) {
    return { shop };
  }

  @Get('mine')
  @Cached('mine:*', { warm: wrong([{ params: { shopp: '1' } }]) })
  mine(@Req() request: { user: string }) {
    return request.user;
  }

  @Get('varied')
  @Cached('varied:{params.shop}', { vary: ['user.id'] })
  varied(@Param('shop') shop: string) {
    return shop;
  }
}

@Controller('feeds')
class Feeds {
  @Get()
  @Cached('feed:*', { ttl: wrong('soon') })
  list() {
    return [];
  }

  @Post()
  @CacheInvalidate(wrong({ tag: ['feeds'] }))
  change() {
    return {};
  }
}

const feature = (name: string, options: unknown) =>
  CacheObservabilityModule.forFeature(name, wrong<CacheFeatureOptions>(options));

describe.each(platforms)('the faults of a boot on %s', (platform) => {
  const refusal = async (root: unknown, features: readonly ReturnType<typeof feature>[] = []): Promise<Error> => {
    @Module({ imports: [...features], providers: [Prices], controllers: [Feeds] })
    class Shop {}
    return boot(platform, { imports: [root as typeof Shop, Shop] }).then(
      () => new Error('It booted.'),
      (error: Error) => error,
    );
  };
  const ofDecorators = ["Prices.of(): @Cached: tlt: is unknown", 'Feeds.list(): @Cached: ttl', "Feeds.change(): @CacheInvalidate: tag: is unknown"]; // prettier-ignore
  const expectAll = ({ message }: Error, ...places: readonly string[]) => {
    for (const place of [...places, ...ofDecorators]) expect(message).toContain(place);
    expect(message.split('\n').slice(1)).toHaveLength(places.length + ofDecorators.length);
  };

  /** Faults of decorators have the same text with and without a fault of the module's options. */
  const expectSameFaults = async (declaring: ModuleMetadata, parts: readonly string[]) => {
    @Module(declaring)
    class Declaring {}
    const booting = (options: CacheObservabilityOptions) =>
      boot(platform, { imports: [CacheObservabilityModule.forRoot(options), Declaring] }).then(
        () => ['It booted.'],
        ({ message }: Error) => message.split('\n').slice(1),
      );
    const compiled = (await booting({ namespace: 'shop' })).map((line) =>
      line.replace(/^- [A-Z_]+ /, '').replace(/\.$/, ''),
    );
    for (const part of parts) expect(compiled.join('\n')).toContain(part);
    const [own, ...others] = await booting(wrong({ namespace: 'shop', tll: '1m' }));
    expect(own).toContain('tll: is unknown');
    expect(others.map((line) => line.replace(/^ {2}- /, '')).sort()).toEqual(compiled.sort());
  };

  it.each([
    ['forRoot', (options: CacheObservabilityOptions) => CacheObservabilityModule.forRoot(options)],
    [
      'forRootAsync',
      (options: CacheObservabilityOptions) => CacheObservabilityModule.forRootAsync({ useFactory: () => options }),
    ],
  ])('faults of %s, of named caches and of decorators are reported in one error', async (_how, root) => {
    const error = await refusal(root(wrong({ tll: '1m', namespace: 'shop' })), [
      feature('sessions', { ttl: -1 }),
      feature('carts', { layers: [memoryLayer({ maxEntries: wrong('many') })] }),
    ]);
    expect(error).toMatchObject({ code: 'INVALID_OPTIONS' });
    expectAll(error, 'tll: is unknown', "forFeature('sessions'): ttl", "forFeature('carts'): layers[0]");
  });

  it('faults of warming strategies are reported in the same error', async () => {
    @WarmingStrategy({ name: 'top', cron: 'hourly', ...wrong<object>({ prio: 3 }) })
    class Top {
      entries() {
        return [];
      }
    }
    @WarmingStrategy({ name: 'top' })
    class Other extends Top {}
    @Module({ providers: [Top, Other] })
    class Warming {}
    const strategies = [
      'The warming strategy "top" already exists. Give Other another name',
      'Warming strategy "top" has the unknown option prio',
      'Warming strategy "top" has an invalid cron',
    ];
    for (const options of [{ namespace: 'shop' }, wrong<CacheObservabilityOptions>({ tll: '1m' })]) {
      const imports = { module: Warming, imports: [CacheObservabilityModule.forRoot(options)] };
      const error = await refusal(imports, [feature('sessions', { ttl: -1 })]);
      expectAll(error, "forFeature('sessions'): ttl", ...strategies, ...('tll' in options ? ['tll: is unknown'] : []));
    }
  });

  it('faults of named caches and of decorators are reported in one error', async () => {
    const features = [feature('sessions', { ttl: -1 }), feature('carts', { ttl: -2 })];
    const error = await refusal(CacheObservabilityModule.forRoot({ namespace: 'shop' }), features);
    expectAll(error, "forFeature('sessions')", '-2');
  });

  it('faults of options, templates, vary, tags and methods are in one error, each with the same text as if it were alone', async () => {
    await expectSameFaults({ providers: [Rates], controllers: [Shops] }, [
      'Rates.of(): @Cached is on a method that is declared to return String',
      "'rate:{0}:{2}'",
      '{params.shopp}',
      '{params.nothing}',
      'Shops.mine() cannot be cached as written: it reads @Req()',
      'lacks an input of `vary` (user.id)',
    ]);
  });

  it('keys and names that clash are in the same error', async () => {
    // Fastify refuses a second route of one path by itself.
    const paths = platform === 'express' ? ['one', 'one'] : ['one', 'two'];
    const twin = (path: string) => {
      @Controller(path)
      class Twin {
        @Get('page')
        @Cached('twin:*')
        page() {
          return {};
        }

        @MessagePattern('twin')
        @Cached('message:*')
        message() {
          return {};
        }
      }
      return Twin;
    };
    const provided = (module: string) => {
      @Injectable()
      class Same {
        @Cached('same:*')
        async of(id: string): Promise<string> {
          return module + id;
        }
      }
      return Same;
    };
    @Injectable()
    class Currencies {
      constructor(@Inject('currency') readonly currency: string) {}

      @Cached('currency:{0}')
      async of(id: string): Promise<string> {
        return this.currency + id;
      }
    }
    @Injectable()
    class Copies {
      @Cached('price:{0}')
      async of(id: string): Promise<string> {
        return id;
      }

      @Cached('other:{0}', { cache: 'other' })
      async elsewhere(id: string): Promise<string> {
        return id;
      }
    }
    @Injectable()
    class Originals {
      @Cached('price:{0}')
      async of(id: string): Promise<string> {
        return id;
      }
    }
    const currency = (name: string) => {
      @Module({ providers: [Currencies, { provide: 'currency', useValue: name }] })
      class Currency {}
      return Currency;
    };
    await expectSameFaults(
      {
        imports: [currency('EUR'), currency('USD')],
        controllers: paths.map(twin),
        providers: [Copies, Originals, provided('a'), provided('b')],
      },
      [
        "Originals.of() ('price:{0}') and Copies.of() ('price:{0}') can write the same keys",
        "Copies.elsewhere(): cache 'other': is unknown",
        ...(platform === 'express'
          ? ['Twin.page(): a handler of another class of that name has the route GET /one/page']
          : []),
        "Twin.message(): several classes are named 'Twin' in keys",
        "Same.of(): several classes are named 'Same' in keys",
        'Currencies.of(): 2 instances of its class write the same keys',
      ],
    );
  });

  it('faults that Nest does not log are logged once, with their code, before the boot fails', async () => {
    @Module({ providers: [Rates], controllers: [Shops] })
    class Declaring {}
    @WarmingStrategy({ name: 'unable' })
    class Unable {}
    const failing: ModuleMetadata[] = [
      { imports: [CacheObservabilityModule.forRoot(), Declaring] },
      { imports: [CacheObservabilityModule.forRoot({ cache: 'app' })] },
      { imports: [CacheObservabilityModule.forRoot()], providers: [Unable] },
      {
        imports: [
          CacheObservabilityModule.forRoot({
            namespace: 'shop',
            layers: [redisLayer({ url: 'redis://127.0.0.1:1', required: true })],
          }),
        ],
      },
    ];
    for (const metadata of failing) {
      const errors: unknown[] = [];
      const logger = {
        log: () => undefined,
        warn: () => undefined,
        error: (entry: unknown) => void errors.push(entry),
      };
      const error = await boot(platform, metadata, { logger }).then(
        () => new Error('It booted.'),
        (failure: Error & { code?: string }) => failure,
      );
      expect(errors).toMatchObject([{ code: (error as { code?: string }).code, message: error.message }]);
    }
  });

  it('a logger that throws does not replace the error of the boot', async () => {
    const fails = () => {
      throw new Error('The disk is full.');
    };
    const logger = { log: () => undefined, warn: () => undefined, error: fails };
    const app = boot(platform, { imports: [CacheObservabilityModule.forRoot()], controllers: [Shops] }, { logger });
    await expect(app).rejects.toMatchObject({ code: 'INVALID_TEMPLATE' });
  });

  it('a fault of the module alone is one fault', async () => {
    const app = boot(platform, { imports: [CacheObservabilityModule.forRoot(wrong({ tll: '1m' }))] });
    await expect(app).rejects.toThrow(/^CacheObservabilityModule: one fault in the options:\n[^\n]*$/);
  });
});
