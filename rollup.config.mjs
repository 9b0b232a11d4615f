// Bundles what `nest build` compiled into few files: once as ESM, once as CommonJS, and the declarations of both.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isAbsolute, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import resolve from '@rollup/plugin-node-resolve';
import { transform } from 'esbuild';
import { dts } from 'rollup-plugin-dts';

// Chunks have other names in each build; those of earlier ones would be published too.
rmSync('dist', { recursive: true, force: true });

const entries = {
  index: 'index',
  otel: 'exporters/otel/index',
  statsd: 'exporters/statsd/index',
  cloudwatch: 'exporters/cloudwatch/index',
  database: 'database/index',
  testing: 'testing/index',
};
const inputOf = (extension) =>
  Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, `build/${path}${extension}`]));

/**
 * Each entry hands out what the first copy of its version in the process exports, so that the ES and the CommonJS form are one:
 * classes are injection tokens, and errors are told by their class. The main entry belongs to a copy of Nest, as its tokens do.
 */
const oneForm = {
  name: 'one-form',
  resolveId(id, importer) {
    if (id.startsWith('entries/')) return `\0${id}`;
    return importer?.startsWith('\0entries/') && isAbsolute(id) ? id : null;
  },
  async load(id) {
    if (!id.startsWith('\0entries/')) return null;
    const entry = id.slice('\0entries/'.length);
    const own = fileURLToPath(new URL(`build/${entries[entry]}.js`, import.meta.url));
    const shared = fileURLToPath(new URL('build/cache/one-in-process.js', import.meta.url));
    const { exports: names } = await this.load({ id: own });
    const ofNest = entry === 'index';
    return `
      import * as own from ${JSON.stringify(own)};
      import { oneInProcess } from ${JSON.stringify(shared)};
      ${ofNest ? "import { ModulesContainer } from '@nestjs/core';" : ''}
      const one = oneInProcess('entry ${entry}', () => own${ofNest ? ', ModulesContainer' : ''});
      ${names.map((name) => `export const ${name} = one.${name};`).join('\n')}
    `;
  },
};

/** ESM only: CommonJS test runners cannot load it, so its page of code is part of the bundle. */
const inlined = ['p-limit', 'yocto-queue'];
const external = (id) => !/^[./]/.test(id) && !inlined.some((name) => id === name || id.includes(`/${name}/`));

/** Reads the source maps that the compiler wrote, so that a stack trace leads to TypeScript. */
const compilerMaps = {
  name: 'compiler-maps',
  load(id) {
    if (!id.includes('/build/') || !id.endsWith('.js')) return null;
    // What no compiler wrote, such as the packed client of the dashboard, has none.
    const map = existsSync(`${id}.map`) ? JSON.parse(readFileSync(`${id}.map`, 'utf8')) : { mappings: '' };
    return { code: readFileSync(id, 'utf8'), map };
  },
};

/** Declarations are the same for both formats; TypeScript wants one file beside each. */
const declarationsOfCommonJs = {
  name: 'declarations-of-commonjs',
  writeBundle({ dir }, bundle) {
    for (const [name, { code }] of Object.entries(bundle)) {
      writeFileSync(`${dir}/${name.replace(/\.d\.ts$/, '.d.cts')}`, code.replace(/(from '\.[^']*)\.js'/g, "$1.cjs'"));
    }
  },
};

/**
 * Comments and indentation are for the source, where source maps lead: without them the entry loads faster and a process holds a quarter
 * less text. Names stay, and lines stay short, so that an error which ends a process prints one line and not the whole bundle.
 */
const dense = {
  name: 'dense',
  // Not renderChunk: a line may break within the name of a chunk, which is not final there.
  async generateBundle(_options, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== 'chunk') continue;
      const { fileName, map, sourcemapFileName } = chunk;
      const inline = `//# sourceMappingURL=${map.toUrl()}`;
      const written = await transform(chunk.code.replace(/\/\/# sourceMappingURL=.*/, inline), {
        target: 'es2022',
        charset: 'ascii',
        legalComments: 'none',
        minifyWhitespace: true,
        lineLimit: 140,
        sourcefile: fileName,
        sourcemap: 'external',
      });
      // A single one makes the engine keep the whole bundle in two bytes a character. Only regular expressions keep them.
      const [wide] = /^.*[^\0-\x7f].*$/m.exec(written.code) ?? [];
      if (wide !== undefined) this.error(`${fileName}: escape what is beyond ASCII in a regular expression: ${wide}`);
      chunk.code = `${written.code}//# sourceMappingURL=${posix.basename(sourcemapFileName)}\n`;
      bundle[sourcemapFileName].source = written.map;
    }
  },
};

/** What the Nest CLI runs: a collection that it requires, with the description and schema of each schematic. */
const schematics = ['nest-add', 'migrate'];
const descriptionsOfSchematics = {
  name: 'descriptions-of-schematics',
  generateBundle() {
    const emit = (fileName, from) => this.emitFile({ type: 'asset', fileName, source: readFileSync(from, 'utf8') });
    emit('schematics/collection.json', 'lib/schematics/collection.json');
    for (const name of schematics) emit(`schematics/${name}.schema.json`, `lib/schematics/${name}/schema.json`);
  },
};

const shared = { sourcemap: true, hoistTransitiveImports: false };

export default [
  {
    input: Object.fromEntries(Object.keys(entries).map((name) => [name, `entries/${name}`])),
    external,
    onwarn(warning, warn) {
      // The compiler's decorator helpers look for `this`, which is undefined in a module.
      if (warning.code !== 'THIS_IS_UNDEFINED') warn(warning);
    },
    plugins: [oneForm, resolve({ resolveOnly: inlined }), compilerMaps, dense],
    output: [
      { ...shared, dir: 'dist', format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
      {
        ...shared,
        dir: 'dist',
        format: 'cjs',
        entryFileNames: '[name].cjs',
        chunkFileNames: 'chunks/[name]-[hash].cjs',
        interop: 'auto',
        dynamicImportInCjs: false,
      },
    ],
  },
  {
    input: inputOf('.d.ts'),
    external,
    onwarn(warning, warn) {
      // Internal types that public ones mention stay internal.
      if (!warning.message.includes('private shared type exports')) warn(warning);
    },
    plugins: [dts(), declarationsOfCommonJs],
    output: { dir: 'dist', format: 'es', entryFileNames: '[name].d.ts', chunkFileNames: 'chunks/[name]-[hash].d.ts' },
  },
  {
    input: Object.fromEntries(schematics.map((name) => [`schematics/${name}`, `build/schematics/${name}/index.js`])),
    external,
    plugins: [compilerMaps, dense, descriptionsOfSchematics],
    output: {
      ...shared,
      dir: 'dist',
      format: 'cjs',
      entryFileNames: '[name].cjs',
      chunkFileNames: 'schematics/[name]-[hash].cjs',
    },
  },
];
