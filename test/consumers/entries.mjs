// Loads every entry of the built package in plain Node without the optional packages; a feature that needs one of them
// names it. node test/consumers/entries.mjs, after npm run build.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { name, exports, dependencies, peerDependencies, peerDependenciesMeta } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
);
const optional = (peer) => peerDependenciesMeta[peer]?.optional === true;

const work = mkdtempSync(join(tmpdir(), 'cache-observability-entries-'));
try {
  const modules = join(work, 'node_modules');
  mkdirSync(join(modules, name), { recursive: true });
  for (const part of ['dist', 'package.json']) cpSync(join(root, part), join(modules, name, part), { recursive: true });
  for (const peer of [...Object.keys(dependencies), ...Object.keys(peerDependencies)]) {
    if (optional(peer) || !existsSync(join(root, 'node_modules', peer))) continue;
    mkdirSync(dirname(join(modules, peer)), { recursive: true });
    symlinkSync(join(root, 'node_modules', peer), join(modules, peer));
  }
  const run = (script) =>
    execFileSync(process.execPath, ['--input-type=module', '--eval', script], { cwd: work, encoding: 'utf8' }).trim();

  for (const entry of Object.keys(exports).filter((each) => each !== './package.json')) {
    const specifier = name + entry.slice(1);
    for (const target of Object.values(exports[entry]).flatMap((condition) => Object.values(condition))) {
      assert.ok(existsSync(join(root, target)), `${entry}: ${target} is missing`);
    }
    const names = JSON.parse(run(`console.log(JSON.stringify(Object.keys(await import('${specifier}'))))`));
    assert.ok(names.length > 0, `${entry} exports nothing`);
    const required = run(`import { createRequire } from 'node:module';
      process.removeAllListeners('warning');
      console.log(Object.keys(createRequire(import.meta.url)('${specifier}')).length)`);
    assert.ok(Number(required) >= names.length, `${entry} is not the same by require`);
    // Nest writes the names of classes into its log.
    const renamed = run(`const all = Object.entries(await import('${specifier}'));
      const classes = all.filter(([, value]) => typeof value === 'function' && /^class\\b/.test(String(value)));
      console.log(classes.filter(([name, value]) => value.name !== name).map(([, value]) => value.name).join(', '))`);
    assert.equal(renamed, '', `${entry}: classes have other names: ${renamed}`);
    console.log(`${specifier}: ${names.length} names`);
  }

  const missing = {
    'hot-shots': `const { StatsdExporter } = await import('${name}/statsd');
      await new StatsdExporter().start({ serviceName: 'a', families: () => [] })`,
    '@opentelemetry/api': `const { createObservedCache } = await import('${name}');
      createObservedCache({ tracing: true })`,
  };
  for (const [peer, use] of Object.entries(missing)) {
    const output = run(
      `try { ${use}; console.log('nothing') } catch ({ code, message }) { console.log(code, message) }`,
    );
    assert.match(output, /^MISSING_PACKAGE /, output);
    assert.ok(output.includes(`npm install ${peer}`), output);
    console.log(output);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
