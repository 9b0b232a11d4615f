import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { migrate } from '../../../lib/schematics/migrate/index.js';
import { bareProject } from '../../support/bare-project.js';
import { FileTree, NotedContext } from '../../support/file-tree.js';

// A project without Prettier: what is written stays as it is.
const { directory, remove } = bareProject(['typescript']);
beforeAll(() => void jest.spyOn(process, 'cwd').mockReturnValue(directory));
afterAll(() => {
  jest.restoreAllMocks();
  remove();
});

const project = (files: Record<string, string>) => ({
  'package.json': JSON.stringify({ dependencies: { '@nestjs/common': '^11.0.0', '@nestjs/cache-manager': '^3.0.0' } }),
  'nest-cli.json': '{ "sourceRoot": "src" }',
  'src/main.ts':
    "import { NestFactory } from '@nestjs/core';\nimport { AppModule } from './app.module';\nNestFactory.create(AppModule);\n",
  ...files,
});

async function migrated(files: Record<string, string>) {
  const tree = new FileTree(files);
  const context = new NotedContext();
  await migrate({ skipInstall: true })(tree, context);
  const { lines, levels } = context;
  return { files: Object.fromEntries(tree.files), lines, levels, text: (path: string) => tree.files.get(path)! };
}

const moduleWith = (registration: string, imports = '') =>
  `import { Module } from '@nestjs/common';
import { CacheModule } from '@nestjs/cache-manager';
${imports}
@Module({ imports: [${registration}] })
export class AppModule {}
`;
const registered = (registration: string, imports?: string) =>
  migrated(project({ 'src/app.module.ts': moduleWith(registration, imports) }));
const imported = (text: string) => /imports: \[([^]*)\] \}\)/.exec(text)![1];

