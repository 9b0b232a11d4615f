import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { format } from 'prettier';
import { nestAdd, type NestAddOptions } from '../../../lib/schematics/nest-add/index.js';
import { bareProject } from '../../support/bare-project.js';
import { FileTree, NotedContext } from '../../support/file-tree.js';

// A project without Prettier: what is written stays as it is.
const { directory, remove } = bareProject(['typescript']);
beforeAll(() => void jest.spyOn(process, 'cwd').mockReturnValue(directory));
afterAll(() => {
  jest.restoreAllMocks();
  remove();
});

const MAIN = `import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module';

async function bootstrap() {
  const app = await NestFactory.create(AppModule);
  await app.listen(3000);
}
bootstrap();
`;
const MODULE = `import { Module } from '@nestjs/common';
import { AppController } from './app.controller';

@Module({
  imports: [],
  controllers: [AppController],
})
export class AppModule {}
`;
const packageOf = (nest: string, dependencies: Record<string, string> = {}) =>
  `${JSON.stringify({ name: 'shop', dependencies: { '@nestjs/common': nest, ...dependencies } }, undefined, 2)}\n`;

const standard = (files: Record<string, string> = {}) => ({
  'package.json': packageOf('^12.0.0'),
  'nest-cli.json': '{ "collection": "@nestjs/schematics", "sourceRoot": "src" }',
  'src/main.ts': MAIN,
  'src/app.module.ts': MODULE,
  ...files,
});

function add(files: Record<string, string>, options: NestAddOptions = {}) {
  const tree = new FileTree(files);
  const context = new NotedContext();
  const done = nestAdd(options)(tree, context);
  return { tree, context, done, text: (path: string) => tree.files.get(path) };
}

const moduleOf = (text: string) => add(standard({ 'src/app.module.ts': text })).text('src/app.module.ts')!;

