import {
  Controller,
  createParamDecorator,
  type ExecutionContext,
  Get,
  Module,
  Query,
  Req,
  UsePipes,
  ValidationPipe,
} from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Expose, Transform, Type } from 'class-transformer';
import { Allow, IsInt, IsOptional, IsString, ValidateNested } from 'class-validator';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { Cached } from '../../lib/caching/cached.decorator.js';
import { boot, closeApps, platforms } from '../support/apps.js';

let calls = 0;

class Paged {
  @IsOptional()
  @IsInt()
  @Type(() => Number)
  page?: number;
}

class ListDto extends Paged {
  @IsOptional()
  @IsString()
  sort?: string;
}

class RenamedDto {
  @Allow()
  @Expose({ name: 'p' })
  page?: string;
}

class TransformedDto {
  @Allow()
  @Transform(({ obj }: { obj: Record<string, unknown> }) => obj.hidden ?? obj.page)
  page?: string;
}

class GroupedDto {
  @IsOptional({ groups: ['admin'] })
  page?: string;
}

class NestedDto {
  @IsOptional()
  @ValidateNested()
  @Type(() => Paged)
  page?: Paged;
}

class SetterDto {
  @Allow()
  page?: string;

  set hidden(value: string) {
    this.page = value;
  }
}

class PlainClass {
  page?: string;
}

const HiddenParameter = createParamDecorator(
  (_data: unknown, context: ExecutionContext) =>
    context.switchToHttp().getRequest<{ query: { hidden?: string } }>().query.hidden ?? null,
);
const whitelist = () => new ValidationPipe({ whitelist: true, transform: true });

@Controller()
class ListController {
  @Get('list')
  @Cached('list:*')
  list(@Query() dto: ListDto) {
    return { ...dto, call: ++calls };
  }

  @Get('template')
  @Cached('template:{query}')
  template(@Query() dto: ListDto) {
    return { ...dto, call: ++calls };
  }

  @Get('renamed')
  @Cached('renamed:*')
  renamed(@Query() dto: RenamedDto) {
    return { ...dto, call: ++calls };
  }

  @Get('transformed')
  @Cached('transformed:*')
  transformed(@Query() dto: TransformedDto) {
    return { ...dto, call: ++calls };
  }

  @Get('grouped')
  @Cached('grouped:*')
  grouped(@Query() dto: GroupedDto) {
    return { ...dto, call: ++calls };
  }

  @Get('nested')
  @Cached('nested:*')
  nested(@Query() dto: NestedDto) {
    return { ...dto, call: ++calls };
  }

  @Get('setter')
  @Cached('setter:*')
  setter(@Query() dto: SetterDto) {
    return { page: dto.page, call: ++calls };
  }

  @Get('no-metadata')
  @Cached('no-metadata:*')
  noMetadata(@Query() dto: PlainClass) {
    return { ...dto, call: ++calls };
  }

  @Get('untyped')
  @Cached('untyped:*')
  untyped(@Query() query: Record<string, string>) {
    return { ...query, call: ++calls };
  }

  @Get('request')
  @Cached('request:*', { shared: true })
  request(@Query() dto: ListDto, @Req() request: { query: { hidden?: string } }) {
    return { ...dto, hidden: request.query.hidden, call: ++calls };
  }

  @Get('custom')
  @Cached('custom:*', { shared: true })
  custom(@Query() dto: ListDto, @HiddenParameter() hidden: string | null) {
    return { ...dto, hidden, call: ++calls };
  }

  @Get('beside')
  @Cached('beside:*')
  beside(@Query() dto: ListDto, @Query('hidden') hidden: string) {
    return { ...dto, hidden, call: ++calls };
  }

  @Get('named')
  @Cached('named:*', { query: ['page'] })
  named(@Query() query: Record<string, string>) {
    return { page: query.page, call: ++calls };
  }
}

@Controller('by-parameter')
class ByParameter {
  @Get()
  @Cached('by-parameter:*')
  list(@Query(whitelist()) dto: ListDto) {
    return { ...dto, call: ++calls };
  }
}

@Controller('by-method')
class ByMethod {
  @Get()
  @UsePipes(whitelist())
  @Cached('by-method:*')
  list(@Query() dto: ListDto) {
    return { ...dto, call: ++calls };
  }
}

@Controller('by-controller')
@UsePipes(whitelist())
class ByController {
  @Get()
  @Cached('by-controller:*')
  list(@Query() dto: ListDto) {
    return { ...dto, call: ++calls };
  }
}

@Module({ providers: [{ provide: APP_PIPE, useFactory: whitelist }] })
class GlobalPipeModule {}

afterEach(closeApps);