describe('the registration of CacheModule', () => {
  const keyvRedis =
    "import { createKeyv } from '@keyv/redis';\nimport KeyvRedis from '@keyv/redis';\nimport { Keyv } from 'keyv';\nimport { CacheableMemory } from 'cacheable';\n";
  it.each([
    ['CacheModule.register()', 'CacheObservabilityModule.forRoot()'],
    ['CacheModule.register({ isGlobal: true })', 'CacheObservabilityModule.forRoot()'],
    ['CacheModule.register({ ttl: 0 })', 'CacheObservabilityModule.forRoot({ ttl: 0 })'],
    ['CacheModule.register({ ttl: 30_000 })', 'CacheObservabilityModule.forRoot({ ttl: 30_000 })'],
    [
      'CacheModule.register({ ttl, max: 500, isGlobal: true })',
      'CacheObservabilityModule.forRoot({ ttl: ttl, layers: [memoryLayer({ maxEntries: 500 })] })',
    ],
    [
      "CacheModule.register({ ttl: 5, stores: [createKeyv('redis://a:6379')] })",
      "CacheObservabilityModule.forRoot({ ttl: 5, layers: [redisLayer({ url: 'redis://a:6379' })] })",
    ],
    [
      'CacheModule.register({ ttl: 5, stores: createKeyv(process.env.REDIS_URL) })',
      'CacheObservabilityModule.forRoot({ ttl: 5, layers: [redisLayer({ url: process.env.REDIS_URL })] })',
    ],
    [
      "CacheModule.register({ ttl: 5, stores: [new Keyv({ store: new CacheableMemory({ lruSize: 5000 }) }), new KeyvRedis('redis://a')] })",
      "CacheObservabilityModule.forRoot({ ttl: 5, layers: [memoryLayer({ maxEntries: 5000 }), redisLayer({ url: 'redis://a' })] })",
    ],
    [
      'CacheModule.register({ ttl: 5, stores: [myStore] })',
      'CacheObservabilityModule.forRoot({ ttl: 5, layers: [keyvLayer(myStore)] })',
    ],
    [
      "CacheModule.register({ ttl: 5, store: 'memory', max: 9 })",
      'CacheObservabilityModule.forRoot({ ttl: 5, layers: [memoryLayer({ maxEntries: 9 })] })',
    ],
    [
      'CacheModule.registerAsync({ isGlobal: true, inject: [Config], useFactory: (config: Config) => ({ ttl: config.ttl, stores: [createKeyv(config.redisUrl)] }) })',
      'CacheObservabilityModule.forRootAsync({ inject: [Config], useFactory: (config: Config) => ({ ttl: config.ttl, layers: [redisLayer({ url: config.redisUrl })] }) })',
    ],
    [
      'CacheModule.registerAsync({ useFactory: async () => { const store = await redisStore({ ttl: 5 }); return { ttl: 5, store }; } })',
      'CacheObservabilityModule.forRootAsync({ useFactory: async () => { const store = await redisStore({ ttl: 5 }); return { ttl: 5, layers: [legacyStoreLayer(store)] }; } })',
    ],
  ])('CacheModule registration %s becomes %s', async (before, after) => {
    expect(imported((await registered(before, keyvRedis)).text('src/app.module.ts'))).toBe(after);
  });

  it.each([
    ['CacheModule.register(options)', 'not written as one object'],
    ['CacheModule.register({ ...options, ttl: 5 })', 'not written as one object'],
    [
      'CacheModule.register({ ttl: 5, nonBlocking: true, refreshThreshold: 3 })',
      'nonBlocking, refreshThreshold has no equal option',
    ],
    ['CacheModule.register({ ttl: 5, store: redisStore })', 'a store that CacheModule creates'],
    ['CacheModule.registerAsync({ useClass: CacheConfig })', 'no useFactory returns'],
    ['CacheModule.registerAsync({ useFactory: (c: C) => (c.on ? { ttl: 1 } : { ttl: 2 }) })', 'no useFactory returns'],
  ])('CacheModule registration %s stays, with the reason in a comment', async (before, reason) => {
    const { text, lines } = await registered(before);
    expect(imported(text('src/app.module.ts'))).toMatch(new RegExp(`^/\\* TODO nestjs-cache-observability: .*\\*/ `));
    expect(imported(text('src/app.module.ts'))).toContain(before);
    expect(lines.join('\n')).toMatch(new RegExp(`src/app\\.module\\.ts:4 .*${reason}`));
    expect(text('src/app.module.ts')).toContain("import { CacheModule } from '@nestjs/cache-manager';");
  });

  it('the migration imports the used names and removes unused imports', async () => {
    const { text } = await registered(
      "CacheModule.register({ ttl: 5, stores: [createKeyv('redis://a')] })",
      "import { createKeyv } from '@keyv/redis';",
    );
    expect(text('src/app.module.ts')).toBe(`import { Module } from '@nestjs/common';
import {
  CacheObservabilityModule,
  redisLayer,
} from 'nestjs-cache-observability';
@Module({ imports: [CacheObservabilityModule.forRoot({ ttl: 5, layers: [redisLayer({ url: 'redis://a' })] })] })
export class AppModule {}
`);
  });

  it('the registration is rewritten once, for the whole application; others stay with a comment', async () => {
    const { text } = await migrated(
      project({
        'src/feature.module.ts': moduleWith('CacheModule.register({ ttl: 1 })').replace('AppModule', 'FeatureModule'),
        'src/app.module.ts': moduleWith('CacheModule.register({ ttl: 2 })'),
      }),
    );
    expect(text('src/app.module.ts')).toContain('CacheObservabilityModule.forRoot({ ttl: 2 })');
    expect(text('src/feature.module.ts')).toMatch(
      /TODO nestjs-cache-observability: one module serves .*forFeature.*CacheModule\.register\(\{ ttl: 1 \}\)/,
    );
  });
});

it('the CacheModule of a test stays as it is, also where no other module has one', async () => {
  const spec = moduleWith('CacheModule.register({ ttl: 1 })');
  const { text, lines } = await migrated(project({ 'src/shop.spec.ts': spec, 'test/app.e2e-spec.ts': spec }));
  expect([text('src/shop.spec.ts'), text('test/app.e2e-spec.ts')]).toEqual([spec, spec]);
  expect(lines.join('\n')).toMatch(/src\/shop\.spec\.ts:1 A test may keep its CacheModule/);
});

const controller = (
  body: string,
  before = '',
) => `import { Controller, Get, Param, Post, Query, Req, UseInterceptors } from '@nestjs/common';
import { CacheInterceptor, CacheKey, CacheTTL } from '@nestjs/cache-manager';

${before}@Controller('products')
export class ProductsController {
${body}}
`;
const handlers = (body: string, before?: string) =>
  migrated(project({ 'src/products.controller.ts': controller(body, before) }));