describe('nest add', () => {
  it('nest add imports the module into the root module', () => {
    expect(add(standard()).text('src/app.module.ts')).toBe(`import { Module } from '@nestjs/common';
import { AppController } from './app.controller';
import { CacheObservabilityModule } from 'nestjs-cache-observability';

@Module({
  imports: [CacheObservabilityModule.forRoot()],
  controllers: [AppController],
})
export class AppModule {}
`);
  });

  it('nest add puts Redis behind memory, with the URL of the environment', () => {
    const text = add(standard(), { redis: 'environment' }).text('src/app.module.ts');
    expect(text).toBe(`import { Module } from '@nestjs/common';
import { AppController } from './app.controller';
import {
  CacheObservabilityModule,
  memoryLayer,
  redisLayer,
} from 'nestjs-cache-observability';

@Module({
  imports: [
    CacheObservabilityModule.forRoot({
      layers: [
        memoryLayer(),
        redisLayer({ url: process.env.REDIS_URL ?? 'redis://localhost:6379' }),
      ],
    }),
  ],
  controllers: [AppController],
})
export class AppModule {}
`);
  });

  it.each(['none', 'environment'] as const)(
    'nest add writes what the format of generated projects accepts, with redis %s',
    async (redis) => {
      for (const list of [
        '[]',
        '[ConfigModule.forRoot()]',
        '[\n    A,\n    B.forRoot({ isGlobal: true, cache: true, expandVariables: true }),\n  ]',
      ]) {
        const module = MODULE.replace('[]', list);
        const text = add(standard({ 'src/app.module.ts': module }), { redis }).text('src/app.module.ts')!;
        expect(await format(text, { parser: 'typescript', singleQuote: true, trailingComma: 'all' })).toBe(text);
      }
    },
  );

  it.each([
    [
      '@Module({\n  imports: [\n    A,\n    B.forRoot({ a: [1] }),\n  ],\n})',
      'B.forRoot({ a: [1] }),\n    CacheObservabilityModule.forRoot(),\n  ]',
    ],
    ['@Module({ imports: [A] })', 'imports: [A, CacheObservabilityModule.forRoot()]'],
    ['@Module({ imports: modules })', 'imports: [...modules, CacheObservabilityModule.forRoot()]'],
    ['@Module({ imports })', 'imports: [...imports, CacheObservabilityModule.forRoot()]'],
    ['@Module({ controllers: [] })', '@Module({\n  imports: [CacheObservabilityModule.forRoot()], controllers'],
    ['@Module({})', '@Module({\n  imports: [CacheObservabilityModule.forRoot()],})'],
    ['@Module()', '@Module({\n  imports: [CacheObservabilityModule.forRoot()],\n})'],
  ])('nest add adds to the imports of %j', (decorator, expected) => {
    expect(moduleOf(`import { Module } from '@nestjs/common';\n\n${decorator}\nexport class AppModule {}\n`)).toContain(
      expected,
    );
  });

  it('nest add keeps the quotes of the file', () => {
    expect(moduleOf(MODULE.replaceAll("'", '"'))).toContain('from "nestjs-cache-observability";');
  });

  it('nest add finds the root module behind an import with an extension, and in the entry file', () => {
    const elsewhere = add(
      standard({
        'src/main.ts': MAIN.replace('./app.module', './root/shop.module.js').replaceAll('AppModule', 'ShopModule'),
        'src/root/shop.module.ts': MODULE.replaceAll('AppModule', 'ShopModule'),
      }),
    );
    expect(elsewhere.text('src/root/shop.module.ts')).toContain('CacheObservabilityModule.forRoot()');
    expect(elsewhere.text('src/app.module.ts')).toBe(MODULE);
    const inOne = `${MODULE}\n${MAIN.split('\n')
      .filter((line) => !line.includes('./app.module'))
      .join('\n')}`;
    expect(add(standard({ 'src/main.ts': inOne })).text('src/main.ts')).toContain('CacheObservabilityModule.forRoot()');
  });

  it('nest add adds to the chosen application of a monorepo, and to its root application without a choice', () => {
    const projects = {
      shop: { sourceRoot: 'apps/shop/src', entryFile: 'main' },
      admin: { sourceRoot: 'apps/admin/src' },
    };
    const files = {
      'package.json': packageOf('^11.0.0'),
      'nest-cli.json': JSON.stringify({ sourceRoot: 'apps/shop/src', monorepo: true, root: 'apps/shop', projects }),
      'apps/shop/src/main.ts': MAIN,
      'apps/shop/src/app.module.ts': MODULE,
      'apps/admin/src/main.ts': MAIN,
      'apps/admin/src/app.module.ts': MODULE,
    };
    const changed = (options: NestAddOptions) => {
      const { text } = add(files, options);
      return ['shop', 'admin'].filter((name) => text(`apps/${name}/src/app.module.ts`) !== MODULE);
    };
    expect(changed({})).toEqual(['shop']);
    expect(changed({ project: 'admin' })).toEqual(['admin']);
    expect(changed({ sourceRoot: 'apps/admin/src' })).toEqual(['admin']);
    expect(() => changed({ project: 'none' })).toThrow(
      'project "none" is not in nest-cli.json. Projects there: shop, admin.',
    );
  });

  it.each([
    ['^12.0.1', '^12.0.0'],
    ['^11.1.0', '^3.1.0 '],
  ])('nest add adds the missing peers, for Nest %s', (nest, cacheManager) => {
    const { text, context } = add(standard({ 'package.json': packageOf(nest, { keyv: '^5.0.0' }) }));
    const { dependencies } = JSON.parse(text('package.json')!) as { dependencies: Record<string, string> };
    expect(dependencies).toMatchObject({ '@nestjs/cache-manager': cacheManager.trim(), keyv: '^5.0.0' });
    expect(Object.keys(dependencies)).toEqual([
      '@nestjs/cache-manager',
      '@nestjs/common',
      'cache-manager',
      'keyv',
      'nestjs-cache-observability',
    ]);
    expect(context.tasks).toEqual([{ name: 'node-package', options: { command: 'install', packageManager: 'npm' } }]);
  });

  it.each([
    ['yarn.lock', 'yarn'],
    ['pnpm-lock.yaml', 'pnpm'],
  ])('nest add installs with the package manager of %s', (file, packageManager) => {
    const { context } = add(standard({ [file]: '' }));
    expect(context.tasks).toMatchObject([{ options: { packageManager } }]);
  });

  it('nest add installs nothing with skipInstall', () => {
    expect(add(standard(), { skipInstall: true }).context.tasks).toEqual([]);
  });

  it.each([
    [undefined, '.cache-observability/\n'],
    ['node_modules', 'node_modules\n.cache-observability/\n'],
    ['/.cache-observability\n', '/.cache-observability\n'],
  ])('nest add ignores the file of metrics, in .gitignore %j', (before, after) => {
    expect(add(standard(before === undefined ? {} : { '.gitignore': before })).text('.gitignore')).toBe(after);
  });

  it('nest add changes nothing the second time', () => {
    const first = add(standard());
    const again = add(Object.fromEntries(first.tree.files));
    expect([...again.tree.files]).toEqual([...first.tree.files]);
    expect(again.context).toMatchObject({
      tasks: [],
      lines: ['src/app.module.ts imports CacheObservabilityModule already.'],
    });
  });

  it('nest add prints the manual steps if there is no root module to change', () => {
    expect(() => add({ 'package.json': packageOf('^12.0.0') })).toThrow(
      'nest-add: no root module was found in src/main.ts or src/app.module.ts. Import CacheObservabilityModule.forRoot()',
    );
    expect(() => moduleOf('const metadata = {};\n@Module(metadata)\nexport class AppModule {}\n')).toThrow(
      'src/app.module.ts: class AppModule has no @Module({ … }) to add to. Import CacheObservabilityModule.forRoot() by hand.',
    );
  });
});
