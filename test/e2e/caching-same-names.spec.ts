import { Controller, Get, Inject, Injectable, Module, type Provider, Scope, type Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { MessagePattern } from '@nestjs/microservices';
import { afterEach, describe, expect, it } from '@jest/globals';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { keyvLayer } from '../../lib/cache/layers/stores/keyv-layer.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import type { CachedOptions } from '../../lib/caching/options/cached.options.js';
import { boot, closeApps } from '../support/apps.js';

afterEach(closeApps);

interface Finds {
  find(id: number): Promise<string>;
}

/** Creates a class with the same name each time, as mixins and factories do. */
function twin(answer: string, options: CachedOptions = {}): Type<Finds> {
  @Injectable()
  class Twin {
    @Cached('twin:*', options)
    async find(_id: number) {
      return answer;
    }
  }
  return Twin;
}

class Rates {
  constructor(readonly currency: string) {}

  @Cached('rate:*')
  async find(_id: number) {
    return this.currency;
  }
}

const CURRENCY = Symbol('currency');
@Injectable()
class Priced {
  constructor(@Inject(CURRENCY) readonly currency: string) {}

  @Cached('priced:*')
  async find(_id: number) {
    return this.currency;
  }
}

/** Two modules that provide the same token with different values. */
function modules(provided: (answer: string) => Provider[], tokens: (answer: string) => unknown) {
  @Module({ providers: provided('EUR') })
  class Euro {}
  @Module({ providers: provided('USD') })
  class Dollar {}
  return {
    parts: [{ imports: [Euro] }, { imports: [Dollar] }],
    tokens: [
      { module: Euro, token: tokens('EUR') },
      { module: Dollar, token: tokens('USD') },
    ],
  };
}

const twins = { EUR: twin('EUR'), USD: twin('USD') } as Record<string, Type<Finds>>;
const named = {
  EUR: twin('EUR', { name: 'TwinOfEur' }),
  USD: twin('USD', { name: 'TwinOfUsd' }),
} as Record<string, Type<Finds>>;

const clashes: [string, { parts: { imports?: Type[]; providers?: Provider[] }[]; tokens: any[] }][] = [
  [
    'two factory tokens of one class',
    {
      parts: ['EUR', 'USD'].map((currency) => ({
        providers: [{ provide: currency, useFactory: () => new Rates(currency) }],
      })),
      tokens: ['EUR', 'USD'].map((token) => ({ token })),
    },
  ],
  [
    'two symbols of one description in two modules',
    (() => {
      const symbols = { EUR: Symbol('rates'), USD: Symbol('rates') } as Record<string, symbol>;
      return modules(
        (currency) => [{ provide: symbols[currency]!, useFactory: () => new Rates(currency) }],
        (currency) => symbols[currency],
      );
    })(),
  ],
  [
    'two classes of one name in two modules',
    modules(
      (answer) => [twins[answer]!],
      (answer) => twins[answer],
    ),
  ],
  [
    'one class in two modules that inject different values',
    modules(
      (currency) => [Priced, { provide: CURRENCY, useValue: currency }],
      () => Priced,
    ),
  ],
  [
    'two classes of one name with different `name`s in one module',
    {
      parts: ['EUR', 'USD'].map((answer) => ({ providers: [named[answer]!] })),
      tokens: ['EUR', 'USD'].map((answer) => ({ token: named[answer] })),
    },
  ],
];

describe('keys of providers', () => {
  it.each(clashes)('keys of providers do not depend on the order of %s', async (_name, { parts, tokens }) => {
    // A store that survives a deploy.
    const store = new Map();
    for (const order of [parts, parts.toReversed()]) {
      const { app, close } = await boot('express', {
        imports: [
          CacheObservabilityModule.forRoot({ layers: [keyvLayer(store as never)], prometheus: false }),
          ...order.flatMap(({ imports = [] }) => imports),
        ],
        providers: order.flatMap(({ providers = [] }) => providers),
      });
      const answers = tokens.map(async ({ module, token }) =>
        (module === undefined ? app : app.select(module)).get<Finds>(token, { strict: module !== undefined }).find(1),
      );
      expect(await Promise.all(answers)).toEqual(['EUR', 'USD']);
      await close();
    }
    expect([...store.keys()].filter((key: string) => key.includes('.find(1)'))).toHaveLength(2);
  });

  it('keys of one class under two tokens differ', async () => {
    const store = new Map();
    for (const currency of ['EUR', 'USD']) {
      const { app, close } = await boot('express', {
        imports: [CacheObservabilityModule.forRoot({ layers: [keyvLayer(store as never)], prometheus: false })],
        providers: [{ provide: currency, useFactory: () => new Rates(currency) }],
      });
      expect(await app.get<Finds>(currency).find(1)).toBe(currency);
      await close();
    }
  });

  const start = (providers: Provider[], imports: Type[] = []) =>
    boot('express', { imports: [CacheObservabilityModule.forRoot({ prometheus: false }), ...imports], providers });

  it('two providers of one class name in one module are refused with their names and a fix', async () => {
    await expect(start([twin('one'), twin('two')])).rejects.toMatchObject({
      code: 'DUPLICATE_NAME',
      message: expect.stringMatching(/Twin\.find\(\)[^]*Twin in RootTestModule[^]*name:[^]*`key`/),
    });
    const { app } = await start([twin('one', { key: () => 'one' }), twin('two', { key: () => 'two' })]);
    expect(app).toBeDefined();
  });

  it('message handlers of two classes of one name are refused', async () => {
    const gate = (pattern: string) => {
      @Controller()
      class Gate {
        @MessagePattern(pattern)
        @Cached('message:*')
        find() {
          return pattern;
        }
      }
      return Gate;
    };
    const start = boot('express', {
      imports: [CacheObservabilityModule.forRoot({ prometheus: false })],
      controllers: [gate('one'), gate('two')],
    });
    await expect(start).rejects.toMatchObject({ code: 'DUPLICATE_NAME' });
  });

  it('one template of two instances is refused unless the instances are equal or declare how they differ', async () => {
    const build = (pattern: string, options: CachedOptions = {}) => {
      @Injectable()
      class Templated {
        constructor(@Inject(CURRENCY) readonly currency: string) {}
        @Cached(pattern, options)
        async find(_id: number) {
          return this.currency;
        }
      }
      const of = (currency: string) => ({ provide: currency, useFactory: () => new Templated(currency) });
      return { Templated, tokens: [of('EUR'), of('USD')] };
    };
    await expect(start(build('t:{0}').tokens)).rejects.toMatchObject({
      code: 'DUPLICATE_NAME',
      message: expect.stringContaining("the same keys ('t:*')"),
    });
    await start(build('t:{0}', { shared: true }).tokens);
    const { app } = await start(build('t:{this.currency}:{0}').tokens);
    expect([await app.get<Finds>('EUR').find(1), await app.get<Finds>('USD').find(1)]).toEqual(['EUR', 'USD']);
    const mounts = (Templated: Type) =>
      modules(
        (currency) => [Templated, { provide: CURRENCY, useValue: currency }],
        () => Templated,
      ).parts.flatMap(({ imports }) => imports);
    await expect(start([], mounts(build('t:{0}').Templated))).rejects.toMatchObject({ code: 'DUPLICATE_NAME' });
    const alike = modules(
      () => [Alike],
      () => Alike,
    ).parts.flatMap(({ imports }) => imports);
    await start([], alike);
  });

  @Injectable()
  class Alike {
    @Cached('alike:{0}')
    async find(id: number) {
      return id;
    }
  }

  it('transient classes that do not declare how their instances differ are refused', async () => {
    const transient = (options: CachedOptions) => {
      @Injectable({ scope: Scope.TRANSIENT })
      class Transient {
        tenant = 'none';
        @Cached('transient:*', options)
        async find(_id: number) {
          return this.tenant;
        }
      }
      @Injectable()
      class Holder {
        constructor(@Inject(Transient) readonly held: Transient) {}
      }
      @Injectable()
      class Other {
        constructor(@Inject(Transient) readonly held: Transient) {}
      }
      return { Holder, Other, providers: [Transient, Holder, Other] };
    };
    await expect(start(transient({}).providers)).rejects.toMatchObject({
      code: 'UNSAFE_HANDLER',
      message: expect.stringMatching(/Transient\.find\(\)[^]*each class that injects it/),
    });
    const { Holder, Other, providers } = transient({ vary: 'this.tenant' });
    const { app } = await start(providers);
    app.get(Holder).held.tenant = 'one';
    app.get(Other).held.tenant = 'two';
    expect([await app.get(Holder).held.find(1), await app.get(Other).held.find(1)]).toEqual(['one', 'two']);
  });
});

describe('keys of two handlers of one route', () => {
  const controller = (name: string) => {
    const named = {
      [name]: class {
        find() {
          return { by: name };
        }
      },
    }[name]!;
    Controller()(named);
    const descriptor = Object.getOwnPropertyDescriptor(named.prototype, 'find')!;
    Cached('route:*')(named.prototype, 'find', descriptor);
    Get('same')(named.prototype, 'find', descriptor);
    return named;
  };

  it('keys of two handlers of one route belong to the handler that answers, in any order of registration', async () => {
    const store = new Map();
    const [One, Two] = [controller('One'), controller('Two')];
    for (const [order, by] of [
      [[One, Two], 'One'],
      [[Two, One], 'Two'],
    ] as const) {
      const { ask, close } = await boot('express', {
        imports: [CacheObservabilityModule.forRoot({ layers: [keyvLayer(store as never)], prometheus: false })],
        controllers: [...order],
      });
      expect((await ask().get('/same')).body).toEqual({ by });
      await close();
    }
  });
});

describe('instances created by ModuleRef.create()', () => {
  @Injectable()
  class Repository {
    tenant = '';

    @Cached('all:*')
    async all(_page: number) {
      return this.tenant;
    }

    @Cached('named:{this.tenant}:{0}')
    async named(_page: number) {
      return this.tenant;
    }
  }
  const ask = async (reference: ModuleRef, tenant: string) => {
    const made = await reference.create(Repository);
    made.tenant = tenant;
    return [await made.all(1), await made.named(1), await made.all(1)];
  };

  it.each([
    ['provided', [Repository]],
    ['not provided', []],
  ])('created instances never share entries that depend on their state: %s', async (_, providers) => {
    const { app } = await boot('express', { imports: [CacheObservabilityModule.forRoot()], providers });
    const reference = app.get(ModuleRef);
    expect(await ask(reference, 'acme')).toEqual(['acme', 'acme', 'acme']);
    expect(await ask(reference, 'globex')).toEqual(['globex', 'globex', 'globex']);
    if (providers.length > 0) expect(await app.get(Repository).all(1)).toBe('');
  });
});
