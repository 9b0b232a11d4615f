import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Headers,
  Injectable,
  Req,
  Scope,
} from '@nestjs/common';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { Context, GraphQLModule, Query as GraphQLQuery, Resolver } from '@nestjs/graphql';
import { type ClientProxy, ClientProxyFactory, Ctx, MessagePattern, Payload, Transport } from '@nestjs/microservices';
import { WsAdapter } from '@nestjs/platform-ws';
import { ConnectedSocket, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { AddressInfo, Server } from 'node:net';
import { lastValueFrom } from 'rxjs';
import { WebSocket } from 'ws';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import { ObservedCache } from '../../lib/wiring/observed-cache.js';
import { boot, type BootedApp, closeApps, type Platform, platforms } from '../support/apps.js';

const imports = [CacheObservabilityModule.forRoot({ prometheus: { defaultMetrics: false } })];
let calls = 0;
let warnings: string[] = [];
const logger = {
  log: () => undefined,
  error: () => undefined,
  warn: (message: unknown) => void warnings.push(JSON.stringify(message)),
};

afterEach(async () => {
  calls = 0;
  warnings = [];
  await closeApps();
});

/** Sets the user on the request, as authentication does. */
@Injectable()
class Authenticates implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Record<string, any>>();
    const name = request['headers']['x-name'] as string | undefined;
    if (name !== undefined) request['user'] = { id: name, tenant: request['headers']['x-tenant'] };
    request['session'] = { user: name };
    return true;
  }
}

@Controller()
class Mine {
  @Get('session')
  @Cached('session:*', { vary: ['session.userId'] })
  session() {
    return { call: ++calls };
  }

  @Get('root')
  @Cached('root:*', { vary: ['usr.id'] })
  root() {
    return { call: ++calls };
  }

  @Get('header')
  @Cached('header:*', { vary: ['headers.authorizaton'] })
  header() {
    return { call: ++calls };
  }

  @Get('cookie')
  @Cached('cookie:*', { vary: 'cookies.sid' })
  cookie() {
    return { call: ++calls };
  }

  @Get('query')
  @Cached('query:*', { vary: 'query.lang' })
  query() {
    return { call: ++calls };
  }

  @Get('template')
  @Cached('template:{user.uid}')
  template() {
    return { call: ++calls };
  }

  @Get('optional')
  @Cached('optional:*', { vary: ['user.id?'] })
  optional() {
    return { call: ++calls };
  }

  @Get('optional-template')
  @Cached('optional-template:{user.id?}', { vary: 'user.id?' })
  optionalTemplate() {
    return { call: ++calls };
  }

  @Get('language')
  @Cached('language:*', { vary: ['headers.acept-language'] })
  language() {
    return { call: ++calls };
  }

  @Get('plain')
  @Cached('plain:*')
  plain() {
    return { call: ++calls };
  }

  @Get('negotiated')
  @Cached('negotiated:*', {
    vary: ['headers.accept', 'headers.Accept-Language', 'headers.accept-encoding', 'headers.origin'],
  })
  negotiated() {
    return { call: ++calls };
  }
}

const open = (platform: Platform, guarded: boolean) =>
  boot(
    platform,
    { imports, controllers: [Mine] },
    { logger, configure: (app) => void (guarded && app.useGlobalGuards(new Authenticates())) },
  );

async function call({ ask }: BootedApp, path: string, headers: Record<string, string> = {}) {
  const answer = await ask().get(path).set(headers);
  return { call: answer.body.call as number, cache: answer.headers['x-cache'] };
}

/** `{ vary: 2 }`: how often requests bypassed the cache, by reason. */
async function bypasses({ ask }: BootedApp) {
  const { text } = await ask().get('/metrics');
  const counted = text.matchAll(/^cache_bypasses_total\{[^}]*reason="(\w+)"[^}]*\} (\d+)$/gm);
  return Object.fromEntries([...counted].filter(([, , count]) => count !== '0').map((one) => [one[1], Number(one[2])]));
}

