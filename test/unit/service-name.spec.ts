import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { CacheObservabilityModule } from '../../lib/cache-observability.module.js';
import { memoryLayer } from '../../lib/cache/layers/memory-layer.js';
import { redisLayer } from '../../lib/cache/layers/redis/redis-layer.js';
import { keyvLayer } from '../../lib/cache/layers/stores/keyv-layer.js';
import { legacyStoreLayer } from '../../lib/cache/layers/stores/legacy-store-layer.js';
import { createObservedCache } from '../../lib/wiring/create-observed-cache.js';
import { applicationName } from '../../lib/options/service-name.js';
import { boot, closeApps } from '../support/apps.js';

const roots: string[] = [];
afterAll(() => roots.forEach((root) => rmSync(root, { recursive: true, force: true })));
afterEach(closeApps);

/** A directory with these files; objects are written as JSON. */
function tree(files: Record<string, object | string>): string {
  const root = mkdtempSync(join(tmpdir(), 'application-'));
  roots.push(root);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return root;
}

const shop = { 'package.json': { name: '@acme/shop' }, 'dist/main.js': '' };

describe('the name of an application', () => {
  it.each([
    ['in the working directory', shop, '.', 'dist/main.js', '@acme/shop'],
    ['above the working directory', { ...shop, 'dist/x/y': '' }, 'dist/x', undefined, '@acme/shop'],
    [
      'in the workspace of its script',
      { 'package.json': { name: 'acme', workspaces: ['apps/*'] }, 'apps/shop/package.json': { name: 'shop' } },
      '.',
      'apps/shop/dist/main.js',
      'shop',
    ],
    [
      'past a package.json without a name',
      { ...shop, 'dist/package.json': { type: 'module' } },
      '.',
      'dist/main.js',
      '@acme/shop',
    ],
    ['after a byte order mark', { 'package.json': '\uFEFF{"name":"shop"}' }, '.', undefined, 'shop'],
    [
      'if a tool of another package runs it',
      { ...shop, 'node_modules/jest/package.json': { name: 'jest' } },
      '.',
      'node_modules/jest/bin/jest.js',
      '@acme/shop',
    ],
    [
      'with a library in its nest-cli.json',
      { ...shop, 'nest-cli.json': { projects: { shop: { type: 'application' }, common: { type: 'library' } } } },
      '.',
      'dist/main.js',
      '@acme/shop',
    ],
  ])('the name of an application is found %s', (_where, files, cwd, script, name) => {
    const root = tree(files);
    const started = { cwd: join(root, cwd), script: script && join(root, script) };
    expect(applicationName(started)).toEqual({ name, unfit: undefined });
  });

  it('the name of an application is found next to the script if the working directory has none', () => {
    const root = tree({ 'srv/shop/package.json': { name: 'shop' }, 'srv/shop/dist/main.js': '' });
    const script = join(root, 'srv/shop/dist/main.js');
    expect(applicationName({ cwd: root, script })).toEqual({ name: 'shop', unfit: undefined });
  });

  it.each([
    ['has no name', { 'package.json': { version: '1.0.0' } }, /package\.json has no name/],
    ['is not JSON', { 'package.json': '{' }, /package\.json has no name/],
    ['belongs to a Nest monorepo', { ...shop, 'nest-cli.json': { monorepo: true } }, /nest-cli\.json: monorepo/],
    ['serves two projects', { ...shop, 'nest-cli.json': { projects: { a: {}, b: {} } } }, /nest-cli\.json: 2 projects/],
    ['belongs to Nx', { ...shop, 'nx.json': {} }, /nx\.json/],
    ['holds workspaces', { 'package.json': { name: 'acme', workspaces: ['apps/*'] } }, /package\.json: workspaces/],
    ['belongs to pnpm workspaces', { ...shop, 'pnpm-workspace.yaml': 'packages:\n  - apps/*\n' }, /pnpm-workspace/],
  ])('the name of an application is refused if the package.json %s', (_why, files, unfit) => {
    const cwd = tree(files);
    expect(applicationName({ cwd, script: join(cwd, 'dist/main.js') }).unfit).toMatch(unfit);
  });

  it('the name of an application is refused if the build is one of several applications', () => {
    const cwd = tree({ 'package.json': { name: 'acme' } });
    expect(applicationName({ cwd, script: join(cwd, 'dist/apps/shop/main.js') }).unfit).toMatch(/several projects/);
  });
});

describe('a shared layer without a name', () => {
  const url = 'redis://127.0.0.1:1';
  const store = () => ({ get: () => undefined, set: () => undefined, delete: () => true });
  const legacy = async () => ({ get: async () => undefined, set: async () => undefined, del: async () => undefined });
  const layers: [string, () => ReturnType<typeof memoryLayer>][] = [
    ['redisLayer', () => redisLayer({ url })],
    ['keyvLayer', () => keyvLayer(store)],
    ['legacyStoreLayer', () => legacyStoreLayer(legacy)],
  ];
  let directory = '';
  beforeEach(() => void jest.spyOn(process, 'cwd').mockImplementation(() => directory));
  afterEach(() => void jest.restoreAllMocks());

  it.each(layers)(
    'a layer of %s without a name fails the boot if the package.json names none or several projects',
    async (_name, layer) => {
      for (const files of [{ 'package.json': {} }, { ...shop, 'nest-cli.json': { monorepo: true } }]) {
        directory = tree(files);
        const start = boot('express', {
          imports: [CacheObservabilityModule.forRoot({ layers: [memoryLayer(), layer()] })],
        });
        await expect(start).rejects.toMatchObject({
          code: 'INVALID_OPTIONS',
          message: expect.stringMatching(/namespace: is missing[^]*Set namespace or serviceName/),
        });
        expect(() => createObservedCache({ layers: [layer()] })).toThrow(
          expect.objectContaining({ code: 'INVALID_OPTIONS' }),
        );
      }
    },
  );

  it.each(layers)(
    'a layer of %s boots if an option, or a usable package.json, names the application',
    async (_name, layer) => {
      directory = tree({ ...shop, 'nest-cli.json': { monorepo: true } });
      for (const options of [{ namespace: 'shop' }, { serviceName: 'shop' }]) {
        const { close } = await boot('express', {
          imports: [CacheObservabilityModule.forRoot({ layers: [layer()], prometheus: false, ...options })],
        });
        await close();
      }
      directory = tree(shop);
      const cache = createObservedCache({ layers: [layer()] });
      await cache.close();
    },
  );

  it('a store in memory needs no name', async () => {
    directory = tree({});
    const cache = createObservedCache({ layers: [memoryLayer(), keyvLayer(new Map() as never)] });
    await cache.close();
    await boot('express', { imports: [CacheObservabilityModule.forRoot({ prometheus: false })] });
  });
});
