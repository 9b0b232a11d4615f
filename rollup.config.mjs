// Bundles what `nest build` compiled into few files: once as ESM, once as CommonJS, and the declarations of both.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import resolve from '@rollup/plugin-node-resolve';
import { transform } from '@swc/core';
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

/**
 * Pages of code that are part of the bundle. p-limit is ESM only, and CommonJS test runners cannot load it. ms is CommonJS: Node 20 scans
 * the text of such a package for its exports, and after ms V8 compiled that scanner again, 70 ms on another thread.
 */
const inlined = ['p-limit', 'yocto-queue', 'ms'];
const external = (id) => !/^[./]/.test(id) && !inlined.some((name) => id === name || id.includes(`/${name}/`));

/** The one CommonJS package that is part of the bundle, as a module. */
const msAsModule = {
  name: 'ms-as-module',
  transform(code, id) {
    return /[\\/]ms[\\/]index\.js$/.test(id)
      ? { code: code.replace('module.exports =', 'export default'), map: { mappings: '' } }
      : null;
  },
};

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
 * Comments and spaces are for the source, where source maps lead: without them the entry loads faster and a process holds a
 * third less text. Local variables get short names; those of functions, classes and properties stay for stack traces. Statements and
 * members of classes stay on lines of their own, and long lines are broken, so that an error which ends a process prints a short line
 * and not a page. Characters
 * beyond ASCII are escaped: a single one would make the engine keep the whole bundle in two bytes a character.
 */
const dense = {
  name: 'dense',
  async renderChunk(code) {
    const jsc = {
      target: 'es2022',
      parser: { syntax: 'ecmascript' },
      minify: {
        compress: false,
        mangle: { toplevel: true, keep_classnames: true, keep_fnames: true, keep_private_props: true },
        format: { comments: false, asciiOnly: true },
      },
    };
    const printed = await transform(code, { jsc, minify: true, isModule: 'unknown', sourceMaps: true, swcrc: false });
    return inLines(printed, lineStarts(this.parse(printed.code)));
  },
};

/** Lines are broken where they would be longer; a single text may be. */
const LINE = 120;

/**
 * Where a line must begin, before statements of a module and members of its classes, and where one may: before what follows a bracket,
 * a comma, an operator or a semicolon, so that no semicolon is inserted there. In order.
 */
function lineStarts(program) {
  const must = new Set();
  const may = new Set();
  const visit = (node) => {
    if (node.type === 'Program' || node.type === 'ClassBody') for (const { start } of node.body) must.add(start);
    for (const follower of followers(node)) if (follower) may.add(follower.start);
    for (const child of Object.values(node).flat()) if (typeof child?.type === 'string') visit(child);
  };
  visit(program);
  return [...new Set([...must, ...may])].sort((a, b) => a - b).map((start) => ({ start, must: must.has(start) }));
}

function followers({ type, ...node }) {
  if (type === 'BlockStatement' || type === 'StaticBlock') return node.body;
  if (type === 'ImportDeclaration' || type === 'ExportNamedDeclaration') return node.specifiers;
  if (type === 'SwitchCase') return node.consequent;
  if (type === 'ObjectExpression') return node.properties;
  if (type === 'ArrayExpression') return node.elements;
  if (type === 'CallExpression' || type === 'NewExpression') return node.arguments;
  if (type === 'LogicalExpression' || type === 'BinaryExpression') return [node.right];
  if (type === 'ConditionalExpression') return [node.consequent, node.alternate];
  return type === 'TemplateLiteral' ? node.expressions : [];
}

/** Begins lines at these places, which are between two tokens. */
function inLines({ code, map }, places) {
  const mapped = JSON.parse(map);
  const mappings = mapped.mappings.split(';');
  const lines = [];
  const moved = [];
  let at = 0;
  let next = 0;
  for (const [index, line] of code.split('\n').entries()) {
    const cuts = [0];
    let last = 0;
    const cut = (place) => void (place > cuts.at(-1) && cuts.push(place));
    for (; next < places.length && places[next].start < at + line.length; next++) {
      const place = places[next].start - at;
      if (place - cuts.at(-1) > LINE) cut(last);
      if (places[next].must) cut(place);
      last = place;
    }
    if (line.length - cuts.at(-1) > LINE) cut(last);
    for (const [part, from] of cuts.entries()) lines.push(line.slice(from, cuts[part + 1]));
    moved.push(...cutMappings(mappings[index] ?? '', cuts));
    at += line.length + 1;
  }
  return { code: lines.join('\n'), map: { ...mapped, mappings: moved.join(';') } };
}

/** Distributes the mappings of a line over its parts. Columns count from the segment before, the first from the part's beginning. */
function cutMappings(mappings, cuts) {
  const parts = cuts.map(() => []);
  let column = 0;
  let part = 0;
  let before = 0;
  for (const segment of mappings === '' ? [] : mappings.split(',')) {
    const first = columnOf(segment);
    column += first.column;
    for (; column >= cuts[part + 1]; before = cuts[part]) part++;
    parts[part].push(base64Vlq(column - before) + first.rest);
    before = column;
  }
  return parts.map((segments) => segments.join(','));
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** The first number of a segment of mappings, and what follows it. */
function columnOf(segment) {
  let value = 0;
  let at = 0;
  for (let shift = 0, more = true; more; shift += 5) {
    const digit = BASE64.indexOf(segment[at++]);
    value |= (digit & 31) << shift;
    more = digit > 31;
  }
  return { column: value >> 1, rest: segment.slice(at) };
}

function base64Vlq(column) {
  let text = '';
  let value = column << 1;
  do {
    const digit = value & 31;
    value >>= 5;
    text += BASE64[value > 0 ? digit | 32 : digit];
  } while (value > 0);
  return text;
}

/**
 * Version 12 of @nestjs/cache-manager is an ES module. Node can require it, but the Jest of a Nest 11 application refuses to: there the
 * CommonJS form goes on without it, as lib/adoption/cache-manager-tokens.ts says.
 */
const withoutCacheManager = {
  name: 'without-cache-manager',
  renderChunk: (code) => ({
    code: code.replace(
      /require\((["'])@nestjs\/cache-manager\1\)/,
      "(() => { try { return $& } catch (error) { if (error.code !== 'ERR_REQUIRE_ESM') throw error; return {} } })()",
    ),
    map: null,
  }),
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
    plugins: [oneForm, resolve({ resolveOnly: inlined }), msAsModule, compilerMaps, dense],
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
        plugins: [withoutCacheManager],
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