describe.each(platforms)('a query with a class as its type, on %s', (platform) => {
  const logged: { code?: string; message?: string }[] = [];
  const keep = (message: unknown) => void logged.push(message as { code?: string });
  const start = async (pipes: readonly ValidationPipe[] = [], imports: readonly (typeof GlobalPipeModule)[] = []) => {
    logged.length = 0;
    return boot(
      platform,
      {
        imports: [CacheObservabilityModule.forRoot(), ...imports],
        controllers: [ListController, ByParameter, ByMethod, ByController],
      },
      {
        configure: (app) => void (pipes.length > 0 && app.useGlobalPipes(...pipes)),
        logger: { log: keep, warn: keep, error: keep },
      },
    );
  };
  type Started = Awaited<ReturnType<typeof start>>;
  const get = async (app: Started, address: string) => {
    const { status, body } = await app.ask().get(address);
    return status === 200 ? (body as { call: number; page?: unknown; hidden?: unknown }) : { call: -status };
  };
  const sameEntry = async (app: Started, one: string, other: string) =>
    (await get(app, one)).call === (await get(app, other)).call;

  it.each<[string, string, () => Promise<Started>]>([
    ['useGlobalPipes', '/list', () => start([whitelist()])],
    ['APP_PIPE', '/list', () => start([], [GlobalPipeModule])],
    ['@UsePipes on its controller', '/by-controller', () => start()],
    ['@UsePipes on its method', '/by-method', () => start()],
    ['@Query()', '/by-parameter', () => start()],
    ['useGlobalPipes, in a template', '/template', () => start([whitelist()])],
    ['useGlobalPipes, without transform', '/list', () => start([new ValidationPipe({ whitelist: true })])],
    ['a pipe after a pipe that keeps all fields', '/by-method', () => start([new ValidationPipe({ transform: true })])],
  ])('a query class has only its fields in the key: %s', async (_how, path, started) => {
    const app = await started();
    expect(await sameEntry(app, `${path}?page=1&sort=a`, `${path}?junk=1&sort=a&utm=x&page=1`)).toBe(true);
    expect(await sameEntry(app, `${path}?page=1`, `${path}?page=2`)).toBe(false);
    expect(await sameEntry(app, `${path}?page=1`, `${path}?page=1&sort=a`)).toBe(false);
    expect(await sameEntry(app, `${path}?page=1`, `${path}`)).toBe(false);
    // class-validator treats such a name as declared.
    expect(await sameEntry(app, `${path}?page=1`, `${path}?page=1&hasOwnProperty=x`)).toBe(false);
  });

  it.each([
    ['/renamed', 'exposed under another name', '?p=1', '?p=2'],
    ['/transformed', 'transformed', '?page=1', '?page=1&hidden=2'],
    ['/grouped', 'in groups', '?page=1', '?page=1&junk=2'],
    ['/nested', 'nested', '?page[page]=1', '?page[page]=1&junk=2'],
    ['/setter', 'written by a setter', '?page=1', '?page=1&hidden=2'],
    ['/no-metadata', 'unknown to class-validator', '?page=1', '?page=1&junk=2'],
    ['/untyped', 'of no class', '?page=1', '?page=1&junk=2'],
    ['/request', 'beside the whole request', '?page=1', '?page=1&hidden=2'],
    ['/custom', 'beside a custom decorator', '?page=1', '?page=1&hidden=2'],
    ['/beside', 'beside another parameter', '?page=1', '?page=1&hidden=2'],
  ])('a query class adds to the key what %s needs: fields %s', async (path, _how, one, other) => {
    expect(await sameEntry(await start([whitelist()]), path + one, path + other)).toBe(false);
  });

  it.each<[string, ValidationPipe[]]>([
    ['no pipe removes unknown fields', [new ValidationPipe({ transform: true })]],
    [
      'another pipe runs first',
      [Object.assign(new ValidationPipe(), { transform: (value: unknown) => value }), whitelist()],
    ],
    ['the pipe is a subclass', [new (class extends ValidationPipe {})({ whitelist: true })]],
    [
      'the options of the pipe expose by groups',
      [new ValidationPipe({ whitelist: true, transformOptions: { groups: ['a'] } })],
    ],
  ])('a query class adds the whole query to the key if %s', async (_how, pipes) => {
    expect(await sameEntry(await start(pipes), '/list?page=1', '/list?page=1&junk=1')).toBe(false);
  });

  it('a parameter that the pipe rejects misses', async () => {
    const app = await start([new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true })]);
    expect((await get(app, '/list?page=1')).call).toBeGreaterThan(0);
    expect((await get(app, '/list?page=1&junk=1')).call).toBe(-400);
  });

  it('the option `query` adds the listed parameters to the key', async () => {
    const app = await start();
    expect(await sameEntry(app, '/named?page=1', '/named?junk=1&page=1')).toBe(true);
    expect(await sameEntry(app, '/named?page=1', '/named?page=2')).toBe(false);
  });

  it('a warning at boot names a handler with the whole query in the key, with the fields to list', async () => {
    await start();
    const hints = logged.flatMap(({ code, message = '' }) => (code === 'WHOLE_QUERY' ? [message] : []));
    const of = (method: string) => hints.filter((hint) => hint.startsWith(`ListController.${method}():`));
    expect(of('list')).toEqual([expect.stringContaining("query: ['sort', 'page']")]);
    expect(of('untyped')).toEqual([expect.stringContaining("query: ['page', 'limit']")]);
    expect([...of('named'), ...hints.filter((hint) => hint.startsWith('ByMethod'))]).toEqual([]);
  });
});

describe('the option `query`', () => {
  @Controller()
  class Faulty {
    @Get('a')
    @Cached('a:*', { query: 'page' as never })
    notAList(@Query() query: object) {
      return query;
    }

    @Get('b')
    @Cached('b:*', { query: ['page'] })
    notWhole(@Query('page') page: string) {
      return page;
    }
  }

  it('the option `query` fails the boot if it is not a list, or names parameters of an undeclared query', async () => {
    const booted = boot('express', { imports: [CacheObservabilityModule.forRoot()], controllers: [Faulty] });
    await expect(booted).rejects.toMatchObject({
      code: 'INVALID_OPTIONS',
      message: expect.stringMatching(
        /Faulty\.notAList\(\): query is not a list.*Faulty\.notWhole\(\): query names parameters/s,
      ),
    });
  });
});