describe('a handler behind CacheInterceptor', () => {
  it('a handler behind CacheInterceptor gets @Cached with a pattern of controller and method, and its inputs', async () => {
    const { text } = await handlers(`  @Get(':id')
  @UseInterceptors(CacheInterceptor)
  @CacheTTL(30_000)
  findOne(@Param('id') id: string) {
    return id;
  }
`);
    expect(text('src/products.controller.ts')).toBe(
      `import { Controller, Get, Param, Post, Query, Req } from '@nestjs/common';
import { Cached } from 'nestjs-cache-observability';

@Controller('products')
export class ProductsController {
  @Get(':id')
  @Cached('products.find-one:*', { ttl: 30_000 })
  findOne(@Param('id') id: string) {
    return id;
  }
}
`.replace('Get, Param, Post, Query, Req }', 'Get, Param }'),
    );
  });

  it('a handler behind CacheInterceptor keeps its key if it has no inputs, and adds its inputs to the key otherwise', async () => {
    const { text, lines } = await handlers(`  @UseInterceptors(CacheInterceptor)
  @CacheKey('all')
  @Get()
  all() {}
  @UseInterceptors(CacheInterceptor)
  @CacheKey('page')
  @Get('pages')
  page(@Query('page') page: string) {}
`);
    expect(text('src/products.controller.ts')).toContain("@Cached('all')\n  @Get()");
    expect(text('src/products.controller.ts')).toContain("@Cached('page:*')\n  @Get('pages')");
    expect(lines.join('\n')).toContain("The key 'page' did not contain the inputs");
  });

  it('a controller behind CacheInterceptor is rewritten with its GET handlers, and other interceptors stay', async () => {
    const { text } = await handlers(
      `  @Get()
  all() {}
  @Get('one')
  @CacheTTL(5)
  one() {}
  @Post()
  create() {}
`,
      '@UseInterceptors(Logging, CacheInterceptor)\n@CacheTTL(60_000)\n',
    );
    const after = text('src/products.controller.ts');
    expect(after).toContain('@UseInterceptors(Logging)\n@Controller');
    expect(after).toContain("@Cached('products.all:*', { ttl: 60_000 })\n  @Get()\n  all");
    expect(after).toContain("@Get('one')\n  @Cached('products.one:*', { ttl: 5 })\n  one");
    expect(after).toContain('  @Post()\n  create');
    expect(after).not.toContain('CacheTTL');
  });

  it.each([
    ['@Get() all(@Req() request: Request) {}', '@Req'],
    ['@Get() all(@CurrentUser() user: User) {}', '@CurrentUser'],
    ['@Get() all(@Res() response: Response) {}', 'send its response itself'],
    ['@Sse() @Get() all() {}', '@Sse'],
    ['@CacheTTL((context) => 5) @Get() all() {}', 'ttl is a function'],
    ['@CacheKey(KEY) @Get() all() {}', 'key is not a text'],
    ["@CacheKey('a{b}*') @Get() all() {}", 'characters of patterns'],
  ])('a handler behind CacheInterceptor stays with the reason in a comment: %s', async (method, reason) => {
    const { text, lines } = await handlers(`  @UseInterceptors(CacheInterceptor)\n  ${method}\n`);
    expect(text('src/products.controller.ts')).toMatch(
      / {2}\/\* TODO nestjs-cache-observability: .*\*\/\n {2}@UseInterceptors\(CacheInterceptor\)/,
    );
    expect(lines.join('\n')).toContain(reason);
    const whole = (await handlers(`  ${method}\n  @Get('b') b() {}\n`, '@UseInterceptors(CacheInterceptor)\n')).text(
      'src/products.controller.ts',
    );
    expect(whole).toMatch(/\/\* TODO nestjs-cache-observability: all: .*\*\/\n@UseInterceptors\(CacheInterceptor\)/);
    expect(whole).not.toContain('@Cached(');
  });

  it.each([
    [
      "trackBy(context) { return 'key'; }",
      /return the key of trackBy\(\) in key: @Cached\(pattern, \{ key: \(context\) => … \}\)/,
    ],
    ['protected isRequestCacheable() { return true; }', /for isRequestCacheable\(\) use methods: \['GET'\] or cacheIf/],
    ['', /is a class of your own and still works\. Put @Cached on the handlers/],
  ])('a subclass of CacheInterceptor stays with the replacement in a comment: %s', async (member, reason) => {
    const subclass = `import { CacheInterceptor as Base } from '@nestjs/cache-manager';
@Injectable()
export class HttpCache extends Base {
  ${member}
}
`;
    const files = project({ 'src/http-cache.ts': subclass });
    const { text, lines } = await migrated(files);
    const after = text('src/http-cache.ts');
    expect(after).toMatch(
      /\/\* TODO nestjs-cache-observability: .*\*\/\n@Injectable\(\)\nexport class HttpCache extends Base/,
    );
    expect(after).toMatch(reason);
    expect(lines.join('\n')).toMatch(/src\/http-cache\.ts:2 its handlers are left/);
    expect((await migrated({ ...files, 'src/http-cache.ts': after })).text('src/http-cache.ts')).toBe(after);
  });

  it('a handler behind a global CacheInterceptor stays, and the interceptor continues to work', async () => {
    const { text, lines } = await migrated(
      project({
        'src/app.module.ts': moduleWith(
          'CacheModule.register({ ttl: 5 })',
          "import { CacheInterceptor } from '@nestjs/cache-manager';\nconst provider = { provide: APP_INTERCEPTOR, useClass: CacheInterceptor };\n",
        ),
        'src/products.controller.ts': controller(
          '  @CacheTTL(5)\n  @Get()\n  all() {}\n' +
            "  @UseInterceptors(CacheInterceptor)\n  @CacheKey('one')\n  @Get('one')\n  one(@Param('id') id: string) {}\n",
        ),
        'src/users.controller.ts':
          "import { Controller, Get, Post, Req } from '@nestjs/common';\n@Controller('users')\nexport class UsersController {\n" +
          '  @Get()\n  me(@Req() request: Request) {}\n  @Post()\n  change(@Req() request: Request) {}\n}\n',
      }),
    );
    expect(lines.filter((line) => line.includes('controller.ts'))).toEqual([
      expect.stringContaining(
        'ProductsController.all keeps @CacheTTL: with the global CacheInterceptor it still works',
      ),
      expect.stringContaining('ProductsController.one keeps @UseInterceptors and @CacheKey: with the global'),
      expect.stringMatching(
        /users\.controller\.ts:4 UsersController\.me may depend on the caller \(@Req\), and the global CacheInterceptor gives one answer to all callers/,
      ),
    ]);
    expect(text('src/users.controller.ts')).not.toContain('TODO');
    expect(text('src/products.controller.ts')).toContain('@CacheTTL(5)');
    expect(lines.join('\n')).toContain('The global CacheInterceptor still works');
  });
});