describe.each(platforms)('requests without an input of `vary`, on %s', (platform) => {
  it.each([
    ['session', 'session.userId', true],
    ['root', 'usr.id', true],
    ['template', 'user.uid', true],
    ['header', 'headers.authorizaton', false],
    ['cookie', 'cookies.sid', false],
    ['query', 'query.lang', false],
  ])('/%s: a request bypasses the cache with one warning that names %s', async (path, named, guarded) => {
    const app = await open(platform, guarded);
    expect(await call(app, `/${path}`, { 'x-name': 'ann' })).toEqual({ call: 1, cache: 'BYPASS; reason=vary' });
    expect(await call(app, `/${path}`, { 'x-name': 'bob' })).toEqual({ call: 2, cache: 'BYPASS; reason=vary' });
    expect(await call(app, `/${path}`)).toEqual({ call: 3, cache: 'BYPASS; reason=vary' });
    expect(await bypasses(app)).toEqual({ vary: 3 });
    expect(warnings.filter((text) => text.includes('VARY_UNDEFINED'))).toEqual([
      expect.stringMatching(new RegExp(`Mine\\.${path}\\(\\).*'${named}'`)),
    ]);
  });

  it.each([
    ['root', 'Mine.root(): a request with Authorization', "'usr.id'", "Did you mean 'user.id'?"],
    [
      'language',
      'Mine.language(): a request with Authorization',
      "'headers.acept-language'",
      "'headers.accept-language'?",
    ],
    ['session', 'Mine.session(): a request with Authorization', "'session.userId'", "Name 'user.id'"],
  ])('/%s: one warning says why requests with Authorization bypass the cache', async (path, ...parts) => {
    const app = await open(platform, true);
    for (let turn = 0; turn < 3; turn++) {
      expect((await call(app, `/${path}`, { authorization: 'Bearer geheim', 'x-name': 'ann' })).cache).toBe(
        'BYPASS; reason=authorization',
      );
    }
    const logged = warnings.filter((text) => text.includes('ALWAYS_BYPASSED'));
    expect(logged).toHaveLength(1);
    for (const part of parts) expect(logged[0]).toContain(part);
    expect(logged[0]).toContain(`${path}:*`);
    expect(logged[0]).not.toMatch(/geheim|ann/);
  });

  it('warns once that each of the first requests of a handler bypassed the cache', async () => {
    const app = await open(platform, false);
    const ask = async (turns: number) => {
      for (let turn = 0; turn < turns; turn++) await call(app, '/plain', { authorization: 'Bearer x' });
      return warnings.filter((text) => text.includes('ALWAYS_BYPASSED'));
    };
    expect(await ask(19)).toEqual([]);
    expect(await ask(41)).toEqual([
      expect.stringMatching(/Mine\.plain\(\): each of its first 20 requests.*Authorization/),
    ]);
  });

  it('does not warn of bypasses where the cache may answer other requests of the handler', async () => {
    const app = await open(platform, false);
    await call(app, '/plain');
    for (let turn = 0; turn < 25; turn++) await call(app, '/plain', { authorization: 'Bearer x' });
    expect(warnings.join()).not.toContain('ALWAYS_BYPASSED');
  });

  it('suggests the header that an undefined path probably means', async () => {
    await call(await open(platform, false), '/language');
    expect(warnings.filter((text) => text.includes('VARY_UNDEFINED'))).toEqual([
      expect.stringContaining("Did you mean 'headers.accept-language'?"),
    ]);
  });

  it('one warning names every path of `vary` that is undefined', async () => {
    @Controller()
    class Several {
      @Get('several')
      @Cached('several:*', { vary: ['usr.id', 'query.lang', 'quer.page', 'tenant.id'] })
      several() {
        return { call: ++calls };
      }
    }
    const { ask } = await boot(platform, { imports, controllers: [Several] }, { logger });
    for (let turn = 0; turn < 2; turn++) await ask().get('/several?lang=de');
    expect(warnings.filter((text) => text.includes('VARY_UNDEFINED'))).toEqual([
      expect.stringMatching(
        /Several\.several\(\): 'usr\.id' and 'quer\.page' and 'tenant\.id' were undefined,.* Did you mean 'user\.id' and 'query\.page'\?/,
      ),
    ]);
  });

  it('warns at boot of a path of `vary` that resembles an input of requests, and of no other', async () => {
    @Controller()
    class Doubtful {
      @Get('doubtful')
      @Cached('doubtful:*', { vary: ['usr.id', 'users.id', 'quer.page', 'headrs.accept', 'headers.acept'] })
      doubtful() {
        return {};
      }

      @Get('sound')
      @Cached('sound:*', {
        vary: ['tenant.id', 'userId', 'version', 'id', 'ip', 'host', 'rawBody', 'headers.x-lang', 'user.id?'],
      })
      sound() {
        return {};
      }
    }
    await boot(platform, { imports, controllers: [Doubtful] }, { logger });
    const doubted = warnings.filter((text) => text.includes('VARY_UNKNOWN'));
    expect(doubted).toHaveLength(5);
    for (const [index, text] of [
      "vary names 'usr.id', but a request has no 'usr'. Did you mean 'user.id'? Ignore this if middleware of yours adds it.",
      "vary names 'users.id', but a request has no 'users'. Did you mean 'user.id'?",
      "vary names 'quer.page', but a request has no 'quer'. Did you mean 'query.page'?",
      "vary names 'headrs.accept', but a request has no 'headrs'. Did you mean 'headers.accept'?",
      "vary names 'headers.acept', but a request has no 'headers.acept'. Did you mean 'headers.accept'? Ignore this if clients send it.",
    ].entries())
      expect(doubted[index]).toContain(`Doubtful.doubtful(): @Cached: ${text}`);
  });

  it('refuses a misspelt path of `vary` that may be undefined, because all callers would get one key', async () => {
    @Controller()
    class Shared {
      @Get('mine')
      @Cached('mine:*', { vary: 'usr.id?' })
      mine(@Req() _request: unknown) {
        return {};
      }
    }
    await expect(boot(platform, { imports, controllers: [Shared] }, { logger })).rejects.toThrow(
      "Shared.mine(): @Cached: vary names 'usr.id?', but a request has no 'usr'. Did you mean 'user.id?'? If middleware of yours adds it, " +
        'read it in a function of `vary`.',
    );
  });

  it('refuses a path with a colon at boot', async () => {
    @Controller()
    class Colon {
      @Get('colon')
      @Cached('colon:*', { vary: ['header:accept-language'] })
      colon() {
        return {};
      }
    }
    await expect(boot(platform, { imports, controllers: [Colon] }, { logger })).rejects.toThrow(
      "Colon.colon(): 'header:accept-language' has ':' behind its first part; separate with a dot, as in 'headers.accept-language'.",
    );
  });

  it.each(['optional', 'optional-template'])('/%s: `?` makes an absent input a separate value', async (path) => {
    const app = await open(platform, true);
    expect((await call(app, `/${path}`)).call).toBe(1);
    expect(await call(app, `/${path}`)).toEqual({ call: 1, cache: 'HIT' });
    for (const [index, name] of ['undefined', 'null', '~undefined', ''].entries()) {
      expect(await call(app, `/${path}`, { 'x-name': name })).toEqual({ call: index + 2, cache: 'MISS' });
    }
    // An authenticated caller that no declared input identifies.
    expect(await call(app, `/${path}`, { authorization: 'Bearer x' })).toEqual({
      call: 6,
      cache: 'BYPASS; reason=vary',
    });
    expect(await call(app, `/${path}`)).toEqual({ call: 1, cache: 'HIT' });
  });

  it('an absent header of content negotiation is a separate value', async () => {
    const app = await open(platform, false);
    const absent = { accept: '', 'accept-encoding': '' };
    expect(await call(app, '/negotiated', absent)).toEqual({ call: 1, cache: 'MISS' });
    expect(await call(app, '/negotiated', absent)).toEqual({ call: 1, cache: 'HIT' });
    expect(await call(app, '/negotiated', { ...absent, origin: 'https://a.example' })).toEqual({
      call: 2,
      cache: 'MISS',
    });
    expect(warnings.join()).not.toContain('VARY_UNDEFINED');
  });

  it('the fast lane separates responses by a header that may be absent', async () => {
    @Controller()
    class Spoken {
      @Get('spoken')
      @Cached('spoken:*', { vary: 'headers.x-lang?', fastLane: true })
      spoken(@Headers('x-lang') language = 'none') {
        return { language };
      }
    }
    const { ask } = await boot(platform, { imports, controllers: [Spoken] });
    for (let turn = 0; turn < 5; turn++) {
      for (const language of [undefined, 'de', 'en']) {
        const headers = language === undefined ? {} : { 'x-lang': language };
        const { body } = await ask().get('/spoken').set(headers);
        expect(body).toEqual({ language: language ?? 'none' });
      }
    }
  });
});

