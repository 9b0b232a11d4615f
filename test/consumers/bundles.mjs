// An application and the built package in one file, as ES module and as CommonJS: node test/consumers/bundles.mjs, after npm run build.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from '@swc/core';
import { rollup } from 'rollup';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { name, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const decorators = {
  swcrc: false,
  jsc: {
    target: 'es2022',
    parser: { syntax: 'typescript', decorators: true },
    transform: { legacyDecorator: true, decoratorMetadata: true },
  },
};

const work = mkdtempSync(join(tmpdir(), 'cache-observability-bundles-'));
try {
  symlinkSync(join(root, 'node_modules'), join(work, 'node_modules'));
  const bundle = await rollup({
    input: fileURLToPath(new URL('bundle/application.ts', import.meta.url)),
    external: (id) => id !== name && !/^[./]/.test(id),
    plugins: [
      {
        name: 'application',
        resolveId: (id) => (id === name ? join(root, exports['.'].import.default) : null),
        transform: (code, id) => (id.endsWith('.ts') ? transformSync(code, decorators) : null),
      },
    ],
    onwarn: ({ code, message }) => {
      if (code !== 'THIS_IS_UNDEFINED' && code !== 'CIRCULAR_DEPENDENCY') throw new Error(message);
    },
  });
  for (const [format, file] of Object.entries({ es: 'main.mjs', cjs: 'main.cjs' })) {
    const inlined = { format, file: join(work, file), inlineDynamicImports: true, dynamicImportInCjs: false };
    await bundle.write({ ...inlined, interop: 'auto' });
    const options = { cwd: work, stdio: ['ignore', 'inherit', 'inherit'], timeout: 60_000 };
    execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', file], options);
    console.log(`one file, ${format}: ok`);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