describe('a migration', () => {
  it('a migration changes nothing the second time', async () => {
    const files = project({
      'src/app.module.ts': moduleWith('CacheModule.register({ ttl: 5 })'),
      'src/feature.module.ts': moduleWith('CacheModule.register(options)'),
      'src/products.controller.ts': controller(
        '  @UseInterceptors(CacheInterceptor)\n  @Get() all(@Req() request: Request) {}\n',
      ),
    });
    const once = (await migrated(files)).files;
    expect((await migrated(once)).files).toEqual(once);
  });

  it('a migration leaves CACHE_MANAGER, says that it works, and never looks into installed packages', async () => {
    const service =
      "import { Inject } from '@nestjs/common';\nimport { CACHE_MANAGER, Cache } from '@nestjs/cache-manager';\n";
    const old = moduleWith('CacheModule.register()');
    const { text, lines } = await migrated(
      project({
        'src/service.ts': service,
        'src/service.spec.ts': service,
        'node_modules/other/src/a.module.ts': old,
        'dist/app.module.ts': old,
      }),
    );
    expect(text('src/service.ts')).toBe(service);
    expect(text('node_modules/other/src/a.module.ts')).toBe(old);
    expect(text('dist/app.module.ts')).toBe(old);
    expect(lines.join('\n')).toContain('CACHE_MANAGER still works');
    expect(lines.join('\n')).toContain(
      'frozen, and changing one throws: change a copy, or set policy: { clone: true }',
    );
    expect(lines.join('\n')).toContain('A CACHE_MANAGER that a test provides only serves code that injects it');
  });

  it('a migration says of handlers, services and their tests that a test which counts calls of the origin needs the module', async () => {
    const service =
      "import { Inject } from '@nestjs/common';\nimport { CACHE_MANAGER, Cache } from '@nestjs/cache-manager';\n";
    const { lines } = await migrated(
      project({
        'src/prices.service.ts': service,
        'src/prices.service.spec.ts': service,
        'test/app.e2e-spec.ts': moduleWith('CacheModule.register()'),
      }),
    );
    const text = 'handlers and methods with @Cached';
    for (const place of ['src/prices.service.ts:1', 'src/prices.service.spec.ts:1', 'test/app.e2e-spec.ts:1']) {
      const line = lines.find((one) => one.includes(place));
      expect(line?.toLowerCase()).toContain(text.toLowerCase());
      expect(line).toContain('counts calls of their origin');
    }
  });

  it('a migration logs each heading and its places at one level', async () => {
    const { lines, levels } = await migrated(
      project({
        'src/products.controller.ts': controller('  @UseInterceptors(CacheInterceptor)\n  @Sse() @Get() all() {}\n'),
      }),
    );
    const heading = lines.findIndex((line) => line.startsWith('Left for you'));
    expect(lines[heading + 1]).toMatch(/^ {2}src\/products\.controller\.ts:\d+ @Sse/);
    expect(levels[heading + 1]).toBe(levels[heading]);
  });

  it('a migration reports if there is nothing to rewrite', async () => {
    expect((await migrated(project({}))).lines).toEqual(['No use of @nestjs/cache-manager was found.']);
  });
});