describe('calls without an input of `vary`', () => {
  @Injectable({ scope: Scope.DEFAULT })
  class Sellers {
    tenant: string | undefined = undefined;

    @Cached('seller:*', { vary: 'this.tenant' })
    async find(_id: number) {
      return { tenant: this.tenant, call: ++calls };
    }

    @Cached('maybe:*', { vary: 'this.tenant?' })
    async maybe(_id: number) {
      return { tenant: this.tenant, call: ++calls };
    }

    @Cached('field:{0.idd}')
    async byField(seller: { id: number }) {
      return { id: seller.id, call: ++calls };
    }

    @Cached('maybe-field:{0.page?}')
    async byMaybe(_filter: { page?: number }) {
      return { call: ++calls };
    }
  }

  it('methods that lack an input of `vary` bypass the cache with one warning', async () => {
    const { app } = await boot('express', { imports, providers: [Sellers] }, { logger });
    const sellers = app.get(Sellers);
    expect([await sellers.find(1), await sellers.find(1)]).toMatchObject([{ call: 1 }, { call: 2 }]);
    expect([await sellers.byField({ id: 1 }), await sellers.byField({ id: 2 })]).toMatchObject([{ id: 1 }, { id: 2 }]);
    expect(warnings.filter((text) => text.includes('VARY_UNDEFINED'))).toEqual([
      expect.stringContaining("Sellers.find(): 'this.tenant'"),
      expect.stringContaining("Sellers.byField(): '0.idd'"),
    ]);
    expect(app.get(ObservedCache).layers[0]!.status().entries).toBe(0);
  });

  it('methods accept an absent input that is written with `?`', async () => {
    const { app } = await boot('express', { imports, providers: [Sellers] }, { logger });
    const sellers = app.get(Sellers);
    expect(await sellers.maybe(1)).toEqual(await sellers.maybe(1));
    sellers.tenant = 'undefined';
    expect(await sellers.maybe(1)).toMatchObject({ tenant: 'undefined', call: 2 });
    expect([await sellers.byMaybe({}), await sellers.byMaybe({ page: 1 }), await sellers.byMaybe({})]).toEqual([
      { call: 3 },
      { call: 4 },
      { call: 3 },
    ]);
    expect(warnings).toEqual([]);
  });

  it('RPC handlers that lack an input of `vary` bypass the cache', async () => {
    @Controller()
    class Sums {
      @MessagePattern('sum')
      @Cached('sum:*', { vary: 'context.user.id' })
      sum(@Payload() _numbers: number[], @Ctx() _context: unknown) {
        return ++calls;
      }
    }
    const { app } = await boot('express', { imports, controllers: [Sums] }, { logger });
    const service = app.connectMicroservice({ transport: Transport.TCP, options: { port: 0 } });
    await app.startAllMicroservices();
    const { port } = service.unwrap<Server>().address() as AddressInfo;
    const client: ClientProxy = ClientProxyFactory.create({ transport: Transport.TCP, options: { port } });
    const send = () => lastValueFrom(client.send<unknown>('sum', [1]));
    expect([await send(), await send()]).toEqual([1, 2]);
    expect(warnings.filter((text) => text.includes("'context.user.id'"))).toHaveLength(1);
    client.close();
  });

  it('WebSocket handlers that lack an input of `vary` bypass the cache', async () => {
    @WebSocketGateway()
    class Gateway {
      @SubscribeMessage('mine')
      @Cached('mine:*', { vary: 'client.user.id' })
      mine(@ConnectedSocket() _client: unknown) {
        return { event: 'mine', data: ++calls };
      }
    }
    const { app } = await boot(
      'express',
      { imports, providers: [Gateway] },
      { logger, configure: (one) => void one.useWebSocketAdapter(new WsAdapter(one)) },
    );
    await app.listen(0);
    const { port } = app.getHttpServer().address() as AddressInfo;
    const socket = new WebSocket(`ws://127.0.0.1:${port}`);
    await new Promise((resolve) => socket.once('open', resolve));
    const ask = () => {
      const answer = new Promise<string>((resolve) => socket.once('message', (data: unknown) => resolve(String(data))));
      socket.send(JSON.stringify({ event: 'mine', data: 1 }));
      return answer;
    };
    expect([await ask(), await ask()].map((text) => JSON.parse(text).data)).toEqual([1, 2]);
    expect(warnings.filter((text) => text.includes("'client.user.id'"))).toHaveLength(1);
    socket.close();
  });

  it('GraphQL resolvers that lack an input of `vary` bypass the cache', async () => {
    @Resolver()
    class Viewer {
      @GraphQLQuery(() => String)
      @Cached('viewer:*', { vary: 'user.id' })
      viewer(@Context() _context: unknown) {
        return String(++calls);
      }
    }
    const graphql = GraphQLModule.forRoot<ApolloDriverConfig>({ driver: ApolloDriver, autoSchemaFile: true });
    const { ask } = await boot('express', { imports: [...imports, graphql], providers: [Viewer] }, { logger });
    const viewer = async () => {
      const { body } = await ask().post('/graphql').send({ query: '{ viewer }' });
      return (body as { data: { viewer: string } }).data.viewer;
    };
    expect([await viewer(), await viewer()]).toEqual(['1', '2']);
    expect(warnings.filter((text) => text.includes("'user.id'"))).toHaveLength(1);
  });
});
