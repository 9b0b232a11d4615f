// A boot error that ends the process prints short lines in both forms: node test/consumers/boot-error.mjs, after npm run build.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const cwd = fileURLToPath(new URL('.', import.meta.url));
const start = `
  class AppModule {}
  Module({ imports: [CacheObservabilityModule.forRoot({ ttll: 5 })] })(AppModule);
  NestFactory.create(AppModule, { abortOnError: false, logger: false });
`;
const packages = { 'reflect-metadata': '', '@nestjs/common': '{ Module }', '@nestjs/core': '{ NestFactory }' };
const names = { ...packages, 'nestjs-cache-observability': '{ CacheObservabilityModule }' };
const imports = { module: (name, what) => `import ${what === '' ? '' : `${what} from`} '${name}';` };
imports.commonjs = (name, what) => `${what === '' ? '' : `const ${what} =`} require('${name}');`;

for (const [form, imported] of Object.entries(imports)) {
  const code = Object.entries(names)
    .map(([name, what]) => imported(name, what))
    .join('\n');
  const { stderr } = spawnSync(process.execPath, [`--input-type=${form}`, '--eval', code + start], {
    cwd,
    encoding: 'utf8',
  });
  assert.match(stderr, /ttll: is unknown/);
  const before = stderr.slice(0, stderr.indexOf('CacheError:')).split('\n');
  assert.ok(before.length < 6 && before.every(({ length }) => length < 160), `${form} prints ${before.join('\n')}`);
  console.log(`${form}: ok`);
}

// What else an error may point to. The packed client of the dashboard is data.
const dist = new URL('../../dist/', import.meta.url);
for (const folder of ['', 'chunks/', 'schematics/']) {
  for (const file of readdirSync(new URL(folder, dist)).filter((name) => /^(?!client-assets).*\.c?js$/.test(name))) {
    const lines = readFileSync(new URL(folder + file, dist), 'utf8').split('\n');
    const long = lines.find((line) => line.length > 700);
    assert.equal(long, undefined, `${folder}${file} has a line of ${long?.length} characters`);
  }
}
