// Runs the package's schematics through the runner of the Nest CLI, in a project that has the package installed.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = new URL('../..', import.meta.url).pathname;
const project = mkdtempSync(join(tmpdir(), 'cache-observability-schematics-'));
const write = (path, text) => writeFileSync(join(project, path), text);
const read = (path) => readFileSync(join(project, path), 'utf8');
const schematic = (...args) =>
  execFileSync(join(root, 'node_modules/.bin/schematics'), args, { cwd: project, encoding: 'utf8' });

try {
  mkdirSync(join(project, 'src'));
  mkdirSync(join(project, 'node_modules'));
  symlinkSync(root, join(project, 'node_modules/nestjs-cache-observability'));
  symlinkSync(join(root, 'node_modules/typescript'), join(project, 'node_modules/typescript'));
  write('package.json', JSON.stringify({ name: 'shop', dependencies: { '@nestjs/common': '^12.0.0' } }));
  write('nest-cli.json', JSON.stringify({ sourceRoot: 'src' }));
  write(
    'src/app.module.ts',
    "import { Module } from '@nestjs/common';\n\n@Module({ imports: [] })\nexport class AppModule {}\n",
  );
  const add = () =>
    schematic('nestjs-cache-observability:nest-add', '--source-root=src', '--redis=environment', '--skip-install');
  assert.match(add(), /UPDATE.*src\/app\.module\.ts/);
  assert.match(read('src/app.module.ts'), /imports: \[\s+CacheObservabilityModule\.forRoot\(\{\s+layers: /);
  assert.match(read('package.json'), /"@nestjs\/cache-manager": "\^12/);
  assert.equal(read('.gitignore'), '.cache-observability/\n');
  assert.match(add(), /Nothing to be done/);

  write(
    'src/app.module.ts',
    "import { Module } from '@nestjs/common';\nimport { CacheModule } from '@nestjs/cache-manager';\n\n" +
      '@Module({ imports: [CacheModule.register({ ttl: 5_000, max: 100 })] })\nexport class AppModule {}\n',
  );
  const migrate = () => schematic('nestjs-cache-observability:migrate', '--skip-install');
  assert.match(migrate(), /src\/app\.module\.ts:4 CacheModule\.register\(\) is CacheObservabilityModule\.forRoot\(\)/);
  assert.match(
    read('src/app.module.ts'),
    /forRoot\(\{ ttl: 5_000, layers: \[memoryLayer\(\{ maxEntries: 100 \}\)\] \}\)/,
  );
  assert.match(migrate(), /No use of @nestjs\/cache-manager was found/);
  console.log('schematics: ok');
} finally {
  rmSync(project, { recursive: true, force: true });
}
