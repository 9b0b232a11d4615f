// Bundles of an application and the packed library, as CommonJS with Nest 11 and as an ES module with Nest 12: esbuild
// includes Nest and all other packages, webpack does not.
import { cpSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build } from 'esbuild';
import { here, run } from './projects.mjs';

const formats = { nest11: 'cjs', nest12: 'esm' };

export async function bundles(work) {
  const webpack = createRequire(join(work, 'nest11/package.json'))('webpack');
  for (const [nest, format] of Object.entries(formats)) {
    const folder = join(work, nest, 'bundled');
    cpSync(join(here, 'application/loaded-on-demand.ts'), join(folder, 'main.ts'));
    cpSync(join(here, nest, 'package.json'), join(folder, 'package.json'));
    // esbuild emits no metadata of decorators, so the compiler runs first, as in `nest build`.
    const options = ['--module', 'nodenext', '--target', 'es2022', '--types', 'node', '--skipLibCheck', '--strict'];
    const decorators = ['--experimentalDecorators', '--emitDecoratorMetadata'];
    const compiler = [
      '../node_modules/typescript/bin/tsc',
      'main.ts',
      ...options,
      ...decorators,
      '--outDir',
      'compiled',
    ];
    await run('node', compiler, { cwd: folder });
    for (const [tool, bundle] of Object.entries({ esbuild: withEsbuild, webpack: withWebpack(webpack) })) {
      const file = await bundle(join(folder, 'compiled/main.js'), join(folder, tool), format);
      await run('node', ['--disable-warning=ExperimentalWarning', file], { cwd: folder, timeout: 300_000 });
      console.log(`${tool}, ${format}: ok`);
    }
  }
}

async function withEsbuild(entry, outdir, format) {
  const outfile = join(outdir, format === 'esm' ? 'main.mjs' : 'main.cjs');
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format,
    logLevel: 'error',
    keepNames: true,
    // Express and others in CommonJS require Node's own modules.
    banner: format === 'esm' ? { js: CREATE_REQUIRE } : {},
    plugins: [absentIsExternal],
  });
  return outfile;
}

const CREATE_REQUIRE =
  "import { createRequire as $create } from 'node:module'; const require = $create(import.meta.url);";

/**
 * Nest requires packages that few applications have; the application detects an absent one at run time, as without a
 * bundle.
 */
const absentIsExternal = {
  name: 'absent-is-external',
  setup(builder) {
    builder.onResolve({ filter: /^[^./]/ }, async ({ path, pluginData, ...rest }) => {
      if (pluginData === 'asked') return null;
      const { resolveDir, kind, importer } = rest;
      const { errors } = await builder.resolve(path, { resolveDir, kind, importer, pluginData: 'asked' });
      return errors.length > 0 ? { path, external: true } : null;
    });
  },
};

const withWebpack = (webpack) => async (entry, path, format) => {
  const filename = format === 'esm' ? 'main.mjs' : 'main.cjs';
  const isEsm = format === 'esm';
  const compiler = webpack({
    mode: 'production',
    target: 'node20',
    entry,
    output: { path, filename, ...(isEsm && { module: true, chunkFormat: 'module' }) },
    ...(isEsm && { experiments: { outputModule: true } }),
    // Routes and caches use names of classes.
    optimization: { minimize: false },
    // As `nest build --webpack` does: installed packages stay outside, except the library.
    externals: [isInstalled],
    externalsType: isEsm ? 'module-import' : 'commonjs',
    stats: 'errors-only',
  });
  const stats = await new Promise((resolve, reject) =>
    compiler.run((error, result) => (error ? reject(error) : resolve(result))),
  );
  await new Promise((resolve) => compiler.close(resolve));
  if (stats.hasErrors()) throw new Error(stats.toString({ all: false, errors: true }));
  return join(path, filename);
};

const isInstalled = async ({ request }) =>
  /^([./]|nestjs-cache-observability(\/|$))/.test(request) ? undefined : request;
