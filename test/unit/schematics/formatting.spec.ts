import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { format } from 'prettier';
import { migrate } from '../../../lib/schematics/migrate/index.js';
import { nestAdd } from '../../../lib/schematics/nest-add/index.js';
import { bareProject } from '../../support/bare-project.js';
import { FileTree, NotedContext } from '../../support/file-tree.js';

const STYLES = {
  'generated projects': { singleQuote: true, trailingComma: 'all' },
  'a project with tabs': { useTabs: true, semi: false, printWidth: 60 },
} as const;

const MODULE = `
import { Module } from '@nestjs/common';
import { CacheModule } from '@nestjs/cache-manager';
import { OrdersModule } from './orders/orders.module';

@Module({
  imports: [
    CacheModule.registerAsync({
      isGlobal: true,
      inject: [ConfigService],
      useFactory: (config: ConfigService) => ({ ttl: config.get<number>('CACHE_TTL_MS', 60_000) }),
    }),
    OrdersModule,
  ],
})
export class AppModule {}
`;
const CONTROLLER = `
import { CacheInterceptor, CacheKey, CacheTTL } from '@nestjs/cache-manager';
import { Body, Controller, Delete, Get, Inject, Param, Post, UseInterceptors } from '@nestjs/common';

@Controller('recommendations')
export class RecommendationsController {
  @Get(':id')
  @UseInterceptors(CacheInterceptor)
  @CacheKey('recommendations-of-one-visitor')
  @CacheTTL(30_000)
  find(@Param('id') id: string) {
    return [id, Body, Delete, Inject, Post];
  }
}
`;
const PLAIN = `import { Module } from '@nestjs/common'; import { OrdersModule } from './orders.module';

@Module({ imports: [OrdersModule, OrdersModule, OrdersModule] })
export class AppModule {}
`;

const removals: (() => void)[] = [];
afterEach(() => {
  jest.restoreAllMocks();
  for (const remove of removals.splice(0)) remove();
});

function projectWith(style: object, files: Record<string, string>): FileTree {
  const { directory, remove } = bareProject(['typescript', 'prettier'], { '.prettierrc': JSON.stringify(style) });
  removals.push(remove);
  jest.spyOn(process, 'cwd').mockReturnValue(directory);
  return new FileTree({
    'package.json': JSON.stringify({ dependencies: { '@nestjs/common': '^11.0.0' } }),
    'nest-cli.json': '{ "sourceRoot": "src" }',
    'src/main.ts': "import { AppModule } from './app.module';\nNestFactory.create(AppModule);\n",
    ...files,
  });
}

describe.each(Object.entries(STYLES))('the format of %s', (_name, style) => {
  const inStyle = (text: string) => format(text, { parser: 'typescript', ...style });

  it('is kept by the migration in files that had it', async () => {
    const tree = projectWith(style, {
      'src/app.module.ts': await inStyle(MODULE),
      'src/recommendations.controller.ts': await inStyle(CONTROLLER),
    });
    await migrate({ skipInstall: true })(tree, new NotedContext());
    for (const path of ['src/app.module.ts', 'src/recommendations.controller.ts']) {
      const text = tree.files.get(path)!;
      expect(text).toMatch(/CacheObservabilityModule|@Cached/);
      expect(text).toBe(await inStyle(text));
    }
  });

  it('is kept by nest add in a file that had it', async () => {
    const tree = projectWith(style, { 'src/app.module.ts': await inStyle(PLAIN) });
    await nestAdd({ redis: 'environment', skipInstall: true })(tree, new NotedContext());
    const text = tree.files.get('src/app.module.ts')!;
    expect(text).toContain('CacheObservabilityModule');
    expect(text).toBe(await inStyle(text));
  });
});

it('a file in another format than that of the project keeps its own', async () => {
  const tree = projectWith({}, { 'src/app.module.ts': PLAIN });
  await nestAdd({ skipInstall: true })(tree, new NotedContext());
  expect(tree.files.get('src/app.module.ts')).toContain(
    '@Module({ imports: [OrdersModule, OrdersModule, OrdersModule, CacheObservabilityModule.forRoot()] })',
  );
});
